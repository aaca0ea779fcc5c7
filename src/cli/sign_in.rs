//! Which credential to use: from flags and variables to one way of signing in, or to several in an order.

use std::path::PathBuf;

use secrecy::SecretString;

use super::flags::{Method, TenantFlags};
use crate::error::{Exit, Fault};
use crate::graph::{Candidate, SignIn, SignInMethod};
use crate::world::World;

const AUTHORITY: &str = "https://login.microsoftonline.com";
/// Any work or school account.
const ANY_TENANT: &str = "organizations";

/// What a person is asked to consent to: finding people, groups and sites, reading what is protected, and restoring it.
/// All at once, since nobody can be asked again in the middle of a restore.
///
/// Source: the permission tables of the operations' pages in Graph's documentation.
const DELEGATED: [&str; 7] = [
    "BackupRestore-Control.Read.All",
    "BackupRestore-Configuration.Read.All",
    "BackupRestore-Search.Read.All",
    "BackupRestore-Restore.ReadWrite.All",
    "User.Read.All",
    "GroupMember.Read.All",
    "Sites.Read.All",
];

/// Chooses how to sign in. With nothing to sign in with, that is an error only for who talks to the tenant.
///
/// # Errors
/// Exit 2: a method whose variables are missing, all of them or, with `auto`, some of them.
pub(super) fn choose(flags: &TenantFlags, world: &World) -> Result<SignIn, Fault> {
    let settings = Settings { flags, world };
    let asked = |found: Found| match found {
        Found::Some(sign_in) => Ok(sign_in),
        Found::Nothing(missing) | Found::Part(missing) => {
            Err(incomplete(name(flags.auth), &missing))
        }
    };
    match flags.auth {
        Method::Auto => settings.auto(),
        Method::Secret => asked(settings.secret()),
        Method::Certificate => asked(settings.certificate()),
        Method::Token => asked(settings.token()),
        Method::WorkloadIdentity => asked(settings.workload_identity()),
        Method::ManagedIdentity => Ok(settings.managed_identity()),
        Method::Cli => Ok(settings.cli()),
        Method::DeviceCode => settings.device_code().ok_or_else(|| {
            Fault::new(
                Exit::Unstarted,
                "NoCredential",
                "`--auth device-code` needs the id of an app registration that people sign in to",
            )
            .hint("give `--client-id`, or set AZURE_CLIENT_ID")
            .hint(
                "the registration needs \"Allow public client flows\" under \"Authentication\"; people who have consented to \
                 Microsoft Graph PowerShell for this can name its: `--client-id 14d82eec-204b-4c2f-b7e8-296a70dab67e`",
            )
        }),
    }
}

/// What the variables of a method give.
enum Found {
    Some(SignIn),
    /// The variable that stands for the method is not set; with it, these are missing.
    Nothing(Vec<&'static str>),
    /// It is set, and these are missing.
    Part(Vec<&'static str>),
}

fn incomplete(method: &str, missing: &[&str]) -> Fault {
    let hint = match missing {
        ["RUNBACK_ACCESS_TOKEN"] => "set it to an access token for Microsoft Graph",
        _ => {
            "set the variables; tenant and client id can also be given as `--tenant` and `--client-id`"
        }
    };
    let message = format!("`--auth {method}` needs {}", missing.join(", "));
    Fault::new(Exit::Unstarted, "NoCredential", message).hint(hint)
}

fn name(method: Method) -> &'static str {
    match method {
        Method::Auto => "auto",
        Method::Secret => "secret",
        Method::Certificate => "certificate",
        Method::ManagedIdentity => "managed-identity",
        Method::WorkloadIdentity => "workload-identity",
        Method::Cli => "cli",
        Method::DeviceCode => "device-code",
        Method::Token => "token",
    }
}

/// Flags and variables, and what each method makes of them.
struct Settings<'s> {
    flags: &'s TenantFlags,
    world: &'s World,
}

impl Settings<'_> {
    fn authority(&self) -> String {
        let host = self.world.variable("AZURE_AUTHORITY_HOST");
        host.map_or_else(|| AUTHORITY.to_owned(), with_scheme)
    }

    /// Authority, tenant and application, if what `variable` holds makes a method of them.
    fn application(
        &self,
        variable: &'static str,
        make: impl FnOnce(String, [String; 3]) -> SignIn,
    ) -> Found {
        let (tenant, client_id) = (&self.flags.tenant, &self.flags.client_id);
        let value = self.world.variable(variable);
        match (tenant, client_id, value) {
            (Some(tenant), Some(client_id), Some(value)) => Found::Some(make(
                value,
                [self.authority(), tenant.clone(), client_id.clone()],
            )),
            (tenant, client_id, value) => {
                let names = [
                    ("AZURE_TENANT_ID", tenant.is_none()),
                    ("AZURE_CLIENT_ID", client_id.is_none()),
                    (variable, value.is_none()),
                ];
                let missing = names.into_iter().filter(|(_, is_missing)| *is_missing);
                let missing = missing.map(|(name, _)| name).collect();
                if value.is_some() {
                    Found::Part(missing)
                } else {
                    Found::Nothing(missing)
                }
            }
        }
    }

    fn secret(&self) -> Found {
        self.application(
            "AZURE_CLIENT_SECRET",
            |secret, [authority, tenant, client_id]| SignIn::Secret {
                authority,
                tenant,
                client_id,
                secret: SecretString::from(secret),
            },
        )
    }

    fn certificate(&self) -> Found {
        self.application(
            "AZURE_CLIENT_CERTIFICATE_PATH",
            |file, [authority, tenant, client_id]| SignIn::Certificate {
                authority,
                tenant,
                client_id,
                file: PathBuf::from(file),
                password: self
                    .world
                    .variable("AZURE_CLIENT_CERTIFICATE_PASSWORD")
                    .map(SecretString::from),
            },
        )
    }

    fn workload_identity(&self) -> Found {
        self.application(
            "AZURE_FEDERATED_TOKEN_FILE",
            |file, [authority, tenant, client_id]| SignIn::WorkloadIdentity {
                authority,
                tenant,
                client_id,
                token_file: PathBuf::from(file),
            },
        )
    }

    fn token(&self) -> Found {
        match self.world.variable("RUNBACK_ACCESS_TOKEN") {
            Some(token) => Found::Some(SignIn::Token(SecretString::from(token))),
            None => Found::Nothing(vec!["RUNBACK_ACCESS_TOKEN"]),
        }
    }

    fn managed_identity(&self) -> SignIn {
        SignIn::ManagedIdentity {
            client_id: self.flags.client_id.clone(),
        }
    }

    fn cli(&self) -> SignIn {
        SignIn::Cli {
            tenant: self.flags.tenant.clone(),
        }
    }

    /// No client id of ours or of Microsoft's is built in: what was restored would stand in the tenant's logs as done by
    /// that application, and what people consent to for it would stay with it.
    fn device_code(&self) -> Option<SignIn> {
        Some(SignIn::DeviceCode {
            authority: self.authority(),
            tenant: self
                .flags
                .tenant
                .clone()
                .unwrap_or_else(|| ANY_TENANT.to_owned()),
            client_id: self.flags.client_id.clone()?,
            scopes: DELEGATED.map(str::to_owned).to_vec(),
        })
    }

    /// Environment (secret, certificate, token), workload identity, managed identity, CLI, device code on a terminal.
    fn auto(&self) -> Result<SignIn, Fault> {
        let mut candidates = Vec::new();
        let variables: [(SignInMethod, &str, Found); 4] = [
            (SignInMethod::Secret, "AZURE_CLIENT_SECRET", self.secret()),
            (
                SignInMethod::Certificate,
                "AZURE_CLIENT_CERTIFICATE_PATH",
                self.certificate(),
            ),
            (SignInMethod::Token, "RUNBACK_ACCESS_TOKEN", self.token()),
            (
                SignInMethod::WorkloadIdentity,
                "AZURE_FEDERATED_TOKEN_FILE",
                self.workload_identity(),
            ),
        ];
        for (method, variable, found) in variables {
            let found = match found {
                Found::Some(sign_in) => {
                    let found = Ok(sign_in);
                    candidates.push(Candidate { method, found });
                    // The first is the answer, and a mistake in one behind it is none.
                    return Ok(SignIn::First(candidates));
                }
                Found::Nothing(_) => Err(format!("{variable} is not set")),
                Found::Part(missing) => {
                    let message = format!("{variable} is set, but not {}", missing.join(" and "));
                    let fault = Fault::new(Exit::Unstarted, "NoCredential", message);
                    return Err(fault.hint(format!("set what is missing, or unset {variable}")));
                }
            };
            candidates.push(Candidate { method, found });
        }
        candidates.push(Candidate {
            method: SignInMethod::ManagedIdentity,
            found: Ok(self.managed_identity()),
        });
        candidates.push(Candidate {
            method: SignInMethod::Cli,
            found: Ok(self.cli()),
        });
        let is_terminal = self.world.stdin_is_terminal && self.world.stderr_is_terminal;
        candidates.push(Candidate {
            method: SignInMethod::DeviceCode,
            found: match self.device_code() {
                _ if !is_terminal => Err("there is no terminal to show a code on".to_owned()),
                None => Err("there is no `--client-id` or AZURE_CLIENT_ID".to_owned()),
                Some(sign_in) => Ok(sign_in),
            },
        });
        Ok(SignIn::First(candidates))
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
        (world.stdin_is_terminal, world.stderr_is_terminal) = (false, false);
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

    /// What `auto` looks at, in its order, and the last of it.
    fn auto(variables: &'static [(&str, &str)]) -> (Vec<String>, Result<SignIn, String>) {
        let Ok(SignIn::First(mut candidates)) = choice(Method::Auto, variables) else {
            panic!("{variables:?}")
        };
        let names = candidates
            .iter()
            .map(|one| one.method.to_string())
            .collect();
        (names, candidates.pop().unwrap().found)
    }

    const SECRET: &[(&str, &str)] = &[
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "s"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "/x.pem"),
        ("AZURE_AUTHORITY_HOST", "login.microsoftonline.us"),
        ("RUNBACK_ACCESS_TOKEN", "x"),
    ];
    const TOKEN: &[(&str, &str)] = &[("AZURE_TENANT_ID", "t"), ("RUNBACK_ACCESS_TOKEN", "x")];

    #[test]
    fn auto_looks_at_the_variables_in_their_order_and_ends_at_the_first_that_is_there() {
        let (names, found) = auto(SECRET);
        assert_eq!(names, ["secret"]);
        let Ok(SignIn::Secret {
            authority, tenant, ..
        }) = found
        else {
            panic!()
        };
        assert_eq!(
            (authority.as_str(), tenant.as_str()),
            ("https://login.microsoftonline.us", "t")
        );
        let (names, found) = auto(&[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", "/x.pem"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/x.jwt"),
        ]);
        assert_eq!(names, ["secret", "certificate"]);
        assert!(matches!(found, Ok(SignIn::Certificate { .. })));
        let (names, found) = auto(TOKEN);
        assert_eq!(names, ["secret", "certificate", "token"]);
        assert!(matches!(found, Ok(SignIn::Token(_))));
        let (names, found) = auto(&[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/x.jwt"),
        ]);
        assert_eq!(
            names,
            ["secret", "certificate", "token", "workload-identity"]
        );
        assert!(matches!(found, Ok(SignIn::WorkloadIdentity { .. })));
    }

    #[test]
    fn auto_without_variables_is_left_to_what_the_machine_has() {
        let (names, found) = auto(&[("AZURE_CLIENT_ID", "c")]);
        assert_eq!(
            names,
            [
                "secret",
                "certificate",
                "token",
                "workload-identity",
                "managed-identity",
                "cli",
                "device-code"
            ]
        );
        assert_eq!(
            found.err().unwrap(),
            "there is no terminal to show a code on"
        );
    }

    #[test]
    fn half_of_the_variables_is_a_mistake_and_not_an_absence() {
        let rows: [(&'static [(&str, &str)], &str); 3] = [
            (
                &[("AZURE_CLIENT_SECRET", "s"), ("RUNBACK_ACCESS_TOKEN", "x")],
                "AZURE_CLIENT_SECRET is set, but not AZURE_TENANT_ID and AZURE_CLIENT_ID",
            ),
            (
                &[
                    ("AZURE_CLIENT_CERTIFICATE_PATH", "x"),
                    ("AZURE_TENANT_ID", "t"),
                ],
                "AZURE_CLIENT_CERTIFICATE_PATH is set, but not AZURE_CLIENT_ID",
            ),
            (
                &[
                    ("AZURE_FEDERATED_TOKEN_FILE", "x"),
                    ("AZURE_CLIENT_ID", "c"),
                ],
                "AZURE_FEDERATED_TOKEN_FILE is set, but not AZURE_TENANT_ID",
            ),
        ];
        for (variables, message) in rows {
            let fault = choice(Method::Auto, variables).err().unwrap();
            assert_eq!(
                (fault.exit, fault.message.as_str()),
                (Exit::Unstarted, message)
            );
        }
    }

    #[test]
    fn what_a_method_lacks_is_said_by_name() {
        let rows = [
            (
                Method::Secret,
                "`--auth secret` needs AZURE_CLIENT_ID, AZURE_CLIENT_SECRET",
            ),
            (
                Method::Certificate,
                "`--auth certificate` needs AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH",
            ),
            (
                Method::WorkloadIdentity,
                "`--auth workload-identity` needs AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE",
            ),
            (
                Method::DeviceCode,
                "`--auth device-code` needs the id of an app registration that people sign in to",
            ),
        ];
        for (method, message) in rows {
            let fault = choice(method, TOKEN).err().unwrap();
            assert_eq!(
                (fault.exit, fault.message.as_str()),
                (Exit::Unstarted, message)
            );
            assert!(!fault.hints.is_empty());
        }
        assert!(choice(Method::Token, &[]).is_err());
    }

    #[test]
    fn a_method_by_name_is_taken_whatever_else_is_set() {
        assert!(matches!(
            choice(Method::Token, SECRET),
            Ok(SignIn::Token(_))
        ));
        assert!(matches!(
            choice(Method::Certificate, SECRET),
            Ok(SignIn::Certificate { password: None, .. })
        ));
        assert!(matches!(
            choice(Method::ManagedIdentity, &[]),
            Ok(SignIn::ManagedIdentity { client_id: None })
        ));
        assert!(matches!(
            choice(Method::Cli, TOKEN),
            Ok(SignIn::Cli { tenant: Some(_) })
        ));
        let Ok(SignIn::DeviceCode { tenant, scopes, .. }) =
            choice(Method::DeviceCode, &[("AZURE_CLIENT_ID", "c")])
        else {
            panic!()
        };
        assert_eq!(tenant, "organizations");
        assert!(scopes.contains(&"BackupRestore-Restore.ReadWrite.All".to_owned()));
    }
}
