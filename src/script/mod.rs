//! Rhai, and nothing of HTTP: the engine, what a script can hold, what it can call, what it may not do.
//!
//! A script goes through two doors: [`examine`] (what can be found without running, and what it can do at most) and [`run`]. Both give
//! [`Fault`]s with their place in the script, also inside imported files.

pub(crate) mod api;
pub(crate) mod arguments;
pub(crate) mod beta;
pub(crate) mod check;
pub(crate) mod closure;
pub(crate) mod compare;
pub(crate) mod console;
pub(crate) mod convert;
pub(crate) mod engine;
pub(crate) mod explain;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod header;
pub(crate) mod help;
pub(crate) mod host;
pub(crate) mod imports;
pub(crate) mod lane;
pub(crate) mod library;
pub(crate) mod options;
pub(crate) mod parallel;
pub(crate) mod program;
pub(crate) mod record;
mod room;
pub(crate) mod source;
pub(crate) mod standard;
pub(crate) mod steps;
pub(crate) mod trace;
pub(crate) mod tree;
pub(crate) mod unfinished;
pub(crate) mod values;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use rhai::Dynamic;

pub(crate) use arguments::Args;
pub(crate) use beta::Beta;
pub(crate) use check::{Abilities, Finding};
pub(crate) use failure::Failure;
pub(crate) use files::Files;
pub(crate) use header::Header;
pub(crate) use host::{Host, Level, Output, Skip};
pub(crate) use imports::Roots;

use program::{File, Program, Resolver};
pub(crate) use source::LARGEST;

use source::Text;
use values::Stream;

use crate::error::{Exit, Fault};
use crate::policy::Policy;

/// A script that has been read and parsed.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) header: Header,
    file: File,
}

impl Script {
    /// Reads a script from its bytes; `name` stands in messages.
    ///
    /// # Errors
    /// What is wrong with the file, its header or its syntax.
    pub(crate) fn load(name: &str, bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        let text = Text::read(name, bytes)?;
        let (header, mut faults) = Header::read(name, &text.text);
        let (file, wrong) = File::parse(text);
        faults.extend(wrong);
        if faults.is_empty() {
            faults.extend(
                file.unknown
                    .as_ref()
                    .map(|error| file.text.syntax_fault(error)),
            );
        }
        if faults.is_empty() {
            Ok(Self { header, file })
        } else {
            Err(faults)
        }
    }
}

/// The text of a script's file.
///
/// # Errors
/// Where it is too large, of another encoding, or no text.
pub(crate) fn text_of(name: &str, bytes: &[u8]) -> Result<String, Vec<Fault>> {
    Text::read(name, bytes).map(|text| text.text)
}

/// What looking at a script came to.
pub(crate) struct Examined {
    /// `None` where it cannot be read, or has mistakes.
    pub(crate) header: Option<Header>,
    /// What may run: `None` where something is wrong.
    pub(crate) script: Option<Script>,
    /// Errors and warnings, file by file, in the order of the lines.
    pub(crate) findings: Vec<Finding>,
    /// What it can do at most; `None` where something is wrong, and nobody can say.
    pub(crate) abilities: Option<Abilities>,
}

impl Examined {
    pub(crate) fn of_faults(faults: Vec<Fault>) -> Self {
        Self {
            header: None,
            script: None,
            findings: faults.into_iter().map(Finding::error).collect(),
            abilities: None,
        }
    }

    /// What keeps it from running.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &Fault> {
        let errors = self.findings.iter().filter(|finding| finding.is_error());
        errors.map(|finding| &finding.fault)
    }
}

/// Finds everything that can be found without running, in a script and in what it imports from `roots`. Whatever runs a script
/// looks at it through this first.
pub(crate) fn examine(name: &str, bytes: &[u8], roots: &Roots) -> Examined {
    let text = match Text::read(name, bytes) {
        Ok(text) => text,
        Err(faults) => return Examined::of_faults(faults),
    };
    let (header, mut faults) = Header::read(name, &text.text);
    let is_whole = faults.is_empty();
    let (file, wrong) = File::parse(text);
    faults.extend(wrong);
    let (program, wrong) = Program::link(&file, roots);
    faults.extend(wrong);
    let mut findings: Vec<_> = faults.into_iter().map(Finding::error).collect();
    let mut found = check::check(&program, &header);
    // A declaration with a mistake in it is none; its name is not unknown for that.
    found.retain(|finding| is_whole || finding.fault.code != "UnknownArgument");
    findings.extend(found);
    // The parser says that some name is unknown: it has the last word, also where nobody else has found it.
    for file in program.files() {
        let told = findings.iter().any(|finding| {
            let place = finding.fault.place.as_ref();
            finding.is_error() && place.is_some_and(|place| place.file == file.text.name)
        });
        if let (Some(error), false) = (&file.unknown, told) {
            findings.push(Finding::error(file.text.syntax_fault(error)));
        }
    }
    let order: Vec<_> = program
        .files()
        .iter()
        .map(|file| file.text.name.clone())
        .collect();
    findings.sort_by_key(|finding| {
        let place = finding.fault.place.as_ref();
        place.map(|place| {
            let file = order.iter().position(|name| *name == place.file);
            (file, place.line, place.column)
        })
    });
    let is_right = !findings.iter().any(Finding::is_error);
    Examined {
        header: is_whole.then(|| header.clone()),
        abilities: is_right.then(|| check::abilities(&program)),
        script: is_right.then_some(Script { header, file }),
        findings,
    }
}

impl Script {
    /// The files that it imports, but for those of the standard library: name and text.
    pub(crate) fn imports(&self, roots: &Roots) -> Vec<(String, String)> {
        let (program, _) = Program::link(&self.file, roots);
        let imported = program.files().into_iter().skip(1);
        imported
            .filter(|file| !file.is_std())
            .map(|file| (file.text.name.clone(), file.text.text.clone()))
            .collect()
    }

    /// What a policy would deny of it, as far as its text says that.
    pub(crate) fn denials(&self, roots: &Roots, policy: &Policy) -> Vec<Finding> {
        check::denials(&Program::link(&self.file, roots).0, policy)
    }

    /// Whether it asks for the beta version of Graph in calls of its own.
    pub(crate) fn beta(&self, roots: &Roots) -> Beta {
        Beta::of(&Program::link(&self.file, roots).0)
    }
}

/// Runs a script to its end; gives its last value, `None` for `()`.
///
/// Call it from a thread that may block. A stop that comes from outside ends it within milliseconds.
///
/// # Errors
/// Why it ended early. When the stop flag is set, its reason.
pub(crate) fn run(script: &Script, host: &Arc<Host>) -> Result<Option<Dynamic>, Fault> {
    let (program, mut faults) = Program::link(&script.file, &host.imports);
    if !faults.is_empty() {
        return Err(faults.remove(0));
    }
    let program = Arc::new(program);
    let mut engine = engine::build(host, program.names());
    engine.set_module_resolver(Resolver::new(program.clone()));
    let outcome = on_own_stack(|| {
        trace::guarded(&host.stop, || {
            let mut scope = engine::scope(&host.args);
            engine.eval_ast_with_scope::<Dynamic>(&mut scope, &program.main().ast)
        })
    });
    match outcome {
        Some(Ok(value)) => match host.stop.reason() {
            // Stopped while its last statement was running.
            Some(reason) => Err(reason),
            None => last_value(value.flatten()),
        },
        Some(Err(error)) => {
            let mut fault = trace::fault(&program, &host.stop, &error);
            // The answer has come a moment ago: near enough to find it in the service's logs.
            if fault.request_id.is_some() {
                let now = host.world.clock.now();
                fault.time = Some(now.strftime("%H:%M:%S UTC").to_string());
            }
            Err(fault)
        }
        None => Err(host
            .stop
            .reason()
            .unwrap_or_else(|| Fault::new(Exit::Bug, "Bug", "a bug in runback"))),
    }
}

/// What a script comes to. A stream at its end is read: nobody else will.
fn last_value(value: Dynamic) -> Result<Option<Dynamic>, Fault> {
    if !value.is::<Stream>() {
        return Ok(Some(value).filter(|value| !value.is_unit()));
    }
    let stream = value.cast::<Stream>();
    let items: Result<rhai::Array, Failure> = stream.read().collect();
    items
        .map(|items| Some(items.into()))
        .map_err(Failure::fault)
}

/// Deep recursion needs more stack than a thread of the runtime has.
fn on_own_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("script".to_owned())
            .stack_size(engine::STACK);
        let thread = thread
            .spawn_scoped(scope, run)
            .expect("the system gives us one thread");
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
