//! App registration, tokens and permissions.
//!
//! Tokens look like JSON Web Tokens, so that a client can read who it is, and carry all that they mean: they outlive the
//! process that issued them. Their life is wall time: sandbox time would let them expire within seconds.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Refusal;
use super::id::{Kind, mix};
use super::json::Object;
use super::seal::Seal;
use super::tenant::Tenant;
use super::{lock, refusals};

/// Accepted without signing in, for `curl` and other clients that are used by hand: an app.
pub(super) const STATIC_TOKEN: &str = "sandbox-token";
/// The same for a signed-in person.
pub(super) const STATIC_USER_TOKEN: &str = "sandbox-user-token";
/// The position of the person who signs in. The documentation asks delegated callers to be backup administrators.
pub(super) const ADMINISTRATOR: u32 = 0;

const DEFAULT_LIFETIME: Duration = Duration::from_secs(3_599);
const APP_NAME: &str = "runback sandbox";

/// What the app registration has been granted, for itself and for those who sign in through it.
pub(super) const PERMISSIONS: [&str; 12] = [
    "BackupRestore-Configuration.Read.All",
    "BackupRestore-Configuration.ReadWrite.All",
    "BackupRestore-Control.Read.All",
    "BackupRestore-Control.ReadWrite.All",
    "BackupRestore-Restore.Read.All",
    "BackupRestore-Restore.ReadWrite.All",
    "BackupRestore-Search.Read.All",
    "Files.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "Sites.Read.All",
    "User.Read.All",
];

/// What an operation asks of its caller.
#[derive(Debug)]
pub(super) struct Needs {
    /// One of these; none at all where everybody may.
    pub(super) permissions: &'static [&'static str],
    pub(super) who: Who,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Anybody,
    /// An app without a person.
    App,
    /// Somebody who has signed in.
    Person,
}

/// In whose name something is done: the app, alone or for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct By {
    /// The position of the person who has signed in.
    pub(super) person: Option<u32>,
}

impl By {
    pub(super) const APP: Self = Self { person: None };
}

/// Who calls.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) by: By,
    /// Tells one client from another, without keeping its token.
    pub(super) client: u64,
    /// What its token allows; nothing stands for all that is granted.
    permissions: Option<Arc<BTreeSet<String>>>,
}

/// The registration and the tokens that are out.
pub(super) struct Access {
    pub(super) tenant_id: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) seal: Seal,
    administrator: (String, String, String),
    inner: Mutex<Inner>,
}

struct Inner {
    granted: BTreeSet<&'static str>,
    /// Tokens that were read before: reading one costs as much as a small answer.
    known: HashMap<String, Token>,
    lifetime: Duration,
    serial: u64,
    /// Older tokens have expired; milliseconds since the epoch.
    valid_from: u64,
}

/// What a token says.
#[derive(Clone, Debug)]
struct Token {
    by: By,
    permissions: Arc<BTreeSet<String>>,
    /// Milliseconds since the epoch.
    issued: u64,
    expires: u64,
}

impl Caller {
    /// Somebody whose call was allowed before.
    pub(super) fn again(by: By) -> Self {
        Self {
            by,
            client: 0,
            permissions: None,
        }
    }
}

impl Access {
    pub(super) fn new(tenant: &Tenant) -> Self {
        let secret = tenant
            .ids
            .make(Kind::Application, 0, 1)
            .simple()
            .to_string();
        let administrator = tenant.person(ADMINISTRATOR);
        Self {
            tenant_id: tenant.tenant_id().to_string(),
            client_id: tenant.ids.make(Kind::Application, 0, 0).to_string(),
            client_secret: format!("sandbox~{secret}"),
            seal: Seal::new(secret),
            administrator: (
                administrator.id().to_string(),
                administrator.display_name(),
                administrator.upn(),
            ),
            inner: Mutex::new(Inner::new()),
        }
    }

    pub(super) fn reset(&self) {
        let mut inner = lock(&self.inner);
        inner.granted = BTreeSet::from(PERMISSIONS);
        inner.lifetime = DEFAULT_LIFETIME;
    }

    /// What is granted now, of `wanted` if that names anything.
    pub(super) fn scopes(&self, wanted: &[&str]) -> Vec<&'static str> {
        let granted = &lock(&self.inner).granted;
        let asked_for = |name: &&str| wanted.is_empty() || wanted.contains(name);
        granted.iter().copied().filter(asked_for).collect()
    }

    /// A new token and its life in seconds.
    pub(super) fn issue(&self, by: By, scopes: &[impl AsRef<str>]) -> (String, u64) {
        let mut inner = lock(&self.inner);
        inner.serial += 1;
        let (serial, lifetime) = (inner.serial, inner.lifetime);
        let issued = wall_millis().max(inner.valid_from + 1);
        let expires = issued + u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX / 2);
        drop(inner);
        let mut claims = json!({
            "aud": "https://graph.microsoft.com",
            "iss": format!("https://sts.windows.net/{}/", self.tenant_id),
            "iat": issued / 1_000,
            "nbf": issued / 1_000,
            "exp": expires / 1_000,
            "app_displayname": APP_NAME,
            "appid": self.client_id,
            "tid": self.tenant_id,
            "uti": Uuid::from_u64_pair(mix(7, serial), issued).simple().to_string(),
            "ver": "1.0",
            // The standard's own times know no milliseconds.
            "sandbox": [issued, expires],
        });
        let scopes: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
        if by.person.is_some() {
            let (id, name, upn) = &self.administrator;
            claims["idtyp"] = json!("user");
            claims["oid"] = json!(id);
            claims["name"] = json!(name);
            claims["upn"] = json!(upn);
            claims["scp"] = json!(scopes.join(" "));
        } else {
            claims["idtyp"] = json!("app");
            claims["oid"] = json!(self.client_id);
            claims["roles"] = json!(scopes);
        }
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!(
            "{}.{}",
            encode(r#"{"alg":"none","typ":"JWT"}"#),
            encode(&claims.to_string())
        );
        let seal = self.seal.of(&signed);
        (format!("{signed}.{seal}"), lifetime.as_secs())
    }

    /// Who sent this `Authorization` header.
    pub(super) fn caller(&self, authorization: Option<&str>) -> Result<Caller, Refusal> {
        let header = authorization.ok_or(refusals::NO_TOKEN)?;
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(refusals::NO_TOKEN);
        }
        let client = token.bytes().fold(0, |key, byte| mix(key, u64::from(byte)));
        let person = match token {
            STATIC_TOKEN => Some(None),
            STATIC_USER_TOKEN => Some(Some(ADMINISTRATOR)),
            _ => None,
        };
        if let Some(person) = person {
            return Ok(Caller {
                by: By { person },
                client,
                permissions: None,
            });
        }
        let mut inner = lock(&self.inner);
        if !inner.known.contains_key(token) {
            let read = self.read(token).ok_or(refusals::BAD_TOKEN)?;
            let now = wall_millis();
            inner.known.retain(|_, one| one.expires > now);
            inner.known.insert(token.to_owned(), read);
        }
        let (from, now) = (inner.valid_from, wall_millis());
        let found = inner.known.get(token);
        let token = found.filter(|token| token.issued > from && token.expires > now);
        let token = token.ok_or(refusals::OLD_TOKEN)?;
        Ok(Caller {
            by: token.by,
            client,
            permissions: Some(Arc::clone(&token.permissions)),
        })
    }

    /// What a token of this tenant says.
    fn read(&self, token: &str) -> Option<Token> {
        let (signed, seal) = token.rsplit_once('.')?;
        if self.seal.of(signed) != seal {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let (person, permissions) = match claims["scp"].as_str() {
            Some(scopes) => (
                Some(ADMINISTRATOR),
                scopes.split(' ').map(str::to_owned).collect(),
            ),
            None => (None, serde_json::from_value(claims["roles"].clone()).ok()?),
        };
        Some(Token {
            by: By { person },
            permissions: Arc::new(permissions),
            issued: claims["sandbox"][0].as_u64()?,
            expires: claims["sandbox"][1].as_u64()?,
        })
    }

    /// Checks that a caller may do what needs `needs`. Permissions that are taken away count at once, not with the next
    /// token.
    pub(super) fn check(&self, caller: &Caller, needs: &Needs) -> Result<(), Refusal> {
        let denied = |why: &str| Err(refusals::NO_PERMISSION.because(why));
        if needs.who == Who::App && caller.by.person.is_some() {
            return denied("this call is made by an app only");
        }
        if needs.who == Who::Person && caller.by.person.is_none() {
            return denied("this call is made for a signed-in person only");
        }
        let inner = lock(&self.inner);
        let has = |need: &&&str| {
            let allowed = &caller.permissions;
            inner.granted.contains(*need) && allowed.as_ref().is_none_or(|own| own.contains(**need))
        };
        if needs.permissions.is_empty() || needs.permissions.iter().any(|need| has(&need)) {
            return Ok(());
        }
        denied(&format!(
            "one of these permissions is needed: {}",
            needs.permissions.join(", ")
        ))
    }

    /// Takes a permission away; false where there is none of that name.
    pub(super) fn revoke(&self, permission: &str) -> bool {
        lock(&self.inner).granted.remove(permission)
    }

    /// Makes every token that was issued until `instant` (wall time, milliseconds) invalid.
    pub(super) fn expire(&self, instant: u64) {
        let mut inner = lock(&self.inner);
        inner.valid_from = inner.valid_from.max(instant);
    }

    /// How long tokens issued from now on live.
    pub(super) fn set_lifetime(&self, lifetime: Duration) {
        lock(&self.inner).lifetime = lifetime;
    }

    /// Whom a log names: the person by address, the app by its name.
    pub(super) fn name(&self, by: By) -> &str {
        match by.person {
            Some(_) => &self.administrator.2,
            None => APP_NAME,
        }
    }

    /// Fills an identity set: the app, and the person it acts for.
    pub(super) fn fill(&self, set: &mut Object<'_>, by: By) {
        set.object("application", |application| {
            application.text("id", &self.client_id);
            application.text("displayName", APP_NAME);
        });
        if by.person.is_some() {
            let (id, name, upn) = &self.administrator;
            set.object("user", |user| {
                user.text("id", id);
                user.text("displayName", name);
                user.text("email", upn);
            });
        }
    }
}

impl Inner {
    fn new() -> Self {
        Self {
            granted: BTreeSet::from(PERMISSIONS),
            known: HashMap::new(),
            lifetime: DEFAULT_LIFETIME,
            serial: 0,
            valid_from: 0,
        }
    }
}

/// Wall time in milliseconds since the epoch.
pub(super) fn wall_millis() -> u64 {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(wall.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
