//! A conversation with the engine, line by line: what a REPL holds.

use std::sync::Arc;

use rhai::{AST, Dynamic, Scope};

use super::header::Header;
use super::host::Host;
use super::program::{File, Program, Resolver};
use super::source::Text;
use super::{check, engine, on_own_stack, trace};
use crate::error::Fault;

/// A conversation, line by line, in one engine: what the REPL holds. Functions, variables and imports stay.
pub(crate) struct Console {
    host: Arc<Host>,
    engine: rhai::Engine,
    scope: Scope<'static>,
    functions: AST,
    /// The files of all lines and their imports.
    files: Program,
    lines: usize,
}

impl Console {
    pub(crate) fn new(host: &Arc<Host>) -> Self {
        let engine = engine::build(host, engine::Names::default());
        Self {
            host: host.clone(),
            engine,
            scope: engine::scope(&host.args),
            functions: AST::empty(),
            files: Program::default(),
            lines: 0,
        }
    }

    /// Runs what was typed; gives its value, `None` for `()`.
    ///
    /// # Errors
    /// What is wrong with it, first by looking at it, then by running it. The conversation goes on.
    pub(crate) fn run(&mut self, typed: &str) -> Result<Option<Dynamic>, Vec<Fault>> {
        self.lines += 1;
        let text = Text::typed(&format!("line {}", self.lines), typed)?;
        let ast = self.engine.compile_with_scope(&self.scope, &text.text);
        let ast = ast.map_err(|error| vec![text.syntax_fault(&error)])?;
        let mut all = self.functions.clone();
        all += ast;
        all.set_source(text.name.as_str());
        let file = File::typed(text, all.clone());
        let (mut program, faults) = Program::link(&file, &self.host.imports);
        if !faults.is_empty() {
            return Err(faults);
        }
        let found = check::check(&program, &Header::default());
        // `args` are those of the conversation, and functions of earlier lines have been looked at.
        let faults: Vec<_> = found
            .into_iter()
            .filter(|finding| finding.is_error() && finding.fault.code != "UnknownArgument")
            .map(|finding| finding.fault)
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        program.remember(&self.files);
        self.files = program.clone();
        let program = Arc::new(program);
        let resolver = Resolver::new(program.clone());
        self.engine.set_module_resolver(resolver.clone());
        engine::look_at(&mut self.engine, &self.host.args, program.names());
        let (engine, scope, stop) = (&self.engine, &mut self.scope, &self.host.stop);
        let outcome = on_own_stack(|| {
            trace::guarded(stop, || engine.eval_ast_with_scope::<Dynamic>(scope, &all))
        });
        self.functions = all.clone_functions_only();
        for (alias, module) in resolver.imported() {
            self.engine.register_static_module(alias, module);
        }
        match outcome {
            Some(Ok(value)) => Ok(Some(value.flatten()).filter(|value| !value.is_unit())),
            Some(Err(error)) => Err(vec![trace::fault(&program, stop, &error)]),
            None => Err(stop.reason().cloned().into_iter().collect()),
        }
    }
}
