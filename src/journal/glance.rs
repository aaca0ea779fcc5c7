//! What other processes have left for a run to see: a hold on all requests to a tenant, a wish from another terminal.
//!
//! Both are asked for before every request, so they are read again only after a moment.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::row::{maybe_instant, text_of, unreadable};
use super::{Journal, JournalError};

const A_MOMENT: Duration = Duration::from_millis(200);

/// What somebody at another terminal wants of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// No more activations.
    Stop,
    /// No more waves until it is to continue.
    Pause,
    Continue,
}

impl Wish {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Continue => "continue",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::Stop, Self::Pause, Self::Continue]
            .into_iter()
            .find(|wish| wish.name() == name)
    }
}

#[derive(Default)]
pub(super) struct Glance {
    holds: Mutex<HashMap<String, Glimpse<Timestamp>>>,
    wishes: Mutex<HashMap<String, Glimpse<Wish>>>,
}

/// A value, and when it was read.
#[derive(Clone, Copy)]
struct Glimpse<T> {
    value: Option<T>,
    read: Option<Instant>,
}

impl<T: Copy> Glimpse<T> {
    fn is_fresh(&self, now: Instant) -> bool {
        self.read
            .is_some_and(|read| now.saturating_duration_since(read) < A_MOMENT)
    }
}

impl Journal {
    /// Nobody of this folder asks this tenant for anything until then. The later hold counts.
    pub(crate) fn hold_until(&self, tenant: &str, until: Timestamp) {
        {
            let mut holds = lock(&self.0.glance.holds);
            let hold = holds.entry(tenant.to_owned()).or_insert(Glimpse {
                value: None,
                read: None,
            });
            hold.value = hold.value.max(Some(until));
        }
        let tenant = tenant.to_owned();
        self.work_later(move |database| {
            database
                .prepare_cached(
                    "INSERT INTO holds (tenant, held_until) VALUES (?1, ?2)
                     ON CONFLICT (tenant) DO UPDATE SET held_until = excluded.held_until
                     WHERE excluded.held_until > holds.held_until",
                )?
                .execute(params![tenant, text_of(until)])?;
            Ok(())
        });
    }

    /// The last hold on a tenant, which may be over. At most a moment old.
    pub(crate) fn held_until(&self, tenant: &str) -> Option<Timestamp> {
        self.held_until_at(tenant, Instant::now())
    }

    pub(super) fn held_until_at(&self, tenant: &str, now: Instant) -> Option<Timestamp> {
        if let Some(hold) = lock(&self.0.glance.holds).get(tenant)
            && hold.is_fresh(now)
        {
            return hold.value;
        }
        // A journal that cannot be read says so at the next record; a hold is no promise that depends on it.
        let read = self.peek(|database| {
            database
                .prepare_cached("SELECT held_until FROM holds WHERE tenant = ?1")?
                .query_row([tenant], |row| maybe_instant(row, 0))
                .optional()
        });
        let read = read.ok().flatten().flatten();
        let mut holds = lock(&self.0.glance.holds);
        let known = holds.get(tenant).and_then(|hold| hold.value);
        // Our own may not be on disk yet.
        let value = read.max(known);
        let read = Some(now);
        holds.insert(tenant.to_owned(), Glimpse { value, read });
        value
    }

    /// Leaves a wish for a run. A later one replaces it.
    pub(crate) fn wish(&self, run: &str, wish: Wish) -> Result<(), JournalError> {
        let of = run.to_owned();
        self.work_blocking(move |database| {
            database
                .prepare_cached(
                    "INSERT INTO wishes (run, wish) VALUES (?1, ?2)
                     ON CONFLICT (run) DO UPDATE SET wish = excluded.wish",
                )?
                .execute([of.as_str(), wish.name()])?;
            Ok(())
        })?;
        lock(&self.0.glance.wishes).remove(run);
        Ok(())
    }

    /// What a run is wished; nothing since it was resumed is nothing. At most a moment old.
    pub(crate) fn wished(&self, run: &str) -> Option<Wish> {
        self.wished_at(run, Instant::now())
    }

    /// The same as of now: before something that cannot be taken back.
    pub(crate) fn wished_now(&self, run: &str) -> Option<Wish> {
        lock(&self.0.glance.wishes).remove(run);
        self.wished(run)
    }

    pub(super) fn wished_at(&self, run: &str, now: Instant) -> Option<Wish> {
        if let Some(wish) = lock(&self.0.glance.wishes).get(run)
            && wish.is_fresh(now)
        {
            return wish.value;
        }
        let read = self.peek(|database| {
            let name: Option<String> = database
                .prepare_cached("SELECT wish FROM wishes WHERE run = ?1")?
                .query_row([run], |row| row.get(0))
                .optional()?;
            name.map(|name| {
                Wish::of_name(&name).ok_or_else(|| unreadable(0, format!("nobody wishes `{name}`")))
            })
            .transpose()
        });
        // As above: asked again a moment later.
        let value = read.ok().flatten();
        let read = Some(now);
        lock(&self.0.glance.wishes).insert(run.to_owned(), Glimpse { value, read });
        value
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
