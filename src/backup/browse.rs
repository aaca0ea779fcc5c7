//! Browse sessions: looking into a restore point of a OneDrive or a site, folder by folder.

mod look;
mod walk;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::books::ItemPoint;
use super::point::{has_tag, unit_of};
use super::workload::{ROOT, Workload};
use super::{BackupError, Service};
use crate::changes::{Change, Key, origin};
use crate::graph::{Call, Json, Pages, Version};

pub(crate) use walk::{Found, Listing, Walk, pattern};

/// Whose files a browse session shows, as the books call it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) unit: Option<String>,
    pub(crate) point: Option<ItemPoint>,
}

/// One browse session. It expires by itself; nothing has to be tidied up.
pub(crate) struct Browse {
    pub(crate) id: Arc<str>,
    pub(crate) workload: &'static Workload,
    pub(crate) version: Option<Version>,
    pub(super) service: Arc<Service>,
    /// When the service gave us the id, on our clock; `None` for a session that was there before.
    since: Option<Timestamp>,
    /// The newest answer about it.
    json: Mutex<Json>,
    /// Known where this run has made it.
    shown: Option<Shown>,
}

/// A place that can be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// `None`: the top, which holds the site itself.
    pub(crate) key: Option<String>,
    /// `site`, `documentLibrary`, `folder`.
    pub(crate) kind: String,
    /// From the top, names joined by `/`; empty at the top.
    pub(crate) path: String,
}

impl Place {
    pub(crate) fn top() -> Self {
        Self {
            key: None,
            kind: String::new(),
            path: String::new(),
        }
    }

    /// The place that an item is; `None` for a file, and for an item without a key.
    pub(crate) fn of(item: &Json, path: String) -> Option<Self> {
        let kind = item.string("type")?;
        if !matches!(&*kind, "site" | "documentLibrary" | "folder") {
            return None;
        }
        Some(Self {
            key: Some(item.string("itemKey")?),
            kind,
            path,
        })
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.path)
        }
    }
}

impl Service {
    /// Makes a browse session of a restore point.
    ///
    /// # Errors
    /// [`BackupError::NotBrowsable`] before anything is sent, where the point says that it cannot be browsed.
    pub(crate) async fn create_browse(
        &self,
        workload: &'static Workload,
        point: &Json,
        version: Option<Version>,
    ) -> Result<Arc<Browse>, BackupError> {
        let id = point.string("id").unwrap_or_default();
        if point.string("tags").is_some() && !has_tag(point, "fastRestore") {
            return Err(BackupError::NotBrowsable { point: id });
        }
        let path = format!("{ROOT}/{}", collection(workload));
        let call = Call::post("create browse session", path)
            .making()
            .json(&serde_json::json!({"restorePointId": id}))
            .version(version);
        let look = look::Expiring { service: self.me() };
        let key = Key::Once(format!("browse/{}", origin::current().mark()));
        let deed = self.deed_of_browse(workload, point).await?;
        let change = Change::draft(call, key).about(deed);
        let settled = match self.door.send(change, &look).await {
            Ok(settled) => settled,
            Err(refusal) => return Err(self.or_locked(refusal).await),
        };
        let shown = Shown {
            unit: unit_of(point),
            point: Some(ItemPoint {
                id,
                protection_date_time: point.string("protectionDateTime"),
            }),
        };
        let since = Some(settled.at);
        let browse = self.browse_of(workload, settled.json, version, since, Some(shown));
        self.know_browse(browse.clone());
        Ok(browse)
    }

    /// A browse session by its id.
    pub(crate) async fn browse(
        &self,
        workload: &'static Workload,
        id: &str,
        version: Option<Version>,
    ) -> Result<Arc<Browse>, BackupError> {
        let path = browse_path(workload, id);
        let call = Call::get("get browse session", path).version(version);
        let read = async { Ok(self.client.read(call).await?.json()) };
        let json = self.learn("state", id, read).await?;
        Ok(self.known_browse(workload, json, version))
    }

    /// A browse session that the service has, as this run knows it where it does.
    pub(crate) fn known_browse(
        &self,
        workload: &'static Workload,
        json: Json,
        version: Option<Version>,
    ) -> Arc<Browse> {
        let id = json.string("id").unwrap_or_default();
        if let Some(known) = self.browse_by_id(&id) {
            known.keep(json);
            return known;
        }
        let browse = self.browse_of(workload, json, version, None, None);
        self.know_browse(browse.clone());
        browse
    }

    fn browse_of(
        &self,
        workload: &'static Workload,
        json: Json,
        version: Option<Version>,
        since: Option<Timestamp>,
        shown: Option<Shown>,
    ) -> Arc<Browse> {
        Arc::new(Browse {
            id: json.string("id").unwrap_or_default().into(),
            workload,
            version,
            service: self.me(),
            since,
            json: Mutex::new(json),
            shown,
        })
    }

    /// The browse sessions of one workload, or of both together.
    pub(crate) fn browses(
        &self,
        workload: Option<&'static Workload>,
        version: Option<Version>,
    ) -> Pages {
        let collection = workload.map_or("browseSessions", collection);
        let call = Call::get("list browse sessions", format!("{ROOT}/{collection}"));
        self.client.pages(call.version(version))
    }
}

fn collection(workload: &Workload) -> &'static str {
    workload
        .browse
        .map_or("browseSessions", |(collection, _)| collection)
}

fn browse_path(workload: &Workload, id: &str) -> String {
    format!("{ROOT}/{}/{}", collection(workload), super::encoded(id))
}

impl Browse {
    pub(crate) fn json(&self) -> Json {
        self.json
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, json: Json) {
        if json.string("id").as_deref() == Some(&*self.id) {
            *self.json.lock().unwrap_or_else(PoisonError::into_inner) = json;
        }
    }

    /// Asks the service for its newest state.
    pub(crate) async fn refresh(&self) -> Result<(), BackupError> {
        let call = Call::get("get browse session", browse_path(self.workload, &self.id))
            .version(self.version)
            .fresh_since(self.since);
        let read = async { Ok(self.service.client.read(call).await?.json()) };
        let json = self.service.learn("state", &self.id, read).await?;
        self.keep(json);
        Ok(())
    }

    /// Waits until it can be looked into.
    ///
    /// # Errors
    /// [`BackupError::BrowseFailed`], with the service's code.
    pub(crate) async fn wait(&self) -> Result<(), BackupError> {
        let mut schedule = self.service.schedule();
        if let Some(json) = self.service.recall_state(&self.id) {
            self.keep(json);
        }
        loop {
            let json = self.json();
            match json.string("status").as_deref() {
                Some("created") => return Ok(()),
                Some("creating") => {}
                status => {
                    let error = json.property("error");
                    let text = |name: &str| error.as_ref()?.string(name);
                    return Err(BackupError::BrowseFailed {
                        session: self.id.to_string(),
                        code: text("code").unwrap_or_else(|| "BrowseSessionFailed".to_owned()),
                        why: text("message").unwrap_or_else(|| {
                            format!("it is {}", status.unwrap_or("without a status"))
                        }),
                    });
                }
            }
            self.service.sleep(schedule.next()).await?;
            self.refresh().await?;
        }
    }

    /// What is at a place. The first page is asked for by POST, the others by their links.
    fn pages(&self, place: &Place) -> Pages {
        let body = match &place.key {
            None => serde_json::json!({}),
            Some(key) => serde_json::json!({
                "browseLocationItemKey": key,
                "browseResourceType": place.kind,
            }),
        };
        let path = format!("{}/browse", browse_path(self.workload, &self.id));
        let call = Call::post("browse", path)
            .json(&body)
            .version(self.version)
            .fresh_since(self.since);
        self.service.client.pages(call)
    }

    /// The place at a path: names joined by `/`, case ignored. The name of the one site at the top may be left out.
    ///
    /// # Errors
    /// [`BackupError::NoSuchPath`].
    pub(crate) async fn locate(&self, path: &str) -> Result<Place, BackupError> {
        let names: Vec<&str> = path.split('/').map(str::trim).collect();
        let names = names.into_iter().filter(|name| !name.is_empty()).peekable();
        let mut place = Place::top();
        for name in names {
            let next = match self.child(&place, name).await? {
                Child::Named(found) => Some(found),
                Child::Only(site) if place.key.is_none() => match self.child(&site, name).await? {
                    Child::Named(found) => Some(found),
                    _ => None,
                },
                _ => None,
            };
            place = next.ok_or_else(|| BackupError::NoSuchPath {
                session: self.id.to_string(),
                path: place.below(name),
            })?;
        }
        Ok(place)
    }

    async fn child(&self, place: &Place, name: &str) -> Result<Child, BackupError> {
        let mut pages = self.pages(place);
        let mut places = 0;
        let mut last = None;
        while let Some(page) = pages.next().await {
            for item in page? {
                let own = item.string("name").unwrap_or_default();
                let Some(found) = Place::of(&item, place.below(&own)) else {
                    continue;
                };
                if own.to_lowercase() == name.to_lowercase() {
                    return Ok(Child::Named(found));
                }
                places += 1;
                last = Some(found);
            }
        }
        Ok(match last {
            Some(only) if places == 1 => Child::Only(only),
            _ => Child::None,
        })
    }

    /// The unit and the point that it shows, as far as can be told: a session that was made elsewhere names the owner.
    pub(crate) async fn shown(&self) -> Result<Shown, BackupError> {
        if let Some(shown) = &self.shown {
            return Ok(shown.clone());
        }
        let json = self.json();
        let point = json.string("restorePointId").map(|id| ItemPoint {
            id,
            protection_date_time: json.string("restorePointDateTime"),
        });
        let unit = match json.string(self.workload.owner) {
            Some(owner) => {
                let index = self.service.unit_index(self.workload).await?;
                index.by_owner(&owner).and_then(|unit| unit.string("id"))
            }
            None => None,
        };
        Ok(Shown { unit, point })
    }
}

/// What a look for a name among the places in a place has shown.
enum Child {
    Named(Place),
    /// Nothing of that name, and this is the only place there.
    Only(Place),
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_grow_from_the_top_and_files_are_no_places() {
        let item = |kind: &str| {
            Json::of(&serde_json::json!({"itemKey": "1,2", "name": "Documents", "type": kind}))
        };
        let library = Place::of(&item("documentLibrary"), Place::top().below("Documents")).unwrap();
        assert_eq!(library.path, "Documents");
        assert_eq!(library.below("Reports"), "Documents/Reports");
        assert_eq!(Place::of(&item("file"), String::new()), None);
    }
}
