//! The list of everything a script can call, and the way a function gets onto it.
//!
//! Functions are registered once per process, into modules that all engines share; they find their run's [`Host`] through the
//! call's context ([`Host::of`]). `check`, `runback doc` and the completion read [`Library::entries`].
//!
//! [`Host`]: super::host::Host
//! [`Host::of`]: super::host::Host::of

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use rhai::{Dynamic, FuncRegistration, Module, RhaiNativeFunc, Shared, Variant};

use super::failure::Failure;
use super::help::{Help, Reach};
use super::record::{self, Manner};
use super::words;

/// One function as scripts see it. Overloads are entries of their own.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// `exchange` in `exchange::units()`; empty for a global function.
    pub(crate) namespace: &'static str,
    /// Of what a method is: "session", "array". Methods are global functions with their receiver in front.
    pub(crate) receiver: Option<&'static str>,
    pub(crate) name: &'static str,
    /// `name: type`, without the receiver.
    pub(crate) params: Vec<String>,
    pub(crate) returns: String,
    /// Help for an administrator; empty where another overload carries it.
    pub(crate) doc: &'static str,
    /// Parameters in Rhai's count: with the receiver.
    pub(crate) arity: usize,
    /// What the function may do to the tenant, as its help says.
    pub(crate) reach: Reach,
}

impl Entry {
    /// Its help in parts; empty where another overload carries it.
    pub(crate) fn help(&self) -> Help {
        Help::read(self.doc)
    }

    /// `exchange::unit`, `session.activate`.
    pub(crate) fn full_name(&self) -> String {
        match (self.receiver, self.namespace) {
            (Some(receiver), _) => format!("{}.{}", receiver.replace(' ', "_"), self.name),
            (None, "") => self.name.to_owned(),
            (None, namespace) => format!("{namespace}::{}", self.name),
        }
    }

    /// `exchange::unit(who: user or address) -> unit`, `session.activate()`.
    pub(crate) fn signature(&self) -> String {
        let before = match (self.receiver, self.namespace) {
            (Some(receiver), _) => format!("{}.", receiver.replace(' ', "_")),
            (None, "") => String::new(),
            (None, namespace) => format!("{namespace}::"),
        };
        let returns = if self.returns.is_empty() {
            String::new()
        } else {
            format!(" -> {}", self.returns)
        };
        format!("{before}{}({}){returns}", self.name, self.params.join(", "))
    }
}

/// `value.name` without brackets, as the help shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property {
    pub(crate) receiver: &'static str,
    pub(crate) name: &'static str,
    pub(crate) returns: &'static str,
    pub(crate) doc: &'static str,
}

/// Modules in the making.
#[derive(Default)]
pub(crate) struct Library {
    globals: Module,
    namespaces: BTreeMap<&'static str, Module>,
    entries: Vec<Entry>,
    properties: Vec<Property>,
}

impl Library {
    /// Registers `namespace::name(…)`; an empty namespace makes it global.
    ///
    /// `params` are `name: type` for people; one that starts with `->` is the result. The closure takes its
    /// `NativeCallContext` first, if it needs one.
    pub(crate) fn function<
        A: 'static,
        const N: usize,
        const X: bool,
        R: Variant + Clone,
        const F: bool,
        FUNC,
    >(
        &mut self,
        namespace: &'static str,
        name: &'static str,
        params: &[&str],
        doc: &'static str,
        function: FUNC,
    ) where
        FUNC: RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    {
        let registration = FuncRegistration::new(name)
            .with_params_info(rhai_params(params, None))
            .with_comments(doc.lines().map(|line| format!("/// {line}")));
        let registration = if namespace.is_empty() {
            registration.in_global_namespace()
        } else {
            registration.in_internal_namespace()
        };
        let entry = self.entry::<R>(namespace, None, name, params, doc, N);
        let module = self.module(namespace);
        set(registration, module, &entry, function);
        self.entries.push(entry);
    }

    /// Registers `value.name(…)`. The closure takes the receiver as `&mut T` (after the context); `receiver` says in
    /// words what that is, for messages and help.
    pub(crate) fn method<
        A: 'static,
        const N: usize,
        const X: bool,
        R: Variant + Clone,
        const F: bool,
        FUNC,
    >(
        &mut self,
        receiver: &'static str,
        name: &'static str,
        params: &[&str],
        doc: &'static str,
        function: FUNC,
    ) where
        FUNC: RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    {
        let registration = FuncRegistration::new(name)
            .with_params_info(rhai_params(params, Some(receiver)))
            .with_comments(doc.lines().map(|line| format!("/// {line}")))
            .in_global_namespace();
        let entry = self.entry::<R>("", Some(receiver), name, params, doc, N);
        set(registration, &mut self.globals, &entry, function);
        self.entries.push(entry);
    }

    fn module(&mut self, namespace: &'static str) -> &mut Module {
        if namespace.is_empty() {
            &mut self.globals
        } else {
            self.namespaces.entry(namespace).or_default()
        }
    }

    /// Registers `value.name` without brackets, with its help.
    pub(crate) fn property<A: 'static, const X: bool, R: Variant + Clone, const F: bool, FUNC>(
        &mut self,
        receiver: &'static str,
        name: &'static str,
        returns: &'static str,
        doc: &'static str,
        function: FUNC,
    ) where
        FUNC: RhaiNativeFunc<A, 1, X, R, F> + Send + Sync + 'static,
    {
        self.getter(name, function);
        self.described(receiver, name, returns, doc);
    }

    /// Puts a property into the help that an object answers by itself, without a function here.
    pub(crate) fn described(
        &mut self,
        receiver: &'static str,
        name: &'static str,
        returns: &'static str,
        doc: &'static str,
    ) {
        self.properties.push(Property {
            receiver,
            name,
            returns,
            doc,
        });
    }

    /// Registers `value.name` without brackets and without help.
    pub(crate) fn getter<A: 'static, const X: bool, R: Variant + Clone, const F: bool, FUNC>(
        &mut self,
        name: &str,
        function: FUNC,
    ) where
        FUNC: RhaiNativeFunc<A, 1, X, R, F> + Send + Sync + 'static,
    {
        FuncRegistration::new_getter(name).set_into_module(&mut self.globals, function);
    }

    /// Registers something that is no function to people: an operator, an indexer, a conversion.
    pub(crate) fn hidden<
        A: 'static,
        const N: usize,
        const X: bool,
        R: Variant + Clone,
        const F: bool,
        FUNC,
    >(
        &mut self,
        registration: FuncRegistration,
        function: FUNC,
    ) where
        FUNC: RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    {
        registration
            .in_global_namespace()
            .set_into_module(&mut self.globals, function);
    }

    /// As [`Library::hidden`], for a function that asks the tenant: its value is kept.
    pub(crate) fn learning<
        A: 'static,
        const N: usize,
        const X: bool,
        R: Variant + Clone,
        const F: bool,
        FUNC,
    >(
        &mut self,
        name: &'static str,
        function: FUNC,
    ) where
        FUNC: RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    {
        let function = function.into_rhai_function(true, true);
        let function = record::recorded(name.to_owned(), Manner::Learns, true, function);
        FuncRegistration::new(name)
            .in_global_namespace()
            .set_into_module_raw(&mut self.globals, FUNC::param_types(), function);
    }

    /// Makes `for` work on a `T`. An error stands on the line of the `for` and can be caught there.
    pub(crate) fn iterable<T: Variant + Clone, I>(
        &mut self,
        iterate: impl Fn(T) -> I + Send + Sync + 'static,
    ) where
        I: Iterator<Item = Result<Dynamic, Failure>> + 'static,
    {
        self.globals
            .set_iter_result(TypeId::of::<T>(), move |value: Dynamic| {
                Box::new(iterate(value.cast::<T>()).map(|item| item.map_err(Failure::unplaced)))
            });
    }

    /// What `type_of` answers for a `T`, and what stands in the engine's own messages.
    pub(crate) fn type_name<T: Variant + Clone>(&mut self, name: &str) {
        self.globals.set_custom_type::<T>(name);
    }

    fn entry<R: Variant>(
        &self,
        namespace: &'static str,
        receiver: Option<&'static str>,
        name: &'static str,
        params: &[&str],
        doc: &'static str,
        arity: usize,
    ) -> Entry {
        let mut params: Vec<String> = params.iter().map(|param| (*param).to_owned()).collect();
        let returns = match params.last().and_then(|last| last.strip_prefix("->")) {
            Some(returns) => returns.trim().to_owned(),
            None if TypeId::of::<R>() == TypeId::of::<()>() => String::new(),
            None => words::type_words(std::any::type_name::<R>()).to_owned(),
        };
        params.retain(|param| !param.starts_with("->"));
        // An overload without help of its own does what its name does.
        let same = |entry: &&Entry| {
            entry.namespace == namespace && entry.receiver == receiver && entry.name == name
        };
        let reach = Help::read(doc)
            .reach
            .or_else(|| self.entries.iter().find(same).map(|entry| entry.reach))
            .unwrap_or(Reach::Nothing);
        Entry {
            namespace,
            receiver,
            name,
            params,
            returns,
            doc,
            arity,
            reach,
        }
    }
}

/// Puts a function into its module, through the record where it learns or changes something.
fn set<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool, FUNC>(
    registration: FuncRegistration,
    module: &mut Module,
    entry: &Entry,
    function: FUNC,
) where
    FUNC: RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
{
    let manner = Manner::of(
        entry.namespace,
        entry.receiver,
        entry.name,
        entry.reach,
        &entry.returns,
    );
    let mut function = function.into_rhai_function(true, true);
    if manner != Manner::Plain {
        function = record::recorded(
            entry.full_name(),
            manner,
            entry.reach == Reach::Read,
            function,
        );
    }
    registration.set_into_module_raw(module, FUNC::param_types(), function);
}

/// Rhai wants the receiver among the parameters and the result last.
fn rhai_params(params: &[&str], receiver: Option<&str>) -> Vec<String> {
    let mut all: Vec<String> = receiver
        .iter()
        .map(|receiver| format!("this: {receiver}"))
        .collect();
    all.extend(
        params
            .iter()
            .map(|param| param.trim_start_matches("->").trim().to_owned()),
    );
    if !params.last().is_some_and(|last| last.starts_with("->")) {
        all.push("()".to_owned());
    }
    all
}

/// The finished library of this process.
pub(crate) struct Shelves {
    pub(crate) globals: Shared<Module>,
    pub(crate) namespaces: BTreeMap<&'static str, Shared<Module>>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) properties: Vec<Property>,
}

static SHELVES: LazyLock<Shelves> = LazyLock::new(|| {
    let mut library = Library::default();
    super::api::register(&mut library);
    let namespaces = library.namespaces.into_iter().map(|(name, mut module)| {
        module.set_id(name);
        module.build_index();
        (name, Arc::new(module))
    });
    let mut globals = library.globals;
    globals.build_index();
    Shelves {
        namespaces: namespaces.collect(),
        globals: Arc::new(globals),
        entries: library.entries,
        properties: library.properties,
    }
});

/// Everything that is registered, built at the first call.
pub(crate) fn shelves() -> &'static Shelves {
    &SHELVES
}

impl Shelves {
    pub(crate) fn is_namespace(&self, name: &str) -> bool {
        self.namespaces.contains_key(name)
    }

    /// All overloads of a name, global functions and methods together.
    pub(crate) fn global(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.namespace.is_empty() && entry.name == name)
    }

    /// All functions of a namespace.
    pub(crate) fn namespace(&self, namespace: &str) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.namespace == namespace)
    }
}
