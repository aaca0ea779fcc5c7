//! Closures that scripts hand to the host's functions.

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use super::explain;
use super::failure::Raised;

/// A closure, ready to be called.
#[derive(Clone)]
pub(crate) struct Closure(FnPtr);

impl Closure {
    /// For functions that call it on the script's own thread: captured variables stay shared, so `total += x` works.
    pub(crate) fn new(function: FnPtr) -> Self {
        Self(function)
    }

    /// As [`Closure::new`], for a method. While it runs the engine holds its receiver locked; where the closure has captured the
    /// very variable (`s.filter(|x| s.len() > x)`), it gets the copy instead of a "data race".
    pub(crate) fn of_method(mut function: FnPtr, receiver: &Dynamic) -> Self {
        if function.iter_curry().any(Dynamic::is_locked) {
            let curry: Vec<_> = function
                .iter_curry()
                .map(|value| {
                    if value.is_locked() {
                        receiver.clone()
                    } else {
                        value.clone()
                    }
                })
                .collect();
            function.set_curry(curry);
        }
        Self(function)
    }

    /// A copy for another thread: it sees captured variables as they are now, and shares none with anybody.
    pub(crate) fn apart(&self) -> Self {
        let mut function = self.0.clone();
        let curry: Vec<_> = function.iter_curry().map(Dynamic::flatten_clone).collect();
        function.set_curry(curry);
        Self(function)
    }

    /// Calls it.
    ///
    /// # Errors
    /// Its own, or `WrongArguments` where it takes another number of values.
    pub(crate) fn call<const N: usize>(
        &self,
        ctx: &NativeCallContext,
        values: [Dynamic; N],
    ) -> Raised<Dynamic> {
        self.0
            .call_raw(ctx, None, values)
            .map(Dynamic::flatten)
            .map_err(|error| match &*error {
                EvalAltResult::ErrorFunctionNotFound(signature, _)
                    if signature.starts_with(self.0.fn_name()) =>
                {
                    explain::closure_arity(N).raise(ctx)
                }
                _ => error,
            })
    }

    /// Is it known to take this many values? Closures of other modules are not known.
    pub(crate) fn takes(&self, ctx: &NativeCallContext, values: usize) -> bool {
        let params = self.0.curry().len() + values;
        ctx.iter_namespaces()
            .any(|module| module.get_script_fn(self.0.fn_name(), params).is_some())
    }

    /// Is it not known to take another number of values?
    pub(crate) fn may_take(&self, ctx: &NativeCallContext, values: usize) -> bool {
        !self.0.is_anonymous()
            || self.takes(ctx, values)
            || !(0..=9).any(|other| self.takes(ctx, other))
    }

    /// Calls it for a yes or no.
    pub(crate) fn holds(&self, ctx: &NativeCallContext, value: Dynamic) -> Raised<bool> {
        let answer = self.call(ctx, [value])?;
        answer.as_bool().map_err(|_| {
            super::failure::Failure::new(
                "WrongType",
                format!(
                    "the closure must answer true or false; it gave {}",
                    super::words::article(super::words::kind(&answer))
                ),
            )
            .raise(ctx)
        })
    }
}
