//! A token of the machine's own identity: on a virtual machine from its metadata address, in App Service and Functions
//! from the address that the platform names.

use std::sync::Arc;

use azure_core::credentials::TokenCredential as _;
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use serde_json::Value;
use url::Url;

use super::Fetched;
use super::azure;
use super::denial::Denial;
use super::way::Desk;
use super::wire::{Heard, METADATA, Wire};
use crate::graph::words;
use crate::world::World;

const ELSEWHERE: &str = "managed identities are there on Azure machines only; elsewhere use `--auth secret`, `certificate` or \
                         `device-code`";

pub(super) struct ManagedWay {
    /// A user-assigned identity; `None` is the one that belongs to the machine alone.
    client_id: Option<String>,
    source: Source,
}

/// Who is asked.
#[derive(Debug, PartialEq)]
enum Source {
    /// App Service and Functions: `IDENTITY_ENDPOINT`.
    Platform(Url),
    /// A virtual machine's metadata address, or what stands for it.
    Metadata(Url),
}

impl Source {
    /// Chooses as `azure_identity` does, which looks at the same variables by itself.
    ///
    /// # Errors
    /// The name of a kind of machine that the library cannot ask, or what is wrong with an address.
    fn find(world: &World) -> Result<Self, String> {
        let is_set = |name: &str| world.variable(name).is_some();
        let address = |name: &str, text: &str| {
            Url::parse(text)
                .ok()
                .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
                .ok_or_else(|| format!("{name} is `{text}`, which is no http address"))
        };
        let unsupported =
            |kind: &str| Err(format!("the managed identity of {kind} cannot be used"));
        if let Some(endpoint) = world.variable("IDENTITY_ENDPOINT") {
            if is_set("IDENTITY_HEADER") {
                if is_set("IDENTITY_SERVER_THUMBPRINT") {
                    return unsupported("Service Fabric");
                }
                return address("IDENTITY_ENDPOINT", &endpoint).map(Self::Platform);
            }
            if is_set("IMDS_ENDPOINT") {
                return unsupported("Azure Arc");
            }
        } else if is_set("MSI_ENDPOINT") {
            return unsupported(if is_set("MSI_SECRET") {
                "Azure ML"
            } else {
                "Cloud Shell"
            });
        }
        // As in the Azure libraries of other languages; tests stand there.
        match world.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST") {
            Some(text) => address("AZURE_POD_IDENTITY_AUTHORITY_HOST", &text).map(Self::Metadata),
            None => Ok(Self::Metadata(
                Url::parse(METADATA).expect("a constant that is an address"),
            )),
        }
    }

    fn address(&self) -> &Url {
        match self {
            Self::Platform(url) | Self::Metadata(url) => url,
        }
    }
}

impl ManagedWay {
    /// # Errors
    /// Why this machine's identity cannot be asked for, whatever the machine answers.
    pub(super) fn new(client_id: Option<String>, world: &World) -> Result<Self, String> {
        Ok(Self {
            client_id,
            source: Source::find(world)?,
        })
    }

    /// The platform says that there is an identity; a metadata address has to be tried.
    pub(super) fn is_certain(&self) -> bool {
        matches!(self.source, Source::Platform(_))
    }

    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        let address = self.source.address();
        let mut wire = Wire::new(desk.transport.metadata_client()?, desk.transport.limits());
        if let Source::Metadata(url) = &self.source {
            wire = wire.with_metadata_at(url.clone());
        }
        let wire = Arc::new(wire);
        let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: self.client_id.clone().map(UserAssignedId::ClientId),
            client_options: azure::options(wire.clone()),
        }));
        let token = async { credential?.get_token(&[&desk.scope], None).await };
        match token.await {
            Ok(token) => azure::fetched(&token),
            Err(error) => Err(self
                .denial(wire.heard().as_ref(), address)
                .unwrap_or_else(|| {
                    wire.denial(
                        address.as_str().trim_end_matches('/'),
                        &azure::deepest(&error),
                    )
                })),
        }
    }

    /// What is known of these answers beyond what they say; `None` for all others.
    ///
    /// Source: Entra docs, "How to use managed identities for Azure resources on an Azure VM to acquire an access token".
    fn denial(&self, heard: Option<&Heard>, address: &Url) -> Option<Denial> {
        let place = address.as_str().trim_end_matches('/');
        match heard? {
            Heard::Nothing { cause, unconnected } if *unconnected && !self.is_certain() => Some(
                Denial::absent(format!("no metadata service at `{place}`: {cause}"))
                    .hint(ELSEWHERE),
            ),
            Heard::Answer { status, body } if matches!(status, 400..500) => {
                let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
                let text = |name: &str| json.get(name).and_then(Value::as_str);
                let said = text("error_description").or_else(|| text("message"));
                let said = said.unwrap_or_default();
                let said = said.to_ascii_lowercase();
                // The metadata address in the first words, App Service in the second.
                if said.contains("identity not found") || said.contains("identity found for") {
                    return Some(self.unassigned());
                }
                // While it is being updated, and under load.
                if matches!(status, 404 | 410 | 429) && (text("error").is_some() || *status != 404)
                {
                    return Some(Denial::passing(format!(
                        "the metadata service at `{place}` is busy (HTTP status {status})"
                    )));
                }
                // Other clouds have something else at the same address.
                if json.is_null() && !self.is_certain() {
                    let page = words::tidy(&String::from_utf8_lossy(body), 80);
                    return Some(
                        Denial::absent(format!(
                            "what answers at `{place}` is not Azure's (HTTP status {status} {page})"
                        ))
                        .hint(ELSEWHERE),
                    );
                }
                None
            }
            _ => None,
        }
    }

    fn unassigned(&self) -> Denial {
        let (message, hint) = match &self.client_id {
            Some(id) => (
                format!(
                    "the managed identity with the client id `{id}` is not assigned to this machine"
                ),
                "assign it under \"Identity\" of the machine, check `--client-id` or AZURE_CLIENT_ID, or leave both out for \
                 the machine's own identity",
            ),
            None => (
                "no managed identity is assigned to this machine".to_owned(),
                "switch it on under \"Identity\" of the machine; a user-assigned one is named by `--client-id`",
            ),
        };
        if self.is_certain() {
            Denial::lasting(message).hint(hint)
        } else {
            Denial::absent(message).hint(hint)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::auth::denial::Nature;

    fn world(variables: &'static [(&str, &str)]) -> World {
        let mut world = World::real();
        world.environment = Arc::new(move |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        world
    }

    #[test]
    fn the_variables_say_which_kind_of_machine_this_is() {
        let rows: &[(&'static [(&str, &str)], &str)] = &[
            (&[], "Ok(Metadata"),
            (
                &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")],
                "Ok(Metadata",
            ),
            (
                &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "127.0.0.1")],
                "AUTHORITY_HOST is `127.0.0.1`",
            ),
            (
                &[("IDENTITY_ENDPOINT", "http://x/"), ("IDENTITY_HEADER", "h")],
                "Ok(Platform",
            ),
            (
                &[("IDENTITY_ENDPOINT", "x"), ("IDENTITY_HEADER", "h")],
                "no http address",
            ),
            (
                &[("IDENTITY_ENDPOINT", "http://x/"), ("IMDS_ENDPOINT", "h")],
                "Azure Arc",
            ),
            (&[("MSI_ENDPOINT", "http://x/")], "Cloud Shell"),
        ];
        for (variables, expected) in rows {
            let found = format!("{:?}", Source::find(&world(variables)));
            assert!(found.contains(expected), "{variables:?}: {found}");
        }
    }

    #[test]
    fn each_answer_of_a_metadata_address_has_its_meaning() {
        let way = ManagedWay::new(None, &world(&[])).unwrap();
        let address = Url::parse(METADATA).unwrap();
        let identity_not_found =
            r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        let rows = [
            (400, identity_not_found, Some(Nature::Absent)),
            (
                400,
                r#"{"error":"invalid_resource","error_description":"AADSTS500011: no"}"#,
                None,
            ),
            (404, "<html>404 - Not Found</html>", Some(Nature::Absent)),
            (401, "", Some(Nature::Absent)),
            (404, r#"{"error":"busy"}"#, Some(Nature::Passing)),
            (410, "", Some(Nature::Passing)),
            (429, "", Some(Nature::Passing)),
            (500, "", None),
        ];
        for (status, body, expected) in rows {
            let heard = Heard::Answer {
                status,
                body: body.into(),
            };
            let denial = way.denial(Some(&heard), &address);
            assert_eq!(
                denial.map(|denial| denial.nature),
                expected,
                "{status} {body}"
            );
        }
        for (unconnected, expected) in [(true, Some(Nature::Absent)), (false, None)] {
            let heard = Heard::Nothing {
                cause: "x".to_owned(),
                unconnected,
            };
            let denial = way.denial(Some(&heard), &address);
            assert_eq!(denial.map(|denial| denial.nature), expected);
        }
    }
}
