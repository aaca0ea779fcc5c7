//! Protection units, and the index that finds a person's.
//!
//! The service documents no filter by person, and leaves names and addresses empty in app-only calls. So the first look-up
//! lists the workload's units once; the index lives as long as the run.

use std::collections::HashMap;
use std::sync::Arc;

use super::workload::{Owner, Workload};
use super::{BackupError, Service};
use crate::directory::site_url;
use crate::graph::{Call, Json, Pages, Version};

/// All units of one workload.
#[derive(Debug, Default)]
pub(crate) struct UnitIndex {
    units: Vec<Json>,
    by_id: HashMap<Box<str>, u32>,
    /// Usually one; several where somebody left one policy and came under another.
    by_owner: HashMap<Box<str>, Vec<u32>>,
    /// Mail addresses, URLs of sites. Filled in delegated calls only.
    by_address: HashMap<Box<str>, u32>,
}

impl UnitIndex {
    fn insert(&mut self, workload: &Workload, unit: Json) {
        let Some(id) = unit.string("id") else { return };
        let position =
            u32::try_from(self.units.len()).expect("a tenant has fewer than four billion units");
        if let Some(owner) = unit.string(workload.owner) {
            self.by_owner
                .entry(owner.to_ascii_lowercase().into())
                .or_default()
                .push(position);
        }
        let text = |name: &str| unit.string(name).filter(|text| !text.is_empty());
        let address = match workload.owned_by {
            Owner::Person => text("email").map(|address| address.to_ascii_lowercase()),
            Owner::Site => text("siteWebUrl").and_then(|url| site_url(&url)),
        };
        if let Some(address) = address {
            self.by_address.insert(address.into(), position);
        }
        self.by_id.insert(id.into(), position);
        self.units.push(unit);
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Json> {
        self.by_id
            .get(id)
            .map(|&position| &self.units[position as usize])
    }

    pub(crate) fn by_address(&self, address: &str) -> Option<&Json> {
        let address = site_url(address).unwrap_or_else(|| address.to_ascii_lowercase());
        let position = self.by_address.get(address.as_str())?;
        Some(&self.units[*position as usize])
    }

    /// The unit of a person or a site: of several the one that is protected now, else the first.
    ///
    /// The id of a site is `hostname,site collection,web`; some answers hold the site collection alone.
    pub(crate) fn by_owner(&self, owner: &str) -> Option<&Json> {
        let owner = owner.to_ascii_lowercase();
        let collection = owner.split(',').nth(1);
        let positions = self
            .by_owner
            .get(owner.as_str())
            .or_else(|| self.by_owner.get(collection?))?;
        let mut units = positions
            .iter()
            .map(|&position| &self.units[position as usize]);
        let first = units.clone().next();
        units.find(|unit| !has_left(unit)).or(first)
    }
}

/// Whether a unit has left protection: its state says so, or it belongs to no policy any more.
pub(crate) fn has_left(unit: &Json) -> bool {
    match unit.string("status").as_deref() {
        Some("unprotected" | "removeRequested" | "offboarded") => true,
        Some("protected" | "protectRequested") | None => false,
        Some(_) => unit.string("policyId").is_none(),
    }
}

impl Service {
    /// The units of a workload, page by page; `filter` goes to the service as it is.
    pub(crate) fn units(
        &self,
        workload: &Workload,
        filter: Option<&str>,
        version: Option<Version>,
    ) -> Pages {
        let mut path = workload.units_path();
        if let Some(filter) = filter {
            path = format!("{path}?$filter={}", super::encoded(filter));
        }
        let call = Call::get("list protection units", path).version(version);
        self.client.pages(call)
    }

    /// Begins to list a workload's units while something else is still being read. Whether it succeeds shows when the index
    /// is needed.
    pub(crate) async fn warm_unit_index(self: Arc<Self>, workload: &'static Workload) {
        let _ = self.unit_index(workload).await;
    }

    /// The index of a workload's units, made at the first call.
    pub(crate) async fn unit_index(
        &self,
        workload: &'static Workload,
    ) -> Result<&UnitIndex, BackupError> {
        let cell = self.unit_indexes.of(workload);
        cell.get_or_try_init(|| async {
            let bar = self
                .talk
                .bar(&format!("listing protected {}", workload.nouns), None);
            let mut index = UnitIndex::default();
            let mut pages = self.units(workload, None, None);
            while let Some(page) = pages.next().await {
                let page = page?;
                bar.add(page.len() as u64);
                for unit in page {
                    index.insert(workload, unit);
                }
            }
            Ok(index)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::super::workload::{EXCHANGE, SHAREPOINT};
    use super::*;

    fn unit(id: &str, owner: &str, status: &str) -> Json {
        Json::of(
            &serde_json::json!({"id": id, "directoryObjectId": owner, "status": status, "email": null}),
        )
    }

    #[test]
    fn of_several_units_the_protected_one_is_taken() {
        let mut index = UnitIndex::default();
        index.insert(&EXCHANGE, unit("old", "AB", "unprotected"));
        index.insert(&EXCHANGE, unit("now", "ab", "protected"));
        index.insert(&EXCHANGE, unit("gone", "cd", "unprotected"));
        assert_eq!(
            index
                .by_owner("Ab")
                .and_then(|unit| unit.string("id"))
                .as_deref(),
            Some("now")
        );
        assert_eq!(
            index
                .by_owner("cd")
                .and_then(|unit| unit.string("id"))
                .as_deref(),
            Some("gone")
        );
        assert!(index.by_owner("x").is_none() && index.by_address("").is_none());
    }

    #[test]
    fn a_site_is_found_by_either_form_of_its_id_and_by_its_url() {
        let mut index = UnitIndex::default();
        let unit = |id: &str, site: &str, url: Option<&str>| {
            Json::of(&serde_json::json!({"id": id, "siteId": site, "siteWebUrl": url}))
        };
        let url = "https://Contoso.sharepoint.com/sites/HR/";
        index.insert(
            &SHAREPOINT,
            unit("1", "contoso.sharepoint.com,A1,b1", Some(url)),
        );
        index.insert(&SHAREPOINT, unit("2", "a2", None));
        let id = |found: Option<&Json>| found.and_then(|unit| unit.string("id"));
        let owner = |text: &str| id(index.by_owner(text));
        assert_eq!(owner("contoso.sharepoint.com,a1,b1").as_deref(), Some("1"));
        assert_eq!(owner("contoso.sharepoint.com,A2,b2").as_deref(), Some("2"));
        assert_eq!(owner("contoso.sharepoint.com,a3,b1"), None);
        let address = index.by_address("https://contoso.sharepoint.com/Sites/hr");
        assert_eq!(id(address).as_deref(), Some("1"));
    }
}
