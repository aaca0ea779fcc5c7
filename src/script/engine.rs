//! The engine that runs one script, hardened: what DESIGN calls "the script is not trusted with the host".

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLockWriteGuard};

use rhai::packages::{Package as _, StandardPackage};
use rhai::{
    Dynamic, Engine, ImmutableString, Locked, Map, Module, OptimizationLevel, Scope, Shared, Token,
};

use super::arguments::Args;
use super::explain;
use super::host::Host;
use super::library::shelves;
use super::values::{List, Object, Stream};

/// Calls inside calls; a recursion through folders stays well below.
const CALL_DEPTH: usize = 100;
const EXPRESSION_DEPTH: usize = 128;

/// The stack of a script's main thread, and of each worker of `parallel`: [`CALL_DEPTH`] calls fit, in debug builds too.
/// Not larger, because private mappings count towards the memory limit of the process.
pub(crate) const STACK: usize = 32 << 20;
pub(crate) const WORKER_STACK: usize = 8 << 20;

/// Rhai's own functions, loaded once: an engine per run then costs next to nothing (0.2 µs, against 500 µs for `Engine::new`).
static STANDARD: LazyLock<Shared<Module>> =
    LazyLock::new(|| StandardPackage::new().as_shared_module());

/// An engine that parses and knows all functions, but cannot call those that need a host.
pub(crate) fn parser() -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(STANDARD.clone());
    let shelves = shelves();
    engine.register_global_module(shelves.globals.clone());
    for (name, module) in &shelves.namespaces {
        engine.register_static_module(name, module.clone());
    }

    engine.set_strict_variables(true);
    // `Full` would call host functions while compiling, and `Simple` folds `"7" > 5` to a silent `false`.
    engine.set_optimization_level(OptimizationLevel::None);
    // Without this the engine compares text with numbers itself (silently false) and never asks our operators.
    // Measured in release, best of three on a busy machine: an empty counting loop of 3,000,000 rounds takes 1.5 s instead of
    // 0.8 s; where a host function is called, the difference drowns.
    engine.set_fast_operators(false);
    engine.set_max_call_levels(CALL_DEPTH);
    engine.set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
    // No `set_max_array_size` and its like: any one of them makes every `push` measure the whole array (quadratic).
    engine.disable_symbol("eval");
    names_behind_a_namespace(&mut engine);
    engine
}

/// `debug` is a word of the language, and `log::debug` a function of ours: behind `::` it is a name like any other.
fn names_behind_a_namespace(engine: &mut Engine) {
    thread_local! {
        // A file is read to its end on one thread.
        static BEHIND: Cell<bool> = const { Cell::new(false) };
    }
    #[allow(deprecated)] // "volatile", not going away, as `on_var`
    engine.on_parse_token(|token, _, _| {
        let behind = BEHIND.replace(token == Token::DoubleColon);
        match token {
            Token::Reserved(word) if behind && *word == "debug" => Token::Identifier(word),
            token => token,
        }
    });
}

/// Names of variables that are looked at while a script runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// What `catch (…)` gives to errors: the engine's own arrive as maps in its own words.
    pub(crate) caught: Vec<String>,
    /// Captured by a closure, and never assigned to.
    pub(crate) captured: Vec<String>,
}

/// What functions see as `global::NAME`, kept from one statement of a conversation to the next.
pub(crate) type Constants = Shared<Locked<BTreeMap<ImmutableString, Dynamic>>>;

pub(crate) fn locked(
    constants: &Constants,
) -> RwLockWriteGuard<'_, BTreeMap<ImmutableString, Dynamic>> {
    constants.write().unwrap_or_else(PoisonError::into_inner)
}

/// The engine of one run.
pub(crate) fn build(host: &Arc<Host>, names: Names) -> Engine {
    let mut engine = parser();
    engine.set_default_tag(Dynamic::from(host.clone()));

    let output = host.output.clone();
    engine.on_print(move |text| output.print(text));
    let output = host.output.clone();
    engine.on_debug(move |text, source, position| {
        let file = source.unwrap_or_default();
        match position.line() {
            Some(line) => output.debug(&format!("{file}:{line}: {text}")),
            None => output.debug(text),
        }
    });

    let stop = host.stop.clone();
    // Array functions can catch a termination; the flag stays set, so the next operation ends the script again.
    engine.on_progress(move |_| stop.is_set().then_some(Dynamic::UNIT));
    look_at(&mut engine, &host.args, names, None);
    engine
}

/// Answers `args`, and looks at the variables of these names, from now on. Whoever reads `args` first brings `constants` into
/// the evaluation: the engine itself forgets `global::NAME` with each.
pub(crate) fn look_at(
    engine: &mut Engine,
    args: &Args,
    names: Names,
    constants: Option<&Constants>,
) {
    let args = Dynamic::from(args.clone());
    let constants = constants.cloned();
    #[allow(deprecated)]
    // "volatile", not going away: the only way to make `args` visible inside functions
    engine.on_var(move |name, _, mut context| {
        if name == "args" {
            if let Some(constants) = &constants {
                let global = context.global_runtime_state_mut();
                global.constants.get_or_insert_with(|| constants.clone());
            }
            return Ok(Some(args.clone()));
        }
        let is_one_of = |names: &[String]| names.iter().any(|known| known == name);
        if is_one_of(&names.caught) {
            let map = context
                .scope()
                .get(name)
                .and_then(Dynamic::read_lock::<Map>);
            return Ok(map.and_then(|map| explain::caught(&map)).map(Dynamic::from));
        }
        if is_one_of(&names.captured) {
            // `s.filter(|x| s.len() > x)`: the engine would lock `s` for the call and then find it locked in the closure.
            return Ok(context
                .scope()
                .get(name)
                .filter(|value| value.is_shared() && is_handle(value))
                .map(Dynamic::flatten_clone));
        }
        Ok(None)
    });
}

/// A copy of it is as good as the thing itself.
fn is_handle(value: &Dynamic) -> bool {
    value.is::<Stream>() || value.is::<List>() || value.is::<Object>()
}

/// The scope every script starts with: `args`, so that strict variables know the name.
pub(crate) fn scope(args: &Args) -> Scope<'static> {
    let mut scope = Scope::new();
    scope.push_constant_dynamic("args", Dynamic::from(args.clone()));
    scope
}
