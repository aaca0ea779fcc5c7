//! After a lost answer to the creation of a browse session: it is made again, and the one left behind expires.

use std::sync::Arc;

use async_trait::async_trait;

use crate::backup::Service;
use crate::changes::{Look, Lost, Verdict};
use crate::graph::GraphError;

pub(super) struct Expiring {
    pub(super) service: Arc<Service>,
}

#[async_trait]
impl Look for Expiring {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        self.service
            .talk
            .note("a browse session may have been left behind; it expires by itself");
        Ok(Verdict::Again(lost.call.clone()))
    }

    fn inert(&self) -> bool {
        true
    }
}
