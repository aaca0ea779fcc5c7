//! A list inside one of Graph's objects: it can be read, not changed, because changing it would change nothing in the tenant.

use std::sync::Arc;

use rhai::{Array, Dynamic};

/// Read-only. `collect()` gives an array of the script's own.
#[derive(Clone, Debug)]
pub(crate) struct List(Arc<Array>);

impl List {
    pub(crate) fn new(items: Array) -> Self {
        Self(Arc::new(items))
    }

    pub(crate) fn items(&self) -> &[Dynamic] {
        &self.0
    }

    pub(crate) fn to_array(&self) -> Array {
        self.0.to_vec()
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = Dynamic> {
        (0..self.0.len()).map(move |index| self.0[index].clone())
    }
}
