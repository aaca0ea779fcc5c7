//! `runback sign`: signs a runbook and its arguments for a watched folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use secrecy::SecretString;

use super::flags::Flags;
use super::run::argument;
use super::secret_file;
use super::values::duration;
use crate::error::{Exit, Fault};
use crate::run::Stdout;
use crate::script::{self, Roots};
use crate::talk::{Talk as _, Voice};
use crate::watch::{Signer, write_arguments};
use crate::world::World;

/// Sign a runbook and its arguments for a watched folder
///
/// Looks at both as `run` would, writes `x.args.json` where arguments are given (one that lies there already is signed as it is),
/// and a signature beside each, with a key that `minisign -G` has made. `minisign -V` verifies them too. stdout names the files
/// in the order in which they belong into the inbox: `cp $(runback sign x.rhai group=Finance) inbox/`.
#[derive(Debug, Args)]
pub(super) struct Sign {
    /// The runbook's file
    #[arg(value_name = "SCRIPT", value_hint = ValueHint::FilePath)]
    script: PathBuf,
    /// Arguments of the runbook
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// The watcher's `--library`, from which the runbook imports (repeatable)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    library: Vec<PathBuf>,
    /// The secret key, if it is not `~/.minisign/minisign.key`
    #[arg(long, value_name = "FILE", env = "RUNBACK_SIGN_KEY", hide_env_values = true, value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// The key's password is in this file, which nobody else can read; else it is asked for
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,
    /// How long the signatures hold
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    expires: Duration,
}

impl Sign {
    pub(super) fn run(self, flags: &Flags, world: &World, voice: &Voice) -> Result<Exit, Fault> {
        let source = crate::run::Source::read(&self.script)?;
        let name = self.script.display().to_string();
        let now = world.clock.now();
        let roots = Roots::of(source.folder(), &self.library)?;
        let examined = script::examine(&name, &source.bytes, &roots);
        let mut faults: Vec<Fault> = examined.errors().cloned().collect();
        // In a watched folder an import comes from the library, which is perhaps not on this machine.
        let is_import =
            |fault: &Fault| fault.code == "BadImport" && !fault.message.contains("`std/");
        if self.library.is_empty() && faults.iter().any(is_import) {
            faults.retain(|fault| !is_import(fault));
            voice.note(&format!(
                "what `{name}` imports was not looked at: `--library DIR` names the folder that the watcher takes it from"
            ));
        }
        if let Some(header) = examined
            .header
            .as_ref()
            .filter(|_| !self.arguments.is_empty())
        {
            let here = std::env::current_dir().unwrap_or_default();
            if let Err(bad) = script::arguments::resolve(header, &self.arguments, now, &here) {
                faults.splice(0..0, bad);
            }
        }
        if !faults.is_empty() {
            voice.faults(&faults);
            return Ok(Exit::Unstarted);
        }
        let key = match &self.key {
            Some(key) => key.clone(),
            None => usual_key(world)?,
        };
        let signer = Signer::open(&key, || self.password(&key, voice))?;
        if !self.arguments.is_empty() {
            write_arguments(&self.script, &self.arguments)?;
        }
        let order = signer.sign(&self.script, now, self.expires)?;
        let stdout = Stdout::new(
            flags.conduct.format,
            world.stdout_is_terminal,
            voice.clone(),
        );
        for file in &order.files {
            stdout.whole(&format!("{}\n", file.display()));
        }
        voice.note(&format!(
            "signed with key {}, until {}: copy these files into the inbox, in this order",
            order.key, order.expires
        ));
        stdout.failure().map_or(Ok(Exit::Success), Err)
    }

    fn password(&self, key: &Path, voice: &Voice) -> Result<SecretString, Fault> {
        if let Some(path) = &self.password_file {
            let text = secret_file::text("password's file", path)?;
            return Ok(SecretString::from(
                text.trim_end_matches(['\r', '\n']).to_owned(),
            ));
        }
        let question = format!("password of {}: ", key.display());
        let asked = voice.aside(|| rpassword::prompt_password(&question));
        asked.map(SecretString::from).map_err(|error| {
            let message = format!(
                "the password of `{}` cannot be asked for: {error}",
                key.display()
            );
            Fault::new(Exit::Unstarted, "BadKey", message)
                .hint("`--password-file FILE` where there is no terminal")
        })
    }
}

/// Where minisign keeps it.
fn usual_key(world: &World) -> Result<PathBuf, Fault> {
    let home = world.variable("HOME").ok_or_else(|| {
        Fault::new(
            Exit::Unstarted,
            "BadKey",
            "there is no home folder with a key",
        )
        .hint("`--key FILE` names it")
    })?;
    Ok(PathBuf::from(home).join(".minisign/minisign.key"))
}
