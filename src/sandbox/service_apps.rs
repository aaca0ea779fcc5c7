//! The apps that control the service for a tenant: one of them at a time.

use jiff::Timestamp;

use super::access::By;

/// All registered apps, by serial. The first is this sandbox's own and active from the start.
pub(super) struct ServiceApps {
    apps: Vec<ServiceApp>,
}

/// One registration.
pub(super) struct ServiceApp {
    pub(super) serial: u32,
    pub(super) registered: Timestamp,
    pub(super) modified: (Timestamp, By),
    pub(super) effective: Option<Timestamp>,
    control: Control,
    is_deleted: bool,
}

#[derive(Clone, Copy)]
enum Control {
    No,
    /// From this instant on.
    From(Timestamp),
    Until(Timestamp),
}

impl ServiceApp {
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        match self.control {
            Control::From(at) if now < at => "pendingActive",
            Control::From(_) => "active",
            Control::Until(at) if now < at => "pendingInactive",
            Control::Until(_) | Control::No => "inactive",
        }
    }
}

impl ServiceApps {
    pub(super) fn new(begun: Timestamp) -> Self {
        let mut apps = Self { apps: Vec::new() };
        let own = apps.register(begun, By::APP);
        apps.activate(own, begun, begun, By::APP);
        apps
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ServiceApp> {
        self.apps.iter().filter(|app| !app.is_deleted)
    }

    pub(super) fn get(&self, serial: u32) -> Option<&ServiceApp> {
        self.all().find(|app| app.serial == serial)
    }

    /// Registers one more, which controls nothing yet. Serials are not used twice.
    pub(super) fn register(&mut self, now: Timestamp, by: By) -> u32 {
        let serial = u32::try_from(self.apps.len()).unwrap_or(u32::MAX);
        self.apps.push(ServiceApp {
            serial,
            registered: now,
            modified: (now, by),
            effective: None,
            control: Control::No,
            is_deleted: false,
        });
        serial
    }

    /// Hands control over at an instant; whoever has it until then loses it.
    pub(super) fn activate(&mut self, serial: u32, at: Timestamp, now: Timestamp, by: By) {
        for app in self.apps.iter_mut().filter(|app| !app.is_deleted) {
            if app.serial == serial {
                app.control = Control::From(at);
                app.effective = Some(at);
                app.modified = (now, by);
            } else if let Control::From(_) = app.control {
                app.control = Control::Until(at);
                app.modified = (now, by);
            }
        }
    }

    pub(super) fn deactivate(&mut self, serial: u32, now: Timestamp, until: Timestamp, by: By) {
        if let Some(app) = self.apps.iter_mut().find(|app| app.serial == serial) {
            app.control = Control::Until(until);
            app.modified = (now, by);
        }
    }

    pub(super) fn delete(&mut self, serial: u32) {
        if let Some(app) = self.apps.iter_mut().find(|app| app.serial == serial) {
            app.is_deleted = true;
        }
    }
}
