//! `runback check`: finds mistakes without running.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde_json::{Value, json};

use super::flags::Flags;
use crate::error::{Exit, Fault};
use crate::policy::Policy;
use crate::run::{Format, Source};
use crate::script::{self, Examined, Finding, Roots};
use crate::talk::{Talk as _, Voice};
use crate::text;

/// How a script from the standard input is called in messages.
const STDIN: &str = "<stdin>";

/// So many findings of one file are written out for a person; a program gets them all.
const MOST: usize = 50;

const FORM: &str = "\
Nothing is run and nobody is asked: it needs no tenant and no network.

Exit code 0: no mistakes (there may be warnings). Exit code 2: at least one mistake, or a file that cannot be read.
Exit code 5: no mistakes, but the policy of --policy would deny something. It is told from the text alone: a line that is never
reached is not denied, and what is made up while a script runs (paths, numbers, people, the hour) is judged then.

With --format json one document on stdout, whose fields stay (others may be added):

  {\"schema\": 1, \"ok\": false,
   \"diagnostics\": [{\"file\": \"a.rhai\", \"line\": 3, \"column\": 9, \"end_column\": 14,
                    \"severity\": \"error\", \"code\": \"NoSuchVariable\",
                    \"message\": \"there is no variable `rwos`\", \"hint\": \"did you mean `rows`?\"}],
   \"scripts\": [{\"file\": \"a.rhai\", \"errors\": 1, \"warnings\": 0, \"denials\": 0, \"abilities\": null}],
   \"policy\": null}

Lines and columns count from 1, columns count characters, `end_column` is behind the last one; all three are null where a
file cannot be read. `severity` is `error` or `warning`; `hint` may be null or hold several lines. `abilities` says what a script
without mistakes can do at most: {\"reads\", \"drafts\", \"activates\", \"deletes\", \"changes\": true or false, \"workloads\": [...],
\"summary\": \"...\"}. `changes` is any other change through `graph::`. What the policy would deny is among the diagnostics, with code
`PolicyDenied`, and `policy` is {\"file\", \"sha256\"}.";

/// Find mistakes without running
#[derive(Debug, Args)]
#[command(after_long_help = FORM)]
pub(super) struct Check {
    /// Runbooks; `-` reads one from the standard input
    #[arg(value_name = "SCRIPT", required = true)]
    scripts: Vec<PathBuf>,
    /// Import from this folder, as in a folder that is watched with it (repeatable)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    library: Vec<PathBuf>,
}

/// One script, looked at.
struct Looked {
    name: String,
    examined: Examined,
    /// What the policy would deny.
    denials: Vec<Finding>,
}

impl Looked {
    fn count(&self, is_error: bool) -> usize {
        let findings = self.examined.findings.iter();
        findings
            .filter(|finding| finding.is_error() == is_error)
            .count()
    }

    fn denied(&self) -> usize {
        let denials = self.denials.iter();
        denials.filter(|finding| finding.is_error()).count()
    }

    /// Mistakes first: a script that has some is not judged by a policy.
    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.examined.findings.iter().chain(&self.denials)
    }
}

impl Check {
    pub(super) fn run(self, flags: &Flags, voice: &Voice) -> Result<Exit, Fault> {
        let from_stdin = self.scripts.iter().filter(|path| is_stdin(path)).count();
        if from_stdin > 1 {
            return Err(Fault::new(
                Exit::Unstarted,
                "BadArgument",
                "`-` is given twice, and there is one standard input",
            ));
        }
        let policy = flags.conduct.policy.as_deref();
        let policy = policy.map(Policy::open).transpose()?;
        let looked: Vec<Looked> = self
            .scripts
            .iter()
            .map(|path| self.look(path, policy.as_ref(), voice))
            .collect::<Result<_, _>>()?;
        let is_right = looked.iter().all(|looked| looked.count(true) == 0);
        let is_allowed = looked.iter().all(|looked| looked.denied() == 0);
        let out = if flags.conduct.format == Format::Json {
            format!(
                "{}\n",
                text::json_shown(
                    &document(&looked, is_right && is_allowed, policy.as_ref()).to_string()
                )
            )
        } else {
            let mut said = false;
            looked
                .iter()
                .map(|looked| tell(looked, policy.as_ref(), voice, &mut said))
                .collect()
        };
        // A reader that has gone away is no mistake in a script.
        let _ = io::stdout().write_all(out.as_bytes());
        Ok(match (is_right, is_allowed) {
            (false, _) => Exit::Unstarted,
            (true, false) => Exit::Denied,
            (true, true) => Exit::Success,
        })
    }

    fn look(&self, path: &Path, policy: Option<&Policy>, voice: &Voice) -> Result<Looked, Fault> {
        let (name, source) = if is_stdin(path) {
            if io::IsTerminal::is_terminal(&io::stdin()) {
                voice.note("reading a script from this terminal, up to Ctrl-D");
            }
            (STDIN.to_owned(), stdin())
        } else {
            (path.display().to_string(), Source::read(path))
        };
        let (examined, roots) = match source {
            Ok(source) => {
                let roots = Roots::of(source.folder(), &self.library)?;
                (script::examine(&name, &source.bytes, &roots), roots)
            }
            Err(fault) => (Examined::of_faults(vec![fault]), Roots::default()),
        };
        let denials = match (&examined.script, policy) {
            (Some(script), Some(policy)) => script.denials(&roots, policy),
            _ => Vec::new(),
        };
        Ok(Looked {
            name,
            examined,
            denials,
        })
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn stdin() -> Result<Source, Fault> {
    let mut bytes = Vec::new();
    let most = u64::try_from(script::LARGEST).unwrap_or(u64::MAX);
    io::stdin()
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            let message = format!("the standard input cannot be read: {error}");
            Fault::new(Exit::Unstarted, "UnreadableFile", message)
        })?;
    Ok(Source {
        path: PathBuf::from("-"),
        bytes,
    })
}

/// Says what was found on stderr, and gives the line for stdout. `said`: something stands on stderr already.
fn tell(looked: &Looked, policy: Option<&Policy>, voice: &Voice, said: &mut bool) -> String {
    for finding in looked.findings().take(MOST) {
        if std::mem::replace(said, true) && !voice.manner().json {
            voice.raw("");
        }
        voice.finding(&finding.fault, !finding.is_error());
    }
    let name = text::one_line(&looked.name);
    let more = looked.findings().count().saturating_sub(MOST);
    if more > 0 {
        voice.raw("");
        voice.note(&format!("{more} more in {name}; mend these first"));
    }
    let count = |number: usize, noun: &str| match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    };
    let errors = looked.count(true);
    let warnings = match looked.count(false) {
        0 => String::new(),
        number => format!(", {}", count(number, "warning")),
    };
    match &looked.examined.abilities {
        Some(abilities) => {
            let judged = policy.map_or_else(String::new, |policy| {
                let file = policy.path().display();
                match looked.denied() {
                    0 => format!(", nothing that `{file}` denies for certain"),
                    denied => format!(", {} by `{file}`", count(denied, "denial")),
                }
            });
            format!("{name}: no mistakes{warnings}{judged}; {abilities}\n")
        }
        None => format!("{name}: {}{warnings}\n", count(errors, "mistake")),
    }
}

fn document(looked: &[Looked], is_right: bool, policy: Option<&Policy>) -> Value {
    let diagnostics = looked.iter().flat_map(|looked| {
        let findings = looked.findings();
        findings.map(|finding: &Finding| finding.to_json(&looked.name))
    });
    let scripts = looked.iter().map(|looked| {
        let abilities = looked.examined.abilities.as_ref();
        json!({
            "file": looked.name,
            "errors": looked.count(true),
            "warnings": looked.count(false),
            "denials": looked.denied(),
            "abilities": abilities.map(script::Abilities::to_json),
        })
    });
    json!({
        "schema": 1,
        "ok": is_right,
        "diagnostics": diagnostics.collect::<Vec<_>>(),
        "scripts": scripts.collect::<Vec<_>>(),
        "policy": policy.map(|policy| json!({
            "file": policy.path().display().to_string(),
            "sha256": policy.sha256(),
        })),
    })
}
