//! `runback.toml` on the command line: which settings there are, and how they stand behind flags and variables.
//!
//! Every global flag is a setting of the same name. A setting becomes the flag's default, so that clap itself keeps the order:
//! flag, variable, setting, default.

use std::any::TypeId;
use std::error::Error as _;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};

use super::Cli;
use super::flags::Flags;
use crate::config::{self, Config, Key, Kind, Origin, Setting, Wanted};
use crate::error::{Exit, Fault, Place};
use crate::run::State;
use crate::talk::{Level, Talk as _, Voice};
use crate::world::World;

/// These say which file to read: they cannot stand in one.
const NOT_SETTINGS: &[&str] = &["config", "profile"];
/// Where one is given, the other of a weaker origin does not hold.
const RIVALS: &[(&str, &str)] = &[("sandbox", "graph-url"), ("quiet", "verbose")];
/// The heading of the flags that say what a sandbox is like.
const SANDBOX: &str = "Sandbox";

/// Reads the config files, and leaves what holds beside this command line.
///
/// # Errors
/// Exit 2, every mistake at its place.
pub(super) fn load(cli: &Cli, world: &World) -> Result<Config, Vec<Fault>> {
    let flags = &cli.flags;
    let wanted = Wanted {
        named: flags.settings.config.clone(),
        state: State::place(flags.conduct.state_dir.as_deref(), world),
        home: world.variable("HOME").map(PathBuf::from),
        profile: flags.settings.profile.clone(),
    };
    let command = global_flags();
    let mut config = config::load(&wanted, &keys(&command))?;
    let faults: Vec<Fault> = config
        .settings
        .iter()
        .filter_map(|setting| refused(&command, setting))
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    config.settings = beside(cli, &command, config.settings);
    Ok(config)
}

/// Puts settings where the flags' defaults stand.
pub(super) fn behind(command: Command, settings: &[Setting]) -> Command {
    settings.iter().fold(command, |command, setting| {
        command.mut_args(|arg| {
            if arg.get_long() == Some(&setting.key) {
                arg.default_values(setting.values.clone())
            } else {
                arg
            }
        })
    })
}

/// Says which files were used, and what nobody should overlook.
pub(super) fn announce(config: &Config, voice: &Voice) {
    voice.log(Level::Debug, &format!("settings: {}", config.summary()));
    for setting in &config.settings {
        let is_elsewhere = setting.key == "graph-url" && setting.origin == Origin::Working;
        let is_simulated = setting.key == "sandbox" && is_on(setting);
        let file = &setting.place.file;
        if is_simulated {
            voice.note(&format!(
                "this is a simulated tenant, since `{file}` says `sandbox = true`"
            ));
        } else if is_elsewhere {
            let url = setting.values.concat();
            voice.note(&format!("`{file}` says `graph-url = \"{url}\"`"));
        }
    }
}

/// Flags that say how a run is looked at, and where its record lies: a run that goes on takes those of its own command line.
const OF_THE_MOMENT: &[&str] = &[
    "state-dir",
    "verbose",
    "quiet",
    "color",
    "log-format",
    "no-wait",
    "max-time",
];

/// Every flag that was given as such or by a variable, with its values; paths are absolute.
pub(super) fn given_words(matches: &ArgMatches) -> Vec<(String, Vec<String>)> {
    let command = global_flags();
    let mut words = Vec::new();
    for arg in command.get_arguments() {
        let (Some(name), id) = (arg.get_long(), arg.get_id().as_str()) else {
            continue;
        };
        // A variable that says where the record lies will say so again.
        let is_given = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => true,
            Some(ValueSource::EnvVariable) => name != "state-dir",
            _ => false,
        };
        if !is_given {
            continue;
        }
        let values = match arg.get_action() {
            ArgAction::SetTrue => vec![matches.get_flag(id).to_string()],
            ArgAction::Count => vec![matches.get_count(id).to_string()],
            _ => {
                let raw = matches.get_raw(id).into_iter().flatten();
                raw.map(|value| match kind(arg) {
                    Kind::Path => {
                        std::path::absolute(value).map_or_else(|_| value.into(), Into::into)
                    }
                    _ => value.to_owned(),
                })
                .map(|value: std::ffi::OsString| without_password(&value.to_string_lossy()))
                .collect()
            }
        };
        words.push((name.to_owned(), values));
    }
    words
}

/// Every flag that was written on the command line, as it was written, but for these: for a process that has the same variables
/// and config files.
pub(super) fn typed_words(matches: &ArgMatches, but: &[&str]) -> Vec<OsString> {
    let command = global_flags();
    let mut words = Vec::new();
    for arg in command.get_arguments() {
        let (Some(name), id) = (arg.get_long(), arg.get_id().as_str()) else {
            continue;
        };
        if but.contains(&name) || matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let flag = OsString::from(format!("--{name}"));
        match arg.get_action() {
            ArgAction::SetTrue => words.push(flag),
            ArgAction::Count => {
                words.extend(std::iter::repeat_n(flag, matches.get_count(id).into()));
            }
            _ => {
                for value in matches.get_raw(id).into_iter().flatten() {
                    let mut word = flag.clone();
                    word.push("=");
                    word.push(value);
                    words.push(word);
                }
            }
        }
    }
    words
}

/// An address without the password that may stand in it: a record holds no secret. Anything else as it is.
fn without_password(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // Both can only fail where an address has no host.
            let _ = url.set_password(None);
            let _ = url.set_username("");
            url.into()
        }
        _ => text.to_owned(),
    }
}

/// What a run was given, as settings of the command line that goes on with it.
pub(super) fn of_run(run: &str, words: &[(String, Vec<String>)]) -> Vec<Setting> {
    words
        .iter()
        .filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str()))
        .map(|(name, values)| Setting {
            key: name.clone(),
            values: values.clone(),
            place: Place {
                file: format!("run {run}"),
                line: 0,
                column: 0,
                text: None,
            },
            origin: Origin::Named,
            rank: usize::MAX,
        })
        .collect()
}

fn global_flags() -> Command {
    let command = Command::new("runback")
        .no_binary_name(true)
        .disable_help_flag(true);
    // A variable's value is not what is looked at here.
    Flags::augment_args(command).mut_args(|arg| arg.env(None::<&str>))
}

fn keys(command: &Command) -> Vec<Key> {
    let settings = command
        .get_arguments()
        .filter_map(|arg| Some((arg, arg.get_long()?)))
        .filter(|(_, name)| !NOT_SETTINGS.contains(name));
    settings
        .map(|(arg, name)| Key {
            name: name.to_owned(),
            kind: kind(arg),
            many: matches!(arg.get_action(), ArgAction::Append),
        })
        .collect()
}

fn kind(arg: &Arg) -> Kind {
    let value = arg.get_value_parser().type_id();
    let is = |types: &[TypeId]| types.iter().any(|&known| value == known);
    match arg.get_action() {
        ArgAction::SetTrue => Kind::Switch,
        ArgAction::Count => Kind::Count,
        _ if is(&[TypeId::of::<PathBuf>()]) => Kind::Path,
        _ if is(&[
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<f64>(),
        ]) =>
        {
            Kind::Number
        }
        _ => Kind::Text,
    }
}

/// What the flag of the same name would say to this value.
fn refused(command: &Command, setting: &Setting) -> Option<Fault> {
    let arg = arg(command, &setting.key)?;
    let fault = |value: &str, why: &str| {
        let message = format!("`{}` cannot be `{value}`: {why}", setting.key);
        Fault::new(Exit::Unstarted, "BadConfig", message).at(setting.place.clone())
    };
    match arg.get_action() {
        ArgAction::SetTrue => return None,
        ArgAction::Count => {
            let value = &setting.values[0];
            let is_count = value.parse::<u8>().is_ok();
            return (!is_count).then(|| fault(value, "write how often the flag is repeated"));
        }
        _ => {}
    }
    setting.values.iter().find_map(|value| {
        let word = format!("--{}={value}", setting.key);
        let error = command.clone().try_get_matches_from([word]).err()?;
        let texts = |kind| match error.get(kind) {
            Some(ContextValue::Strings(texts)) => texts.clone(),
            Some(ContextValue::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        };
        let valid: Vec<String> = texts(ContextKind::ValidValue)
            .iter()
            .map(|value| format!("`{value}`"))
            .collect();
        let why = match error.source() {
            _ if !valid.is_empty() => format!("it is one of {}", valid.join(", ")),
            Some(cause) => cause.to_string(),
            None => "it cannot be read".to_owned(),
        };
        let near = texts(ContextKind::SuggestedValue);
        let hints = near.iter().map(|near| format!("did you mean `{near}`?"));
        Some(hints.fold(fault(value, &why), Fault::hint))
    })
}

/// What is left of the settings beside what was given as flag or variable.
fn beside(cli: &Cli, command: &Command, mut settings: Vec<Setting>) -> Vec<Setting> {
    let given = |key: &str| given(command, &cli.given.matches, key);
    let rivals = RIVALS.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
    for (one, other) in rivals {
        let of_file = settings.iter().find(|held| held.key == one && is_on(held));
        let rank = match given(one) {
            Some(is_on) => is_on.then_some(usize::MAX),
            None => of_file.map(|held| held.rank),
        };
        settings.retain(|held| held.key != other || rank.is_none_or(|rank| rank <= held.rank));
    }
    let of_file = settings.iter().find(|held| held.key == "sandbox");
    let is_sandbox = given("sandbox").unwrap_or_else(|| of_file.is_some_and(is_on));
    // A sandbox may be described beforehand; that is nothing to a run against a real tenant.
    if !is_sandbox && !cli.serves_sandbox() {
        settings.retain(|held| held.key == "sandbox" || !is_of_sandbox(command, &held.key));
    }
    settings.retain(|held| given(&held.key).is_none());
    settings
}

fn is_of_sandbox(command: &Command, key: &str) -> bool {
    arg(command, key).is_some_and(|arg| arg.get_help_heading() == Some(SANDBOX))
}

/// Whether this was given as flag or variable, and if so, whether as a yes.
fn given(command: &Command, matches: &ArgMatches, key: &str) -> Option<bool> {
    let arg = arg(command, key)?;
    let id = arg.get_id().as_str();
    match matches.value_source(id)? {
        ValueSource::CommandLine | ValueSource::EnvVariable => {}
        _ => return None,
    }
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    Some(!is_switch || matches.get_flag(id))
}

fn arg<'c>(command: &'c Command, key: &str) -> Option<&'c Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(key))
}

fn is_on(setting: &Setting) -> bool {
    setting.values != ["false"] && setting.values != ["0"]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags that every command takes, each a setting of the same name.
    #[test]
    fn every_global_flag_is_a_setting_with_its_kind() {
        let expected = [
            ("again", Kind::Switch),
            ("allow-overlap", Kind::Switch),
            ("api", Kind::Text),
            ("auth", Kind::Text),
            ("ca-file", Kind::Path),
            ("client-id", Kind::Text),
            ("client-secret-file", Kind::Path),
            ("color", Kind::Text),
            ("data", Kind::Path),
            ("faults", Kind::Text),
            ("format", Kind::Text),
            ("graph-url", Kind::Text),
            ("in-flight", Kind::Number),
            ("latency", Kind::Text),
            ("log-format", Kind::Text),
            ("max-memory", Kind::Text),
            ("max-time", Kind::Text),
            ("no-wait", Kind::Switch),
            ("on-end", Kind::Text),
            ("policy", Kind::Path),
            ("polling", Kind::Text),
            ("quiet", Kind::Switch),
            ("report", Kind::Path),
            ("sandbox", Kind::Switch),
            ("search-cap", Kind::Text),
            ("seed", Kind::Number),
            ("settling", Kind::Text),
            ("speed", Kind::Number),
            ("state", Kind::Path),
            ("state-dir", Kind::Path),
            ("tenant", Kind::Text),
            ("users", Kind::Number),
            ("verbose", Kind::Count),
            ("yes", Kind::Switch),
        ];
        let mut known = keys(&global_flags());
        known.sort_by(|a, b| a.name.cmp(&b.name));
        let known: Vec<(&str, Kind)> = known
            .iter()
            .map(|key| (key.name.as_str(), key.kind))
            .collect();
        assert_eq!(
            known, expected,
            "a new flag is named here, and in config/trust.rs where it is harmless"
        );
    }

    #[test]
    fn variables_are_called_as_they_are_documented() {
        let command = Flags::augment_args(Command::new("runback"));
        let mut named: Vec<(&str, String)> = command
            .get_arguments()
            .filter_map(|arg| {
                let variable = arg.get_env()?.to_string_lossy().into_owned();
                Some((arg.get_long()?, variable))
            })
            .collect();
        named.sort();
        let named: Vec<(&str, &str)> = named
            .iter()
            .map(|(flag, variable)| (*flag, variable.as_str()))
            .collect();
        let expected = [
            ("api", "RUNBACK_API"),
            ("auth", "RUNBACK_AUTH"),
            ("ca-file", "RUNBACK_CA_FILE"),
            ("client-id", "AZURE_CLIENT_ID"),
            ("client-secret-file", "AZURE_CLIENT_SECRET_FILE"),
            ("config", "RUNBACK_CONFIG"),
            ("graph-url", "RUNBACK_GRAPH_URL"),
            ("policy", "RUNBACK_POLICY"),
            ("polling", "RUNBACK_POLLING"),
            ("profile", "RUNBACK_PROFILE"),
            ("sandbox", "RUNBACK_SANDBOX"),
            ("settling", "RUNBACK_SETTLING"),
            ("state-dir", "RUNBACK_STATE_DIR"),
            ("tenant", "AZURE_TENANT_ID"),
        ];
        assert_eq!(named, expected);
    }
}
