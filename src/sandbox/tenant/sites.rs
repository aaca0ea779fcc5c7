//! Sites, and the personal sites behind drives: names, addresses, ids.

use jiff::{SignedDuration, Timestamp};

use super::{Kind, Tenant, Unit};

pub(in crate::sandbox) const HOST: &str = "contoso.sharepoint.example";
const PERSONAL_HOST: &str = "contoso-my.sharepoint.example";

/// The first sites: name and path. Two names occur twice, one site is the root.
const NAMED: [(&str, &str); 15] = [
    ("Engineering Archive", "/sites/engineering-archive"),
    ("Finance", "/sites/finance"),
    ("Finance", "/sites/finance-emea"),
    ("Marketing", "/sites/marketing"),
    ("Human Resources", "/sites/human-resources"),
    ("Legal", "/sites/legal"),
    ("Project Aurora", "/teams/project-aurora"),
    ("Project Aurora", "/teams/aurora-partners"),
    ("Contoso", ""),
    ("Vertrieb Süd", "/sites/vertrieb-sued"),
    ("Conseil d'administration", "/sites/conseil"),
    ("Customer Support", "/sites/support"),
    ("IT", "/sites/it"),
    ("R&D <Lab 7>", "/sites/lab7"),
    ("Communication", "/sites/communication"),
];

/// Position of the root site in [`NAMED`].
const ROOT: u32 = 8;

const TOPICS: [&str; 16] = [
    "Accounting",
    "Board",
    "Compliance",
    "Design",
    "Events",
    "Facilities",
    "Field Service",
    "Investor Relations",
    "Logistics",
    "Onboarding",
    "Partners",
    "Procurement",
    "Quality",
    "Sales",
    "Training",
    "Wiki",
];

/// A site, derived from a position.
#[derive(Clone, Copy)]
pub(in crate::sandbox) struct Site<'tenant> {
    pub(in crate::sandbox) index: u32,
    tenant: &'tenant Tenant,
}

/// A site that holds files: that of a team, or the personal one behind a drive.
pub(in crate::sandbox) struct Place {
    /// Host, collection, web.
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) url: String,
}

impl Tenant {
    pub(in crate::sandbox) fn site(&self, index: u32) -> Site<'_> {
        Site {
            index,
            tenant: self,
        }
    }

    /// The three-part id of a site.
    pub(in crate::sandbox) fn site_id(&self, index: u32) -> String {
        let collection = self.ids.make(Kind::Site, index, 0);
        let web = self.ids.make(Kind::Site, index, 1);
        format!("{HOST},{collection},{web}")
    }

    /// The site with this three-part id.
    pub(in crate::sandbox) fn find_site(&self, id: &str) -> Option<Site<'_>> {
        let mut parts = id.split(',');
        let host = parts.next()?;
        let mut part = |slot: u64| {
            let id = crate::sandbox::id::parse(parts.next()?)?;
            let name = self.ids.read(id)?;
            (name.kind == Kind::Site && name.slot == slot).then_some(name.index)
        };
        let (collection, web) = (part(0)?, part(1)?);
        let whole = host.eq_ignore_ascii_case(HOST) && collection == web && parts.next().is_none();
        (whole && collection < self.sites()).then(|| self.site(collection))
    }

    /// The site at a path of the host, such as `/sites/finance`; an empty path is the root site.
    pub(in crate::sandbox) fn find_site_at(&self, path: &str) -> Option<Site<'_>> {
        let path = path.trim_end_matches('/');
        let named = NAMED
            .iter()
            .position(|(_, own)| own.eq_ignore_ascii_case(path));
        let index = match named {
            Some(position) => u32::try_from(position).ok()?,
            None => path.rsplit_once('-')?.1.parse().ok()?,
        };
        let site = (index < self.sites()).then(|| self.site(index))?;
        site.path().eq_ignore_ascii_case(path).then_some(site)
    }

    /// The site with this address.
    pub(in crate::sandbox) fn find_site_by_url(&self, url: &str) -> Option<Site<'_>> {
        let rest = strip_prefix_ignoring_case(url, "https://")?;
        let path = strip_prefix_ignoring_case(rest, HOST)?;
        (path.is_empty() || path.starts_with('/'))
            .then(|| self.find_site_at(path))
            .flatten()
    }

    pub(in crate::sandbox) fn root_site(&self) -> Option<Site<'_>> {
        (ROOT < self.sites()).then(|| self.site(ROOT))
    }

    /// Where the files of a drive or a site are.
    pub(in crate::sandbox) fn place(&self, unit: &Unit) -> Place {
        if !unit.workload.of_people {
            let site = self.site(unit.index);
            return Place {
                id: site.id(),
                name: site.name().to_owned(),
                url: site.url(),
            };
        }
        let part = |slot: u64| self.ids.make(Kind::Drive, unit.index, slot);
        Place {
            id: format!("{PERSONAL_HOST},{},{}", part(1), part(2)),
            name: self.person(unit.index).display_name(),
            url: self.personal_url(unit.index),
        }
    }

    /// The address of a person's personal site; their drive is its library `Documents`.
    pub(in crate::sandbox) fn personal_url(&self, index: u32) -> String {
        let name = self.person(index).upn().replace(['.', '@'], "_");
        format!("https://{PERSONAL_HOST}/personal/{name}")
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

impl Site<'_> {
    pub(in crate::sandbox) fn id(&self) -> String {
        self.tenant.site_id(self.index)
    }

    fn named(&self) -> Option<&'static (&'static str, &'static str)> {
        NAMED.get(usize::try_from(self.index).ok()?)
    }

    fn topic(&self) -> &'static str {
        let dice = self.tenant.dice(0xf1, u64::from(self.index));
        TOPICS[usize::try_from(dice % 16).expect("below 16")]
    }

    pub(in crate::sandbox) fn name(&self) -> &'static str {
        self.named().map_or_else(|| self.topic(), |(name, _)| name)
    }

    fn path(&self) -> String {
        match self.named() {
            Some((_, path)) => (*path).to_owned(),
            None => format!(
                "/sites/{}-{}",
                self.topic().to_lowercase().replace(' ', "-"),
                self.index
            ),
        }
    }

    pub(in crate::sandbox) fn url(&self) -> String {
        format!("https://{HOST}{}", self.path())
    }

    /// The last part of its path.
    pub(in crate::sandbox) fn short_name(&self) -> String {
        self.path()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    pub(in crate::sandbox) fn created(&self) -> Timestamp {
        let days = self.tenant.dice(0xf2, u64::from(self.index)) % 1_500;
        let days = i64::try_from(days).expect("below 1,500");
        self.tenant.begun - SignedDuration::from_hours(24 * (700 + days))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_site_is_found_by_id_and_by_address() {
        let tenant = Tenant::new(1, 2_000, Timestamp::UNIX_EPOCH);
        let mut seen = HashSet::new();
        for index in 0..tenant.sites() {
            let site = tenant.site(index);
            let found = tenant.find_site(&site.id()).map(|found| found.index);
            assert_eq!(found, Some(index));
            let url = site.url();
            let found = tenant.find_site_by_url(&url).map(|found| found.index);
            assert_eq!(found, Some(index), "{url}");
            assert!(seen.insert(url));
        }
        let names: HashSet<&str> = (0..15).map(|index| tenant.site(index).name()).collect();
        assert_eq!(names.len(), 13);
        for wrong in [
            "https://contoso.sharepoint.example.evil/sites/finance",
            "http://contoso.sharepoint.example/sites/finance",
            "https://contoso.sharepoint.example/sites/finance-1",
            "",
        ] {
            assert!(tenant.find_site_by_url(wrong).is_none(), "{wrong}");
        }
    }
}
