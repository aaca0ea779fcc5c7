//! Where in the run we are: the lane of the current thread, by which recorded calls are found again.
//!
//! The main line is `""`; item *i* of the *k*-th parallel loop in lane L is `L/k.i`; a step is `L/name`.

use std::cell::{Cell, RefCell};

thread_local! {
    static LANE: RefCell<String> = const { RefCell::new(String::new()) };
    static LOOPS: Cell<u32> = const { Cell::new(0) };
    static CALLS: Cell<u32> = const { Cell::new(0) };
    static TOUCHED: Cell<bool> = const { Cell::new(false) };
}

/// The lane of this thread.
pub(crate) fn current() -> String {
    LANE.with_borrow(Clone::clone)
}

/// The name of the next parallel loop in this lane, `L/k`; the first is 0.
pub(crate) fn next_loop() -> String {
    let number = LOOPS.replace(LOOPS.get() + 1);
    format!("{}/{number}", current())
}

/// The number of the call that begins now in this lane; the first is 1.
pub(crate) fn next_call() -> u32 {
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}

/// How many calls this lane has seen.
pub(crate) fn calls() -> u32 {
    CALLS.get()
}

/// Something was done in this lane that its value does not show: a change of the tenant, a file, a line in the books.
pub(crate) fn touch() {
    TOUCHED.set(true);
}

/// Tells whether something touched the lane of this thread.
pub(crate) fn watch<T>(run: impl FnOnce() -> T) -> (T, bool) {
    let before = TOUCHED.replace(false);
    let value = run();
    (value, TOUCHED.replace(before))
}

/// Runs something in a lane of its own and comes back, also from a panic. Tells too whether the lane was touched.
pub(crate) fn enter<T>(lane: String, run: impl FnOnce() -> T) -> (T, bool) {
    struct Back(String, u32, u32, bool);
    impl Drop for Back {
        fn drop(&mut self) {
            LANE.set(std::mem::take(&mut self.0));
            LOOPS.set(self.1);
            CALLS.set(self.2);
            // What touches a lane touches those that it lies in.
            TOUCHED.set(self.3 || TOUCHED.get());
        }
    }
    let _back = Back(
        LANE.replace(lane),
        LOOPS.replace(0),
        CALLS.replace(0),
        TOUCHED.replace(false),
    );
    let value = run();
    (value, TOUCHED.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_nest_and_count_their_own_loops() {
        enter(String::new(), || {
            assert_eq!(next_loop(), "/0");
            let (inner, touched) = enter("/0.3".to_owned(), || (next_loop(), next_loop()));
            assert!(!touched);
            assert_eq!(inner, ("/0.3/0".to_owned(), "/0.3/1".to_owned()));
            assert_eq!(next_loop(), "/1");
        });
    }
}
