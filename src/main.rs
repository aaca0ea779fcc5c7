use std::process::ExitCode;

use runback::{Cli, Exit, World};

fn main() -> ExitCode {
    // The panic's own message has been printed by then; the exit code says whose mistake it was.
    let exit = std::panic::catch_unwind(|| {
        let world = World::real();
        runback::run(Cli::read(&world), &world)
    });
    ExitCode::from(exit.unwrap_or(Exit::Bug).code())
}
