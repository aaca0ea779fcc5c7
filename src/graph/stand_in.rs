//! Something that answers in the service's place, so that what would change can be seen before anything does.

use uuid::Uuid;

use jiff::Timestamp;

use super::{Call, CallName, GraphError, Json, ServiceError};

/// Answers every change, and the reads that are about what it has made itself. All else goes to the service.
pub(crate) trait StandIn: Send + Sync {
    /// The answer to a change, which does not reach the service; `now` is the hour there.
    ///
    /// # Errors
    /// What the service would have refused, and what cannot be answered without it.
    fn change(&self, call: &Call, now: Timestamp) -> Result<Json, GraphError>;

    /// The answer to a read; `None`: the service knows it.
    fn read(&self, call: &Call) -> Option<Result<Json, GraphError>>;

    /// A page of the service's list as it would be after the changes. `is_last`: no page follows.
    fn page(&self, call: &Call, page: Vec<Json>, is_last: bool) -> Vec<Json>;

    /// A restore point that a change may name by its id.
    fn learn(&self, point: &Json);
}

impl Call {
    /// The service's "no", said in its place.
    pub(crate) fn refused(
        &self,
        status: u16,
        code: &str,
        message: impl Into<String>,
    ) -> GraphError {
        GraphError::Refused {
            call: self.name(),
            error: ServiceError {
                status,
                code: code.to_owned(),
                message: message.into(),
                details: "".into(),
                request_id: Uuid::nil().to_string(),
            },
        }
    }

    /// Its path without the query.
    pub(crate) fn plain_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    fn name(&self) -> CallName {
        CallName {
            operation: self.operation,
            method: self.method.to_string(),
            path: self.plain_path().to_owned(),
            client_request_id: Uuid::nil().to_string(),
        }
    }
}
