//! What can be read of the service itself: its state, the protection policies, the apps that control it.

use super::workload::ROOT;
use super::{BackupError, Service};
use crate::graph::{Call, GraphError, Json, Version};

impl Service {
    /// `serviceStatus` of the service's root.
    pub(crate) async fn service_status(
        &self,
        version: Option<Version>,
    ) -> Result<Json, BackupError> {
        let call = Call::get("get service status", ROOT).version(version);
        let root = self.client.read(call).await?.json();
        let status = root.property("serviceStatus");
        Ok(status.filter(|status| !status.is_null()).unwrap_or(root))
    }

    /// All protection policies, of every workload.
    pub(crate) async fn policies(&self, version: Option<Version>) -> Result<Vec<Json>, GraphError> {
        self.all("list policies", "protectionPolicies", version)
            .await
    }

    /// One protection policy by its id.
    pub(crate) async fn policy(
        &self,
        id: &str,
        version: Option<Version>,
    ) -> Result<Json, GraphError> {
        let path = format!("{ROOT}/protectionPolicies/{}", super::encoded(id));
        let call = Call::get("get policy", path).version(version);
        Ok(self.client.read(call).await?.json())
    }

    /// The apps that are registered to control the service.
    pub(crate) async fn service_apps(
        &self,
        version: Option<Version>,
    ) -> Result<Vec<Json>, GraphError> {
        self.all("list service apps", "serviceApps", version).await
    }

    async fn all(
        &self,
        operation: &'static str,
        collection: &str,
        version: Option<Version>,
    ) -> Result<Vec<Json>, GraphError> {
        let call = Call::get(operation, format!("{ROOT}/{collection}")).version(version);
        self.client.pages(call).collect().await
    }
}
