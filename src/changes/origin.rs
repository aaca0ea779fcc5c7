//! Which line of the script is being carried out on this thread: changes are written down with it, and found again by it.

use std::cell::RefCell;

/// A call of the script: the lane it runs in, and its number there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// `""` is the main line; item *i* of the *k*-th parallel loop in lane L is `L/k.i`, a step `L/name`.
    pub(crate) lane: String,
    /// The first call of a lane is 1; 0 stands for no call at all, as when the books are closed.
    pub(crate) number: u32,
    /// `restore.rhai:12`.
    pub(crate) place: Option<String>,
}

impl Origin {
    /// Its name among all calls of the run.
    pub(crate) fn mark(&self) -> String {
        format!("{}#{}", self.lane, self.number)
    }
}

thread_local! {
    static ORIGIN: RefCell<Origin> = RefCell::default();
}

/// The call that this thread carries out. A future that is polled by `block_on` sees its caller's, a spawned one nobody's.
pub(crate) fn current() -> Origin {
    ORIGIN.with_borrow(Clone::clone)
}

/// Carries out a call, and comes back to the one around it, also from a panic.
pub(crate) fn within<T>(origin: Origin, run: impl FnOnce() -> T) -> T {
    struct Back(Origin);
    impl Drop for Back {
        fn drop(&mut self) {
            ORIGIN.set(std::mem::take(&mut self.0));
        }
    }
    let _back = Back(ORIGIN.replace(origin));
    run()
}
