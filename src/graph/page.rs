//! Lists: every page the service offers, each object once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinHandle;
use url::Url;
use uuid::Uuid;

use super::client::Client;
use super::retry::Kind;
use super::{Answer, Call, CallName, GraphError, Json, Version, words};

/// Pages in a row that may bring nothing new. Filtered lists have empty pages; a thousand of them are a service gone wrong.
const BARREN: u32 = 1000;

/// The pages of one list.
///
/// Memory: two pages (the one in use, the one being fetched) and 8 bytes for each id seen, about 18 MB for a million rows
/// with the table's slack. An id is remembered as a 64-bit hash under a random key: for a million rows the chance that any two
/// different ids meet, so that a row would be taken for a repeat, is 3 in 100 million. Exact ids would cost four times that
/// memory.
pub(crate) struct Pages {
    client: Arc<Client>,
    /// For the first page; later ones use its headers and the link they were given.
    call: Call,
    state: State,
    hasher: RandomState,
    ids: HashSet<u64, BuildHasherDefault<AsIs>>,
    links: HashSet<u64, BuildHasherDefault<AsIs>>,
    barren: u32,
}

enum State {
    Fresh,
    Fetching(Url, JoinHandle<Result<Page, GraphError>>),
    Ended,
}

impl Pages {
    pub(super) fn new(client: Arc<Client>, call: Call) -> Self {
        Self {
            client,
            call,
            state: State::Fresh,
            hasher: RandomState::new(),
            ids: HashSet::default(),
            links: HashSet::default(),
            barren: 0,
        }
    }

    /// The next page's objects (light handles); `None` after the last one. After an error: `None`.
    ///
    /// A page may be empty. A page that cannot be had is an error, never the end of the list; so is a link to another host,
    /// a link that was followed before, and an answer without `value`.
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<Json>, GraphError>> {
        if let State::Fresh = self.state {
            match self.client.url(&self.call) {
                Ok(url) => self.fetch(url),
                Err(error) => {
                    self.state = State::Ended;
                    return Some(Err(error));
                }
            }
        }
        // Waited for in place: if this future is dropped, the page is still there for the next one.
        let State::Fetching(url, fetching) = &mut self.state else {
            return None;
        };
        let fetched = fetching.await;
        let url = url.clone();
        self.state = State::Ended;
        Some(match fetched {
            Ok(Ok(page)) => self.turn(page, &url),
            Ok(Err(error)) => Err(error),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is going down.
            Err(_) => Err(GraphError::Stopped {
                call: self.name(&url),
            }),
        })
    }

    /// Everything that is left.
    pub(crate) async fn collect(mut self) -> Result<Vec<Json>, GraphError> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await {
            all.append(&mut page?);
        }
        Ok(all)
    }

    /// Starts the next page, then gives this one without what was seen before.
    fn turn(&mut self, page: Page, url: &Url) -> Result<Vec<Json>, GraphError> {
        let mut items = page.items;
        items.retain(|item| match id(item) {
            Some(id) => self.ids.insert(self.hasher.hash_one(id.bytes())),
            None => true,
        });
        if let Some(stand_in) = self.client.stand_in() {
            items = stand_in.page(&self.call, items, page.next.is_none());
        }
        self.barren = if items.is_empty() { self.barren + 1 } else { 0 };
        if let Some(link) = page.next {
            let next = self
                .follow(&link, url)
                .map_err(|cause| GraphError::Unusable {
                    call: self.name(url),
                    cause,
                    request_id: page.request_id,
                })?;
            self.call.method = Method::GET;
            self.call.body = None;
            self.fetch(next);
        }
        Ok(items)
    }

    /// Checks a link and resolves it; apart from that it is the service's own business.
    fn follow(&self, link: &str, from: &Url) -> Result<Url, String> {
        if link.trim().is_empty() {
            return Err("the link to the next page is empty".to_owned());
        }
        let versioned = with_version(link, from);
        let url = from
            .join(versioned.as_deref().unwrap_or(link))
            .map_err(|error| format!("the link to the next page is no address ({error})"))?;
        if !self.client.root.owns(&url) {
            let place = words::place(&url);
            return Err(format!(
                "the next page is said to be at another place (`{place}`); the token is not sent there"
            ));
        }
        if self.links.contains(&self.hasher.hash_one(url.as_str())) {
            return Err("the link to the next page leads in a circle".to_owned());
        }
        if self.barren >= BARREN {
            return Err(format!("{BARREN} pages in a row brought nothing new"));
        }
        Ok(url)
    }

    fn fetch(&mut self, url: Url) {
        self.links.insert(self.hasher.hash_one(url.as_str()));
        let client = self.client.clone();
        let call = self.call.clone();
        let target = url.clone();
        let name = self.name(&url);
        let stood_in = client.stood_in(&call);
        let fetching = tokio::spawn(async move {
            let answer = match stood_in {
                Some(answer) => answer?,
                None => client.send(Kind::Reading, &call, &target).await?,
            };
            // Split over there too: the caller's thread has scripts to run.
            Page::of(answer, name)
        });
        self.state = State::Fetching(url, fetching);
    }

    fn name(&self, url: &Url) -> CallName {
        CallName {
            operation: self.call.operation,
            method: self.call.method.to_string(),
            path: self.client.root.short_path(url),
            client_request_id: Uuid::nil().to_string(),
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let State::Fetching(_, fetching) = &self.state {
            fetching.abort();
        }
    }
}

#[derive(Debug)]
struct Page {
    items: Vec<Json>,
    next: Option<String>,
    request_id: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
    #[serde(borrow, default, rename = "@odata.nextLink")]
    next: Option<Cow<'a, str>>,
}

impl Page {
    fn of(answer: Answer, mut call: CallName) -> Result<Self, GraphError> {
        let request_id = answer.request_id.clone();
        call.client_request_id.clone_from(&request_id);
        let body = answer.json();
        match serde_json::from_slice::<Envelope<'_>>(body.bytes()) {
            Ok(envelope) => Ok(Self {
                items: envelope
                    .value
                    .into_iter()
                    .map(|raw| body.part(raw))
                    .collect(),
                next: envelope.next.map(Cow::into_owned),
                request_id,
            }),
            Err(error) => Err(GraphError::Unusable {
                call,
                cause: format!("a list was expected, an object with an array `value` ({error})"),
                request_id,
            }),
        }
    }
}

/// An object's `id`, found without looking further. With its quotes; with escapes it is written anew, so that the same id
/// is always the same text.
fn id(item: &Json) -> Option<Json> {
    let id = item
        .property("id")
        .filter(|id| id.bytes().starts_with(b"\""))?;
    if !id.bytes().contains(&b'\\') {
        return Some(id);
    }
    let plain: String = id.parse().ok()?;
    Some(Json::of(&plain))
}

/// The hashes are hashes already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 is put into these sets")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A link that begins at the version root, as the service's examples have it: `/solutions/…`. `None`: it says all by itself.
fn with_version(link: &str, from: &Url) -> Option<String> {
    let versions = [Version::V1, Version::Beta].map(Version::segment);
    let is_version = |segment: &str| versions.contains(&segment);
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let is_rooted = path.starts_with('/') && !path.starts_with("//");
    if !is_rooted || path.split('/').any(is_version) {
        return None;
    }
    let mut root = String::new();
    for segment in from.path().split('/').skip(1) {
        root.push('/');
        root.push_str(segment);
        if is_version(segment) {
            return Some(root + link);
        }
    }
    None
}

#[cfg(test)]
mod tests;
