//! Rhai, and nothing of HTTP: the engine, what a script can hold, what it can call, what it may not do.
//!
//! A script goes through three doors: [`Script::load`] (bytes to syntax), [`Script::check`] (what can be found without running) and
//! [`run`]. All three give [`Fault`]s with their place in the script, also inside imported files.

pub(crate) mod api;
pub(crate) mod arguments;
pub(crate) mod check;
pub(crate) mod closure;
pub(crate) mod compare;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the REPL will hold it; its traps have their tests"
    )
)]
pub(crate) mod console;
pub(crate) mod convert;
pub(crate) mod engine;
pub(crate) mod explain;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod header;
pub(crate) mod help;
pub(crate) mod host;
pub(crate) mod lane;
pub(crate) mod library;
pub(crate) mod options;
pub(crate) mod parallel;
pub(crate) mod program;
pub(crate) mod source;
pub(crate) mod standard;
pub(crate) mod trace;
pub(crate) mod values;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use rhai::Dynamic;

pub(crate) use arguments::Args;
pub(crate) use failure::Failure;
pub(crate) use files::Files;
pub(crate) use header::Header;
pub(crate) use host::{Host, Level, Output, Skip};

use program::{File, Program, Resolver};
use source::Text;
use values::Stream;

use crate::error::{Exit, Fault};

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
        let header = Header::read(name, &text.text);
        let file = File::parse(text);
        match (header, file) {
            (Ok(header), Ok(file)) => Ok(Self { header, file }),
            (header, file) => {
                let mut faults = header.err().unwrap_or_default();
                faults.extend(file.err());
                Err(faults)
            }
        }
    }

    /// Everything that can be found without running, in the script and in what it imports from `roots`.
    pub(crate) fn check(&self, roots: &[PathBuf]) -> Vec<Fault> {
        let (program, mut faults) = Program::link(&self.file, roots);
        faults.extend(check::check(&program, &self.header));
        faults
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
            Some(reason) => Err(reason.clone()),
            None => last_value(value.flatten()),
        },
        Some(Err(error)) => Err(trace::fault(&program, &host.stop, &error)),
        None => Err(host
            .stop
            .reason()
            .cloned()
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
