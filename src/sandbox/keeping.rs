//! How the sandbox comes out of its state file, and what it writes there.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

use axum::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use jiff::Timestamp;

use super::access::{By, Caller, wall_millis};
use super::answer::{Answer, Refusal};
use super::call::Call;
use super::clock::Clock;
use super::faults::Fault;
use super::job::{Inbound, Job};
use super::state_file::{Change, Event, Found, Header, Line, StateFile, Total};
use super::{Options, Sandbox, control, lock, nonce, refusals};

/// Service time after a line.
fn ends(line: &Line) -> Timestamp {
    let advance = match &line.what {
        Event::Control { control, body, .. } if control == "clock" => control::advance(body).ok(),
        _ => None,
    };
    let then = line.at.saturating_add(advance.unwrap_or_default());
    then.unwrap_or(Timestamp::MAX)
}

impl Sandbox {
    /// A new sandbox, or the one in the file.
    pub(super) fn open(options: &Options) -> io::Result<Self> {
        let Some(path) = &options.state else {
            return Ok(Self::new(options, Clock::start(options.speed), nonce()));
        };
        match Found::read(path)? {
            None => {
                let sandbox = Self::new(options, Clock::start(options.speed), nonce());
                let header = sandbox.header(lock(&sandbox.store).nonce());
                let file = StateFile::create(path, &header, &[], None)?;
                *lock(&sandbox.state) = Some(file);
                Ok(sandbox)
            }
            Some(found) => Self::reopen(options, path, found),
        }
    }

    fn header(&self, nonce: u64) -> Header {
        Header::new(self.seed, self.tenant.users(), self.clock.begun(), nonce)
    }

    /// Time stood still while it was closed: restores go on where they were.
    fn reopen(options: &Options, path: &Path, mut found: Found) -> io::Result<Self> {
        let header = found.header.clone();
        if (options.seed, options.users) != (header.seed, header.users) {
            let Header { users, seed, .. } = header;
            let why = format!(
                "it holds a tenant of {users} users with seed {seed}: start it with `--users {users} --seed {seed}`"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let last = found.lines.iter().map(ends).max();
        let last = last.unwrap_or(header.begun);
        let clock = Clock::resume(options.speed, header.begun, last);
        let sandbox = Self::new(options, clock, header.nonce);
        let mut total = Total::default();
        let mut kept = Vec::new();
        for line in std::mem::take(&mut found.lines) {
            match &line.what {
                Event::Total { total: before } => {
                    total = before.clone();
                    lock(&sandbox.faults).restore(&total.rules, total.asked, &total.hits);
                    continue;
                }
                Event::Count {
                    count,
                    violation,
                    hits,
                } => {
                    *total.counts.entry(count.clone()).or_default() += 1;
                    total.violations.extend(violation.clone());
                    lock(&sandbox.faults).passed(hits.as_deref());
                    continue;
                }
                // Where the clock is now is known already. What was refused is refused again.
                Event::Control { control, .. } if control == "clock" => {}
                Event::Call(change) => drop(sandbox.again(change, line.at)),
                Event::Control {
                    control,
                    wall,
                    body,
                } => drop(control::change(&sandbox, control, body, *wall, line.at)),
            }
            kept.push(line);
        }
        let requests = total.counts.values().sum::<u64>();
        let requests = u32::try_from(requests).unwrap_or(u32::MAX);
        sandbox.requests.store(requests, Ordering::Relaxed);
        lock(&sandbox.log).restore(&total);
        (total.rules, total.asked, total.hits) = lock(&sandbox.faults).state();
        kept.push(Line {
            at: last,
            what: Event::Total { total },
        });
        let file = StateFile::create(path, &header, &kept, Some(found))?;
        *lock(&sandbox.state) = Some(file);
        Ok(sandbox)
    }

    /// Carries a change from the file out.
    fn again(&self, change: &Change, at: Timestamp) -> Result<Answer, Refusal> {
        let unreadable = || refusals::NOT_FOUND;
        let (method, path) = change.call.split_once(' ').ok_or_else(unreadable)?;
        let beta = path.starts_with("/beta");
        let root = if beta { "/beta" } else { "/v1.0" };
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&change.content_type) {
            headers.insert("content-type", value);
        }
        let inbound = Inbound {
            method: method.parse::<Method>().map_err(|_| unreadable())?,
            root: root.to_owned(),
            beta,
            path: path.strip_prefix(root).unwrap_or(path).to_owned(),
            query: String::new(),
            headers,
            body: Bytes::from(change.body.clone()),
        };
        let by = By { person: change.by };
        Job::new(inbound, Ok(Caller::again(by))).run_again(self, at)
    }

    /// Notes a request that has come in and deals it a fault.
    pub(super) fn arrives(
        &self,
        template: &str,
        caller: Option<&Caller>,
        sign_in: bool,
    ) -> Option<Fault> {
        let violation = lock(&self.log).request(template, caller);
        let mut faults = lock(&self.faults);
        let fault = faults.roll(template, sign_in);
        let hits = fault.is_some().then(|| faults.state().2);
        drop(faults);
        if let Some(file) = &mut *lock(&self.state) {
            let line = Line {
                at: self.clock.now(),
                what: Event::Count {
                    count: template.to_owned(),
                    violation,
                    hits,
                },
            };
            // A count that is lost is a pity; the next change says that the file cannot be written.
            let _ = file.append(&line);
        }
        fault
    }

    /// Carries out what can change something: first it is written to the file, if there is one.
    pub(super) fn commit<T>(
        &self,
        what: impl FnOnce() -> Event,
        act: impl FnOnce(Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        // Held until the work is done: the order in the file is that of the work.
        let mut state = lock(&self.state);
        let now = self.clock.now();
        if let Some(file) = &mut *state {
            let line = Line {
                at: now,
                what: what(),
            };
            file.append(&line).map_err(|error| {
                refusals::UNAVAILABLE.because(format!("the state file cannot be written: {error}"))
            })?;
        } else {
            drop(state);
        }
        act(now)
    }

    /// The line for a call.
    pub(super) fn change(call: &Call, method: &Method) -> Event {
        let version = if call.beta { "beta" } else { "v1.0" };
        let content_type = call.headers.get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok());
        Event::Call(Change {
            call: format!("{method} /{version}{}", call.path),
            by: call.by().person,
            content_type: content_type.unwrap_or_default().to_owned(),
            body: String::from_utf8_lossy(&call.body).into_owned(),
        })
    }

    /// Forgets sessions, broken things, counts and violations. Tokens stay valid and the clock goes on.
    pub(super) fn reset(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        let nonce = nonce();
        self.forget(nonce);
        match &mut *state {
            Some(file) => {
                file.reset(&self.header(nonce))?;
                let total = Total::default();
                let at = self.clock.now();
                let what = Event::Total { total };
                file.append(&Line { at, what })
            }
            None => Ok(()),
        }
    }

    /// The line for a call below `/_sandbox`.
    pub(super) fn control_line(
        name: &str,
        body: &serde_json::Map<String, serde_json::Value>,
    ) -> (Event, u64) {
        let wall = wall_millis();
        let event = Event::Control {
            control: name.to_owned(),
            wall,
            body: body.clone(),
        };
        (event, wall)
    }
}
