//! A token for a workload identity: what a cluster says of a pod is exchanged for what Entra says of an application.

use std::path::PathBuf;

use azure_identity::{
    ClientAssertionCredentialOptions, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use super::Fetched;
use super::azure::Authority;
use super::denial::Denial;
use super::way::Desk;
use crate::graph::GraphError;

/// A token of a cluster has a few kilobytes.
const MOST: u64 = 1 << 20;

pub(super) struct WorkloadWay {
    pub(super) authority: Authority,
    pub(super) client_id: String,
    pub(super) file: PathBuf,
}

impl WorkloadWay {
    /// # Errors
    /// [`GraphError::Setup`] where the token file is not there now. It is read anew for each token: the cluster replaces it.
    pub(super) fn new(
        authority: Authority,
        client_id: String,
        file: PathBuf,
    ) -> Result<Self, GraphError> {
        let way = Self {
            authority,
            client_id,
            file,
        };
        match way.check() {
            Ok(()) => Ok(way),
            Err(denial) => Err(GraphError::Setup {
                message: denial.message,
                hint: denial.hint,
            }),
        }
    }

    fn check(&self) -> Result<(), Denial> {
        let wrong = |cause: &str| {
            let message = format!(
                "the federated token file `{}` cannot be used: {cause}",
                self.file.display()
            );
            Denial::lasting(message).hint(
                "AZURE_FEDERATED_TOKEN_FILE names the file that the cluster writes the pod's token to; is the pod's \
                 service account set up for workload identity?",
            )
        };
        match std::fs::metadata(&self.file) {
            Err(error) => Err(wrong(&error.to_string())),
            Ok(found) if found.is_dir() => Err(wrong("it is a folder")),
            Ok(found) if found.is_file() && found.len() == 0 => Err(wrong("it is empty")),
            Ok(found) if found.len() > MOST => Err(wrong("it is larger than 1 MiB")),
            Ok(_) => std::fs::File::open(&self.file)
                .map(drop)
                .map_err(|error| wrong(&error.to_string())),
        }
    }

    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        self.check()?;
        let wire = self.authority.wire(desk)?;
        let credential = WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
            credential_options: ClientAssertionCredentialOptions {
                client_options: self.authority.options(wire.clone()),
            },
            client_id: Some(self.client_id.clone()),
            tenant_id: Some(self.authority.tenant.clone()),
            token_file_path: Some(self.file.clone()),
        }));
        self.authority.ask(credential, &wire, desk).await
    }
}
