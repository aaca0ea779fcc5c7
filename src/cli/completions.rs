//! `runback completions`: what a shell needs to complete our command line.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use crate::error::{Exit, Fault};

/// Print the completions of a shell
///
/// bash: `runback completions bash > ~/.local/share/bash-completion/completions/runback`
/// zsh: `runback completions zsh > "${fpath[1]}/_runback"`
/// fish: `runback completions fish > ~/.config/fish/completions/runback.fish`
/// PowerShell: `runback completions powershell | Out-String | Invoke-Expression`, in `$PROFILE`
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Completions {
    /// Which shell
    #[arg(value_name = "SHELL", ignore_case = true)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<Exit, Fault> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "runback", &mut script);
        match io::stdout().write_all(&script) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let message = format!("stdout could not be written: {error}");
                Err(Fault::new(Exit::Unstarted, "OutputLost", message))
            }
            _ => Ok(Exit::Success),
        }
    }
}
