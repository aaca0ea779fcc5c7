//! Sign-in: where tokens come from, and the one that is in use.
//!
//! Tokens are kept in memory only. One is renewed before its end by the first caller that notices, while the others go on
//! with the old one; where nobody has a valid one, all wait for a single request. If a renewal fails, the old token is used
//! until its real end.
//!
//! `source` holds the token → `choice` knows which way is taken → `way` is one of the files named after a method → `wire`
//! sends, with our own HTTP client.

mod az;
mod azure;
mod certificate;
mod choice;
mod denial;
mod device;
mod identity;
mod managed;
mod sandbox;
mod secret;
mod source;
mod token;
mod way;
mod wire;
mod workload;

pub(crate) use identity::{Claims, Identity, SignInMethod, Tried};
pub(super) use secret::end as secret_end;
pub(super) use source::TokenSource;
pub(super) use token::Token;

use token::Fetched;

#[cfg(test)]
mod tests;
