//! A conversation with the engine, statement by statement: what a REPL holds.

use std::collections::HashMap;
use std::sync::Arc;

use rhai::{AST, Dynamic, Scope};

use super::engine::{self, Constants};
use super::header::Header;
use super::host::Host;
use super::lane;
use super::program::{File, Program, Resolver};
use super::source::Text;
use super::tree;
use super::words;
use super::{check, on_own_stack, trace};
use crate::error::{Fault, Place};

/// The name of what was typed, in messages: its lines are counted through the whole conversation.
pub(crate) const NAME: &str = "repl";

/// What the last value is called.
pub(crate) const LAST: &str = "it";

/// Behind this many lines the engine does not count any further.
const MOST_LINES: usize = 60_000;

/// A conversation in one engine. Functions, constants, variables and imports stay.
pub(crate) struct Console {
    host: Arc<Host>,
    engine: rhai::Engine,
    scope: Scope<'static>,
    functions: AST,
    /// What functions see as `global::NAME`.
    constants: Constants,
    /// By alias: the file.
    imports: Vec<(String, String)>,
    /// The files of all statements and their imports.
    files: Program,
    /// Everything that was typed so far, mistakes left blank: a place in a function of an hour ago is still shown.
    text: String,
    statements: usize,
}

/// A function that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) name: String,
    pub(crate) params: Vec<String>,
}

impl Console {
    pub(crate) fn new(host: &Arc<Host>) -> Self {
        let mut scope = engine::scope(&host.args);
        scope.push_dynamic(LAST, Dynamic::UNIT);
        Self {
            host: host.clone(),
            engine: engine::build(host, engine::Names::default()),
            scope,
            functions: AST::empty(),
            constants: Constants::default(),
            imports: Vec::new(),
            files: Program::default(),
            text: String::new(),
            statements: 0,
        }
    }

    /// Runs what was typed; gives its value, `None` for `()`.
    ///
    /// # Errors
    /// What is wrong with it, first by looking at it, then by running it. The conversation goes on.
    pub(crate) fn run(&mut self, typed: &str) -> Result<Option<Dynamic>, Vec<Fault>> {
        if self.text.lines().count() + typed.lines().count() > MOST_LINES {
            // Places of what was typed before are lost; what was defined is not.
            self.text.clear();
        }
        let before = self.text.len();
        let outcome = self.statement(typed);
        if outcome.is_err() && self.text.len() == before {
            // What the parser could not read would mislead whoever looks for a place later.
            let lines = typed.lines().count().max(1);
            self.text.push_str(&"\n".repeat(lines));
        }
        outcome
    }

    fn statement(&mut self, typed: &str) -> Result<Option<Dynamic>, Vec<Fault>> {
        let lines = self.text.matches('\n').count();
        let text = Text::typed(NAME, typed).map_err(|faults| moved(faults, lines))?;
        // Reading `args` is what hands the constants of earlier statements to the engine; it stands where nobody looks.
        let lead = if lines == 0 {
            String::new()
        } else {
            format!("switch args {{ _ => () }}{}", "\n".repeat(lines))
        };
        let ast = self
            .engine
            .compile_with_scope(&self.scope, format!("{lead}{typed}"));
        let ast = ast.map_err(|error| {
            let mut error = error;
            if let (Some(line), Some(column)) = (error.1.line(), error.1.position()) {
                let line = u16::try_from(line.saturating_sub(lines)).unwrap_or(u16::MAX);
                error.1 = rhai::Position::new(line.max(1), u16::try_from(column).unwrap_or(1));
            }
            let fault = self.or_variable(text.syntax_fault(&error));
            moved(vec![fault], lines)
        })?;
        let whole = format!("{}{}\n", self.text, typed.trim_end_matches('\n'));
        let text = Text {
            name: NAME.to_owned(),
            text: whole.clone(),
        };
        let mut all = self.functions.clone();
        all += ast;
        all.set_source(NAME);
        let file = File::typed(text, all.clone());
        let (mut program, faults) = Program::link(&file, &self.host.imports);
        if !faults.is_empty() {
            return Err(faults);
        }
        let found = check::check(&program, &Header::default());
        // `args` are those of the conversation, and functions of earlier statements have been looked at.
        let faults: Vec<_> = found
            .into_iter()
            .filter(|finding| finding.is_error() && finding.fault.code != "UnknownArgument")
            .map(|finding| self.or_variable(finding.fault))
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        self.text = whole;
        program.remember(&self.files);
        self.files = program.clone();
        let program = Arc::new(program);
        let resolver = Resolver::new(program.clone());
        self.engine.set_module_resolver(resolver.clone());
        let names = program.names();
        engine::look_at(
            &mut self.engine,
            &self.host.args,
            names,
            Some(&self.constants),
        );
        self.statements += 1;
        // A lane of its own: what two statements change is told apart by it.
        let lane = format!("@{}", self.statements);
        let stop = &self.host.stop.clone();
        let (engine, scope) = (&self.engine, &mut self.scope);
        let outcome = on_own_stack(|| {
            trace::guarded(stop, || {
                lane::enter(lane, || engine.eval_ast_with_scope::<Dynamic>(scope, &all)).0
            })
        });
        self.functions = all.clone_functions_only();
        for (alias, file, module) in resolver.imported() {
            self.engine.register_static_module(alias.as_str(), module);
            self.imports.retain(|(known, _)| *known != alias);
            self.imports.push((alias, file));
        }
        self.tidy();
        match outcome {
            Some(Ok(value)) => match stop.reason() {
                // Stopped while its last call was running, or in what caught the end.
                Some(reason) => Err(vec![reason]),
                None => Ok(Some(value.flatten()).filter(|value| !value.is_unit())),
            },
            Some(Err(error)) => {
                let mut fault = trace::fault(&program, stop, &error);
                if fault.request_id.is_some() {
                    let now = self.host.world.clock.now();
                    fault.time = Some(now.strftime("%H:%M:%S UTC").to_string());
                }
                Err(vec![fault])
            }
            None => Err(stop.reason().into_iter().collect()),
        }
    }

    /// Keeps of several variables of one name the newest, and hands constants on to functions.
    fn tidy(&mut self) {
        let mut seen: HashMap<&str, bool> = HashMap::new();
        let mut constants = engine::locked(&self.constants);
        let mut is_tidy = true;
        // The newest comes first.
        for (name, is_constant, value) in self.scope.iter_raw() {
            if seen.insert(name, is_constant).is_some() {
                is_tidy = false;
            } else if is_constant && name != "args" {
                constants.insert(name.into(), value.clone());
            } else {
                constants.remove(name);
            }
        }
        if is_tidy {
            return;
        }
        // Only where a name is there twice: a copy of a long list takes its time.
        let mut kept: Vec<(String, bool, Dynamic)> = Vec::new();
        for (name, is_constant, value) in self.scope.iter_raw() {
            if !kept.iter().any(|(known, ..)| known == name) {
                // The clone of a shared value is the same value.
                kept.push((name.to_owned(), is_constant, value.clone()));
            }
        }
        self.scope = Scope::new();
        for (name, is_constant, value) in kept.into_iter().rev() {
            if is_constant {
                self.scope.push_constant_dynamic(name, value);
            } else {
                self.scope.push_dynamic(name, value);
            }
        }
    }

    /// Of an unknown variable: perhaps one of the conversation's was meant.
    fn or_variable(&self, mut fault: Fault) -> Fault {
        if fault.code == "NoSuchVariable"
            && let Some(name) = fault.message.split('`').nth(1)
        {
            let names: Vec<String> = self
                .variables()
                .into_iter()
                .map(|(name, ..)| name)
                .collect();
            if let Some(near) = words::nearest(name, names.iter().map(String::as_str)) {
                fault.hints = vec![format!("did you mean `{near}`?")];
            }
        }
        fault
    }

    /// Keeps the last value under its name.
    pub(crate) fn remember(&mut self, value: &Dynamic) {
        self.scope.set_value(LAST, value.clone());
    }

    /// Every variable with its value, the newest last; constants are `true`. Not `args`, and not the last value.
    pub(crate) fn variables(&self) -> Vec<(String, bool, Dynamic)> {
        let all = self.scope.iter_raw();
        let mut all: Vec<_> = all
            .filter(|(name, ..)| *name != "args" && *name != LAST)
            .map(|(name, is_constant, value)| (name.to_owned(), is_constant, value.flatten_clone()))
            .collect();
        // The scope has the newest first.
        all.reverse();
        all
    }

    /// A variable's value, the last value's among them.
    pub(crate) fn variable(&self, name: &str) -> Option<Dynamic> {
        self.scope.get(name).map(Dynamic::flatten_clone)
    }

    /// The functions that were typed, without closures.
    pub(crate) fn functions(&self) -> Vec<Typed> {
        typed(&self.functions)
    }

    /// The imports by alias, each with its functions.
    pub(crate) fn imports(&self) -> Vec<(String, Vec<Typed>)> {
        let functions = |file: &str| self.files.file(file).map(|file| typed(&file.ast));
        self.imports
            .iter()
            .map(|(alias, file)| (alias.clone(), functions(file).unwrap_or_default()))
            .collect()
    }
}

fn typed(ast: &AST) -> Vec<Typed> {
    let named = ast
        .iter_functions()
        .filter(|function| !tree::is_closure(function.name));
    let mut all: Vec<Typed> = named
        .map(|function| Typed {
            name: function.name.to_owned(),
            params: function.params.iter().map(ToString::to_string).collect(),
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// Places in what was typed, as places in the conversation.
fn moved(mut faults: Vec<Fault>, lines: usize) -> Vec<Fault> {
    for fault in &mut faults {
        if let Some(Place { line, .. }) = &mut fault.place {
            *line += lines;
        }
    }
    faults
}
