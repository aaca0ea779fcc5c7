//! The claim that we are the application, signed with the certificate's key.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use uuid::Uuid;

use super::key::Credential;
use crate::graph::auth::denial::Denial;

/// Seconds. It is used at once; the rest allows for clocks that differ.
const LIFE: i64 = 600;

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Signs an assertion for one request to `audience`, the token endpoint.
///
/// Source: Microsoft Entra, "Microsoft identity platform application authentication certificate credentials".
pub(super) fn sign(
    credential: &Credential,
    client_id: &str,
    audience: &str,
    now: Timestamp,
) -> Result<String, Denial> {
    let header = Header {
        x5t_s256: Some(credential.thumbprint.clone()),
        ..Header::new(Algorithm::PS256)
    };
    let now = now.as_second();
    let claims = Claims {
        aud: audience,
        iss: client_id,
        sub: client_id,
        jti: Uuid::new_v4().to_string(),
        iat: now,
        nbf: now,
        exp: now + LIFE,
    };
    jsonwebtoken::encode(&header, &claims, &credential.key)
        .map_err(|error| Denial::lasting(format!("the certificate's key signed nothing: {error}")))
}
