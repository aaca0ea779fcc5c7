//! Which way is taken where several may be: `auto`.
//!
//! A way that is there is the answer, also where it is refused: a wrong secret must not silently become somebody's CLI
//! login. Passed over is only what is not there:
//!
//! | method | passed over where |
//! |---|---|
//! | secret, certificate, token, workload identity | its variable is not set. Half of the variables is a mistake, and told |
//! | managed identity | the metadata address does not answer, or not as Azure's does; no identity is assigned to the machine; the kind of machine is not supported. Where the platform names an endpoint: never |
//! | cli | `az` is not installed, or nobody is signed in to it. A sign-in that has ended or is blocked is the answer |
//! | device code | there is no client id, or no terminal. A code that is declined or not entered is the answer |

use std::sync::{Mutex, PoisonError};

use super::Fetched;
use super::denial::{Denial, Nature};
use super::identity::{SignInMethod, Tried};
use super::way::{Closed, Desk, Way};
use crate::graph::{GraphError, SignIn};
use crate::world::World;

pub(super) struct Choice {
    steps: Vec<Step>,
    walk: Mutex<Walk>,
}

struct Step {
    method: SignInMethod,
    /// Else why there is none.
    way: Result<Way, String>,
    /// Why it is taken, if it is.
    why: &'static str,
}

#[derive(Clone, Default)]
struct Walk {
    /// The step that is taken, once that is known.
    taken: Option<usize>,
    tried: Vec<Tried>,
}

impl Choice {
    /// # Errors
    /// What is wrong with a way that is certainly taken.
    pub(super) fn new(sign_in: SignIn, world: &World) -> Result<Self, GraphError> {
        let mut steps = Vec::new();
        let candidates = match sign_in {
            SignIn::First(candidates) => candidates,
            SignIn::Nothing => Vec::new(),
            one => {
                steps.extend(match Way::new(one, world) {
                    Ok(Some(way)) => Some(Step {
                        method: way.method(),
                        way: Ok(way),
                        why: "it was asked for",
                    }),
                    Ok(None) => None,
                    Err(Closed::Wrong(error)) => return Err(*error),
                    Err(Closed::Absent(message)) => {
                        return Err(GraphError::SignIn {
                            message,
                            hint: Some("choose another `--auth`".to_owned()),
                            context: Vec::new(),
                        });
                    }
                });
                Vec::new()
            }
        };
        for candidate in candidates {
            let method = candidate.method;
            let way = match candidate.found.map(|found| Way::new(found, world)) {
                Ok(Ok(Some(way))) => Ok(way),
                Ok(Ok(None)) => continue,
                Ok(Err(Closed::Wrong(error))) => return Err(*error),
                Ok(Err(Closed::Absent(why))) | Err(why) => Err(why),
            };
            let is_last = way.as_ref().is_ok_and(Way::is_certain);
            steps.push(Step {
                method,
                way,
                why: why(method),
            });
            // Whatever comes of it is the answer, and the others are not looked at.
            if is_last {
                break;
            }
        }
        Ok(Self {
            steps,
            walk: Mutex::default(),
        })
    }

    /// The way in use, or the only one.
    pub(super) fn way(&self) -> Option<&Way> {
        let taken = self.walk().taken;
        let step = match (taken, self.steps.as_slice()) {
            (Some(taken), steps) => steps.get(taken)?,
            (None, [step]) => step,
            (None, _) => return None,
        };
        step.way.as_ref().ok()
    }

    pub(super) fn tried(&self) -> Vec<Tried> {
        self.walk().tried
    }

    /// Asks the way in use, or looks for one that is there.
    pub(super) async fn fetch(&self, desk: &Desk) -> Result<Fetched, Denial> {
        let taken = self.walk().taken.and_then(|taken| self.steps.get(taken));
        if let Some(Ok(way)) = taken.map(|step| step.way.as_ref()) {
            return way.fetch(desk).await;
        }
        let mut tried = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let why = match &step.way {
                Ok(way) => {
                    if way.is_certain() || self.steps.len() == 1 {
                        self.take(number, step, tried);
                        return way.fetch(desk).await;
                    }
                    match way.fetch(desk).await {
                        Err(denial) if denial.nature == Nature::Absent => denial.message,
                        answer => {
                            self.take(number, step, tried);
                            return answer;
                        }
                    }
                }
                Err(why) => why.clone(),
            };
            let passed = Tried {
                method: step.method,
                taken: false,
                why,
            };
            tracing::debug!("sign-in: {passed}");
            tried.push(passed);
        }
        Err(Denial {
            context: tried.iter().map(ToString::to_string).collect(),
            ..Denial::lasting("there is nothing to sign in with".to_owned()).hint(
                "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or choose with `--auth`\n\
                 to try a runbook without a tenant, add `--sandbox`",
            )
        })
    }

    fn take(&self, number: usize, step: &Step, mut tried: Vec<Tried>) {
        let taken = Tried {
            method: step.method,
            taken: true,
            why: step.why.to_owned(),
        };
        tracing::debug!("sign-in: {taken}");
        tried.push(taken);
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = Walk {
            taken: Some(number),
            tried,
        };
    }

    fn walk(&self) -> Walk {
        self.walk
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Why a method is taken by itself.
fn why(method: SignInMethod) -> &'static str {
    match method {
        SignInMethod::Secret => "AZURE_CLIENT_SECRET is set",
        SignInMethod::Certificate => "AZURE_CLIENT_CERTIFICATE_PATH is set",
        SignInMethod::Token => "RUNBACK_ACCESS_TOKEN is set",
        SignInMethod::WorkloadIdentity => "AZURE_FEDERATED_TOKEN_FILE is set",
        SignInMethod::ManagedIdentity => "this machine has an identity",
        SignInMethod::Cli => "somebody is signed in to `az`",
        SignInMethod::DeviceCode => "there is a terminal and a client id",
        SignInMethod::Sandbox => "it is a sandbox",
    }
}
