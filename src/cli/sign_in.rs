//! Which credential to use: from flags and variables to one way of signing in.

use secrecy::SecretString;

use super::flags::{Method, TenantFlags};
use crate::error::{Exit, Fault};
use crate::graph::SignIn;
use crate::world::World;

const AUTHORITY: &str = "https://login.microsoftonline.com";

/// Chooses how to sign in. With nothing to sign in with, that is an error only for who talks to the tenant.
///
/// # Errors
/// Exit 2: a method that is not built yet, or one whose variables are missing.
pub(super) fn choose(flags: &TenantFlags, world: &World) -> Result<SignIn, Fault> {
    let secret = Parts::find(flags, world);
    let token = || {
        world
            .variable("RUNBACK_ACCESS_TOKEN")
            .map(|token| SignIn::Token(SecretString::from(token)))
    };
    match flags.auth {
        Method::Auto => Ok(secret.complete().ok().or_else(token).unwrap_or(SignIn::Nothing)),
        Method::Secret => secret.complete().map_err(|missing| {
            Fault::new(Exit::Unstarted, "NoCredential", format!("`--auth secret` needs {}", missing.join(", ")))
                .hint("set the variables, or give `--tenant` and `--client-id`; the secret is only taken from its variable")
        }),
        Method::Token => token().ok_or_else(|| {
            Fault::new(Exit::Unstarted, "NoCredential", "`--auth token` needs RUNBACK_ACCESS_TOKEN")
                .hint("set it to an access token for Microsoft Graph")
        }),
        Method::Certificate | Method::ManagedIdentity | Method::WorkloadIdentity | Method::Cli | Method::DeviceCode => {
            let name = clap::ValueEnum::to_possible_value(&flags.auth).map(|value| value.get_name().to_owned());
            let message = format!("`--auth {}` is not built yet", name.unwrap_or_default());
            Err(Fault::new(Exit::Unstarted, "NotBuilt", message).hint("use `--auth secret` or `--auth token`"))
        }
    }
}

/// The three parts of a client secret, as far as they are there.
struct Parts {
    authority: String,
    tenant: Option<String>,
    client_id: Option<String>,
    secret: Option<SecretString>,
}

impl Parts {
    fn find(flags: &TenantFlags, world: &World) -> Self {
        Self {
            authority: world
                .variable("AZURE_AUTHORITY_HOST")
                .map_or_else(|| AUTHORITY.to_owned(), with_scheme),
            tenant: flags.tenant.clone(),
            client_id: flags.client_id.clone(),
            secret: world
                .variable("AZURE_CLIENT_SECRET")
                .map(SecretString::from),
        }
    }

    /// All three, or the names of those that are missing.
    fn complete(self) -> Result<SignIn, Vec<&'static str>> {
        let missing: Vec<&str> = [
            ("AZURE_TENANT_ID", self.tenant.is_none()),
            ("AZURE_CLIENT_ID", self.client_id.is_none()),
            ("AZURE_CLIENT_SECRET", self.secret.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, is_missing)| is_missing.then_some(name))
        .collect();
        match (self.tenant, self.client_id, self.secret) {
            (Some(tenant), Some(client_id), Some(secret)) => Ok(SignIn::Secret {
                authority: self.authority,
                tenant,
                client_id,
                secret,
            }),
            _ => Err(missing),
        }
    }
}

/// Azure's tools also write the authority without its scheme.
fn with_scheme(host: String) -> String {
    if host.contains("://") {
        host
    } else {
        format!("https://{host}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cli::flags::Api;

    fn choice(auth: Method, variables: &'static [(&str, &str)]) -> Result<SignIn, Fault> {
        let mut world = World::real();
        world.environment = Arc::new(move |name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        });
        // clap reads these two; here the test does.
        let (tenant, client_id) = (
            world.variable("AZURE_TENANT_ID"),
            world.variable("AZURE_CLIENT_ID"),
        );
        let flags = TenantFlags {
            graph_url: None,
            auth,
            tenant,
            client_id,
            api: Api::V1,
            ca_file: None,
        };
        choose(&flags, &world)
    }

    const SECRET: &[(&str, &str)] = &[
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "s"),
        ("AZURE_AUTHORITY_HOST", "login.microsoftonline.us"),
        ("RUNBACK_ACCESS_TOKEN", "x"),
    ];
    const TOKEN: &[(&str, &str)] = &[("AZURE_TENANT_ID", "t"), ("RUNBACK_ACCESS_TOKEN", "x")];

    #[test]
    fn auto_takes_the_secret_then_the_token_then_nothing() {
        let Ok(SignIn::Secret {
            authority, tenant, ..
        }) = choice(Method::Auto, SECRET)
        else {
            panic!()
        };
        assert_eq!(
            (authority.as_str(), tenant.as_str()),
            ("https://login.microsoftonline.us", "t")
        );
        assert!(matches!(choice(Method::Auto, TOKEN), Ok(SignIn::Token(_))));
        assert!(matches!(
            choice(Method::Token, SECRET),
            Ok(SignIn::Token(_))
        ));
        assert!(matches!(choice(Method::Auto, &[]), Ok(SignIn::Nothing)));
    }

    #[test]
    fn what_is_missing_or_not_built_is_said_by_name() {
        let Err(fault) = choice(Method::Secret, TOKEN) else {
            panic!()
        };
        assert_eq!(
            fault.message,
            "`--auth secret` needs AZURE_CLIENT_ID, AZURE_CLIENT_SECRET"
        );
        let Err(fault) = choice(Method::ManagedIdentity, SECRET) else {
            panic!()
        };
        assert_eq!(
            (fault.exit, fault.message.as_str()),
            (
                Exit::Unstarted,
                "`--auth managed-identity` is not built yet"
            )
        );
        assert!(choice(Method::Token, &[]).is_err());
    }
}
