use std::process::ExitCode;

use runback::{Cli, Exit, World};

fn main() -> ExitCode {
    // The panic's own message has been printed by then; the exit code says whose mistake it was.
    let exit = std::panic::catch_unwind(|| runback::run(Cli::read(), &World::real()));
    ExitCode::from(exit.unwrap_or(Exit::Bug).code())
}
