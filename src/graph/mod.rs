//! HTTP to Microsoft Graph: sign-in, pacing, retry, paging, errors. Knows no backups and no scripts.
//!
//! Reading calls are sent again as `retry` allows. A changing call whose answer was lost comes back as
//! [`GraphError::Unknown`]: `changes/`, the only caller of [`Client::change`], looks before anything is sent again.
//!
//! One request goes through `client` (its address) → `course` (turn, tries, waits; asks `retry` and `pace`) → `attempt`
//! (the wire; `body`, `refusal`) and comes back as an [`Answer`] or a [`GraphError`].
//!
//! Calls are never put into a `$batch`. It would save round trips and nothing else: the service throttles each request in a
//! batch by itself, no page says that Backup Storage takes batches at all, and a lost answer would leave twenty changes
//! unknown instead of one. Measured on 2026-11-28 against the sandbox, two loaded cores, 16 calls in flight: the newest
//! points of 2,000 people are 385 requests and take 1.4 to 1.9 s without latency, 1.6 to 2.5 s with 20 ms (three runs each).
//! So all that batches could save is 0.2 to 0.6 s for 2,000 people, and 0.05 s of the 40 changes that fill a session with
//! them. Status reads are few: one list tells of all sessions.

mod attempt;
mod auth;
mod body;
mod call;
mod client;
mod cloud;
mod course;
pub(crate) mod details;
mod error;
mod json;
mod limits;
mod options;
mod pace;
mod page;
mod proxy;
mod refusal;
mod requests;
mod retry;
mod retry_after;
mod stand_in;
#[cfg(test)]
mod testing;
mod transport;
mod words;

pub(crate) use auth::{Claims, Identity, SignInMethod};
pub(crate) use call::{Answer, Call};
pub(crate) use client::{Client, SharedHold};
pub(crate) use cloud::check_root;
pub(crate) use error::{CallName, GraphError, ServiceError};
pub(crate) use json::Json;
pub(crate) use options::{Candidate, Notices, Options, SignIn, Version};
pub(crate) use page::Pages;
pub(crate) use proxy::proxy;
pub(crate) use requests::Requests;
pub(crate) use reqwest::Method;
pub(crate) use stand_in::StandIn;
pub(crate) use transport::authorities;
