//! A simulated Microsoft 365 tenant behind real HTTP: the directory, sign-in, and the Backup Storage service.
//!
//! It is written from the service's documentation and shares no types with the client, so that one mistake cannot hide in
//! both. It is at least as strict as the service: what the documentation does not allow is refused.
//!
//! People, units, restore points and their ids are computed from the seed ([`tenant`]); only sessions are stored
//! ([`store`]). Nothing has a timer: states are computed from the [`clock`] when somebody looks.

mod access;
mod answer;
mod broken;
mod browse;
mod bulk;
mod call;
mod clock;
mod control;
mod cursor;
mod expression;
mod fate;
mod faults;
mod filter;
mod id;
mod job;
mod json;
mod keeping;
mod log;
mod odata;
mod operations;
mod options;
mod present;
mod protections;
mod refusals;
mod request;
mod response;
mod router;
mod seal;
mod server;
mod service_apps;
mod session;
mod spoil;
mod state_file;
mod store;
mod tenant;
mod token;
mod wire;
mod workload;

#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use access::Access;
use clock::Clock;
use faults::FaultPlan;
use log::Log;
use state_file::StateFile;
use store::Store;
use tenant::Tenant;
use token::SignIns;

pub use faults::{FaultSpecError, Faults};
pub use options::{Options, SearchCap, SearchCapError};
pub use server::{Running, StartError, start};

/// Everything one sandbox consists of. Operations borrow it; locks are held for the length of one operation at most.
struct Sandbox {
    tenant: Tenant,
    clock: Clock,
    access: Access,
    store: Mutex<Store>,
    /// Where the state is kept, if anywhere. Locked before anything else.
    state: Mutex<Option<StateFile>>,
    log: Mutex<Log>,
    faults: Mutex<FaultPlan>,
    sign_ins: SignIns,
    /// Searches so far; decides who is answered.
    searches: AtomicU32,
    search_cap: SearchCap,
    seed: u64,
    latency: Duration,
    /// Requests so far; numbers their ids.
    requests: AtomicU32,
    /// What the faults are after a reset.
    first_faults: Faults,
}

impl Sandbox {
    fn new(options: &Options, clock: Clock, nonce: u64) -> Self {
        let tenant = Tenant::new(options.seed, options.users, clock.begun());
        Self {
            access: Access::new(&tenant),
            store: Mutex::new(Store::new(nonce, clock.begun())),
            state: Mutex::default(),
            log: Mutex::default(),
            faults: Mutex::new(FaultPlan::new(options.faults.clone(), options.seed)),
            sign_ins: SignIns::default(),
            searches: AtomicU32::new(0),
            search_cap: options.search_cap,
            seed: options.seed,
            latency: options.latency,
            requests: AtomicU32::new(0),
            first_faults: options.faults.clone(),
            tenant,
            clock,
        }
    }

    fn forget(&self, nonce: u64) {
        *lock(&self.store) = Store::new(nonce, self.clock.begun());
        *lock(&self.log) = Log::default();
        *lock(&self.faults) = FaultPlan::new(self.first_faults.clone(), self.seed);
        self.access.reset();
    }

    /// Notes what a well-behaved client would not have done.
    fn violation(&self, violation: String) {
        lock(&self.log).violation(violation);
    }
}

/// Differs from sandbox to sandbox, so that ids of sessions never repeat.
fn nonce() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

/// Locks even after a panic elsewhere: one broken request must not take the whole sandbox with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
