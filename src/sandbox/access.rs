//! App registration, tokens and permissions.
//!
//! Tokens look like JSON Web Tokens, so that a client can read who it is, but they are looked up here and not verified.
//! Their life is wall time: sandbox time would let them expire within seconds.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use uuid::Uuid;

use super::answer::Refusal;
use super::id::{Kind, mix};
use super::tenant::Tenant;
use super::{lock, refusals};

/// Accepted without signing in, for `curl` and other clients that are used by hand.
pub(super) const STATIC_TOKEN: &str = "sandbox-token";

const DEFAULT_LIFETIME: Duration = Duration::from_secs(3_599);

/// What the app registration has been granted.
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

/// Who calls.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) app_id: String,
    /// Tells one client from another, without keeping its token.
    pub(super) client: u64,
}

/// The registration and the tokens that are out.
pub(super) struct Access {
    pub(super) tenant_id: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    inner: Mutex<Inner>,
}

struct Inner {
    granted: BTreeSet<&'static str>,
    issued: HashMap<String, Instant>,
    lifetime: Duration,
    serial: u64,
}

impl Access {
    pub(super) fn new(tenant: &Tenant) -> Self {
        let secret = tenant
            .ids
            .make(Kind::Application, 0, 1)
            .simple()
            .to_string();
        Self {
            tenant_id: tenant.tenant_id().to_string(),
            client_id: tenant.ids.make(Kind::Application, 0, 0).to_string(),
            client_secret: format!("sandbox~{secret}"),
            inner: Mutex::new(Inner::new()),
        }
    }

    pub(super) fn reset(&self) {
        let mut inner = lock(&self.inner);
        inner.granted = BTreeSet::from(PERMISSIONS);
        inner.lifetime = DEFAULT_LIFETIME;
    }

    /// A new token and its life in seconds.
    pub(super) fn issue(&self) -> (String, u64) {
        let mut inner = lock(&self.inner);
        inner.serial += 1;
        let lifetime = inner.lifetime;
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let claims = json!({
            "aud": "https://graph.microsoft.com",
            "iss": format!("https://sts.windows.net/{}/", self.tenant_id),
            "iat": wall.as_secs(),
            "nbf": wall.as_secs(),
            "exp": (wall + lifetime).as_secs(),
            "app_displayname": "runback sandbox",
            "appid": self.client_id,
            "idtyp": "app",
            "oid": self.client_id,
            "roles": inner.granted,
            "tid": self.tenant_id,
            "uti": Uuid::from_u64_pair(mix(7, inner.serial), u64::from(wall.subsec_nanos())).simple().to_string(),
            "ver": "1.0",
        });
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let head = encode(r#"{"alg":"none","typ":"JWT"}"#);
        let token = format!("{head}.{}.sandbox", encode(&claims.to_string()));
        let now = Instant::now();
        inner.issued.retain(|_, ends| *ends > now);
        inner.issued.insert(token.clone(), now + lifetime);
        (token, lifetime.as_secs())
    }

    /// Who sent this `Authorization` header.
    pub(super) fn caller(&self, authorization: Option<&str>) -> Result<Caller, Refusal> {
        let header = authorization.ok_or(refusals::NO_TOKEN)?;
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(refusals::NO_TOKEN);
        }
        let inner = lock(&self.inner);
        match inner.issued.get(token) {
            Some(ends) if *ends > Instant::now() => {}
            Some(_) => return Err(refusals::OLD_TOKEN),
            None if token == STATIC_TOKEN => {}
            None => return Err(refusals::BAD_TOKEN),
        }
        let client = token.bytes().fold(0, |key, byte| mix(key, u64::from(byte)));
        Ok(Caller {
            app_id: self.client_id.clone(),
            client,
        })
    }

    /// Checks that one of `needs` has been granted. Taken away permissions count at once, not with the next token.
    pub(super) fn check(&self, needs: &[&str]) -> Result<(), Refusal> {
        let inner = lock(&self.inner);
        if needs.is_empty() || needs.iter().any(|need| inner.granted.contains(need)) {
            return Ok(());
        }
        Err(refusals::NO_PERMISSION.because(format!(
            "one of these permissions is needed: {}",
            needs.join(", ")
        )))
    }

    /// Takes a permission away; false where there is none of that name.
    pub(super) fn revoke(&self, permission: &str) -> bool {
        lock(&self.inner).granted.remove(permission)
    }

    /// Makes every token that is out invalid.
    pub(super) fn expire(&self) {
        let mut inner = lock(&self.inner);
        let now = Instant::now();
        inner.issued.values_mut().for_each(|ends| *ends = now);
    }

    /// How long tokens issued from now on live.
    pub(super) fn set_lifetime(&self, lifetime: Duration) {
        lock(&self.inner).lifetime = lifetime;
    }
}

impl Inner {
    fn new() -> Self {
        Self {
            granted: BTreeSet::from(PERMISSIONS),
            issued: HashMap::new(),
            lifetime: DEFAULT_LIFETIME,
            serial: 0,
        }
    }
}
