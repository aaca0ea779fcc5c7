//! Where in the run we are: the lane of the current thread, by which recorded calls are found again.
//!
//! The main line is `""`; item *i* of the *k*-th parallel loop in lane L is `L/k.i`; a step is `L/name`.

use std::cell::{Cell, RefCell};

thread_local! {
    static LANE: RefCell<String> = const { RefCell::new(String::new()) };
    static LOOPS: Cell<u32> = const { Cell::new(0) };
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

/// Runs something in a lane of its own and comes back, also from a panic.
pub(crate) fn enter<T>(lane: String, run: impl FnOnce() -> T) -> T {
    struct Back(String, u32);
    impl Drop for Back {
        fn drop(&mut self) {
            LANE.set(std::mem::take(&mut self.0));
            LOOPS.set(self.1);
        }
    }
    let _back = Back(LANE.replace(lane), LOOPS.replace(0));
    run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_nest_and_count_their_own_loops() {
        enter(String::new(), || {
            assert_eq!(next_loop(), "/0");
            let inner = enter("/0.3".to_owned(), || (next_loop(), next_loop()));
            assert_eq!(inner, ("/0.3/0".to_owned(), "/0.3/1".to_owned()));
            assert_eq!(next_loop(), "/1");
        });
    }
}
