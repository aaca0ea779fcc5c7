//! The files of drives and sites, as a restore point holds them. Computed: a tree of a hundred thousand files takes no
//! memory, and no two looks at it differ.
//!
//! A library has `folders` folders, numbered as in a heap: folder 0 is its root, and the subfolders of folder *f* are
//! *f* · 6 + 1 to *f* · 6 + 6. Of its `files` files the first twentieth lies in folder 1, a flat one, and the rest is
//! dealt out to all folders in turn.

mod keys;
mod names;

use jiff::{SignedDuration, Timestamp};

use super::{Place, Point, Tenant, Unit};
use crate::sandbox::id::mix;

const SUBFOLDERS: u32 = 6;
const FILES_PER_FOLDER: u32 = 40;
const FLAT_FOLDER: u32 = 1;
/// Files of the large drive and the large site.
const LARGE: u32 = 100_000;

/// The files of one unit as one restore point holds them, or as they are at an instant.
pub(in crate::sandbox) struct Tree<'tenant> {
    tenant: &'tenant Tenant,
    unit: Unit,
    at: Timestamp,
    place: Place,
}

/// A place in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::sandbox) enum Node {
    Site,
    /// The number of the library.
    Library(u32),
    Folder {
        library: u32,
        number: u32,
    },
    File {
        library: u32,
        number: u32,
    },
}

impl Node {
    /// The member of `browseQueryResponseItemType`, and of `browsableResourceType` where it can be browsed.
    pub(in crate::sandbox) fn type_name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Library(_) => "documentLibrary",
            Self::Folder { .. } => "folder",
            Self::File { .. } => "file",
        }
    }
}

impl Tenant {
    /// What a restore point holds.
    pub(in crate::sandbox) fn tree(&self, point: &Point) -> Tree<'_> {
        self.tree_at(point.unit, point.made())
    }

    /// What was in a drive or site at an instant.
    pub(in crate::sandbox) fn tree_at(&self, unit: Unit, at: Timestamp) -> Tree<'_> {
        Tree {
            tenant: self,
            unit,
            at,
            place: self.place(&unit),
        }
    }
}

impl Tree<'_> {
    fn dice(&self, about: u64, library: u32, number: u32) -> u64 {
        let unit = u64::from(self.unit.workload.number) << 32 | u64::from(self.unit.index);
        let place = u64::from(library) << 32 | u64::from(number);
        mix(self.tenant.dice(about, unit), place)
    }

    /// All files that were ever there.
    pub(in crate::sandbox) fn size(&self) -> u32 {
        if Tenant::is_large(&self.unit) {
            return LARGE;
        }
        40 + u32::try_from(self.dice(0x10, 0, 0) % 1_500).expect("below 1,500")
    }

    /// A drive is one library; a site has a second, smaller one.
    fn libraries(&self) -> u32 {
        if self.unit.workload.of_people { 1 } else { 2 }
    }

    fn files(&self, library: u32) -> u32 {
        let smaller = self.size() / 10;
        match (self.libraries(), library) {
            (1, _) => self.size(),
            (_, 0) => self.size() - smaller,
            _ => smaller,
        }
    }

    fn folders(&self, library: u32) -> u32 {
        self.files(library).div_ceil(FILES_PER_FOLDER).max(2)
    }

    fn flat(&self, library: u32) -> u32 {
        self.files(library) / 20
    }

    /// The places directly below one: folders first, then files.
    pub(in crate::sandbox) fn children(&self, node: Node) -> Vec<Node> {
        let (library, folder) = match node {
            Node::Site => return (0..self.libraries()).map(Node::Library).collect(),
            Node::Library(library) => (library, 0),
            Node::Folder { library, number } => (library, number),
            Node::File { .. } => return Vec::new(),
        };
        let (files, folders, flat) = (
            self.files(library),
            self.folders(library),
            self.flat(library),
        );
        let first = folder.saturating_mul(SUBFOLDERS).saturating_add(1);
        let below = (first..first.saturating_add(SUBFOLDERS)).filter(|number| *number < folders);
        let below = below.map(|number| Node::Folder { library, number });
        let step = usize::try_from(folders).expect("some thousand folders");
        let dealt = (flat + folder..files).step_by(step);
        let own = (0..flat).filter(|_| folder == FLAT_FOLDER);
        let own = own
            .chain(dealt)
            .map(|number| Node::File { library, number });
        below.chain(own.filter(|file| self.exists(*file))).collect()
    }

    /// True where a place was there then. Folders always are; some files were made or deleted of late.
    pub(in crate::sandbox) fn exists(&self, node: Node) -> bool {
        match node {
            Node::Site => true,
            Node::Library(library) => library < self.libraries(),
            Node::Folder { library, number } => {
                library < self.libraries() && 0 < number && number < self.folders(library)
            }
            Node::File { library, number } => {
                let known = library < self.libraries() && number < self.files(library);
                known
                    && self.born(library, number) <= self.at
                    && self.at < self.died(library, number)
            }
        }
    }

    /// Files whose number says so are invoices: one in fifty, there at all times.
    fn is_invoice(number: u32) -> bool {
        number % 50 == 7
    }

    fn hours_before(&self, hours: u64) -> Timestamp {
        let hours = i64::try_from(hours).unwrap_or_default();
        self.tenant.begun - SignedDuration::from_hours(hours)
    }

    fn born(&self, library: u32, number: u32) -> Timestamp {
        let dice = self.dice(0x11, library, number);
        if dice % 1_000 < 40 && !Self::is_invoice(number) {
            // Within the last sixty days.
            self.hours_before(1 + dice / 1_000 % 1_440)
        } else {
            self.hours_before(24 * 700 + dice / 1_000 % 20_000)
        }
    }

    fn died(&self, library: u32, number: u32) -> Timestamp {
        let dice = self.dice(0x12, library, number);
        if dice % 1_000 < 30 && !Self::is_invoice(number) {
            // Within the last twenty days.
            self.hours_before(1 + dice / 1_000 % 480)
        } else {
            Timestamp::MAX
        }
    }

    pub(in crate::sandbox) fn created(&self, node: Node) -> Timestamp {
        match node {
            Node::File { library, number } => self.born(library, number),
            _ => self.hours_before(24 * 700 + 20_000),
        }
    }

    /// One file in ten is changed every week.
    pub(in crate::sandbox) fn modified(&self, node: Node) -> Timestamp {
        let created = self.created(node);
        let Node::File { library, number } = node else {
            return created;
        };
        let dice = self.dice(0x13, library, number);
        let hours = i64::try_from(dice / 16 % 600).unwrap_or_default();
        if dice.is_multiple_of(10) {
            let week = self.at.as_second().div_euclid(604_800) * 604_800;
            let monday = Timestamp::from_second(week).unwrap_or(created);
            return created.max(monday);
        }
        (created + SignedDuration::from_hours(hours)).min(self.at.max(created))
    }

    /// Bytes of a file.
    pub(in crate::sandbox) fn bytes(&self, node: Node) -> u64 {
        let Node::File { library, number } = node else {
            return 0;
        };
        let version = u64::from_ne_bytes(self.modified(node).as_second().to_ne_bytes());
        let dice = mix(self.dice(0x14, library, number), version);
        // Most are small, some are large, a few are empty.
        match dice % 100 {
            0 => 0,
            1..80 => 500 + dice / 100 % 400_000,
            _ => 400_000 + dice / 100 % 60_000_000,
        }
    }

    /// The position of the person who wrote a file.
    pub(in crate::sandbox) fn author(&self, node: Node) -> u32 {
        if self.unit.workload.of_people {
            return self.unit.index;
        }
        let (library, number) = match node {
            Node::File { library, number } => (library, number),
            Node::Library(library) | Node::Folder { library, .. } => (library, 0),
            Node::Site => (0, 0),
        };
        let people = u64::from(self.tenant.users().max(1));
        u32::try_from(self.dice(0x15, library, number) % people).expect("below the number of users")
    }

    fn parent(&self, node: Node) -> Option<Node> {
        let folder = |library: u32, number: u32| match number {
            0 => Node::Library(library),
            number => Node::Folder { library, number },
        };
        match node {
            Node::Site => None,
            Node::Library(_) => Some(Node::Site),
            Node::Folder { library, number } => Some(folder(library, (number - 1) / SUBFOLDERS)),
            Node::File { library, number } => {
                let flat = self.flat(library);
                let number = match number.checked_sub(flat) {
                    None => FLAT_FOLDER,
                    Some(rest) => rest % self.folders(library),
                };
                Some(folder(library, number))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::sandbox::workload::WORKLOADS;

    fn now() -> Timestamp {
        "2026-11-24T14:35:10Z".parse().expect("a constant")
    }

    fn walk(tree: &Tree<'_>) -> Vec<Node> {
        let mut found = Vec::new();
        let mut open = vec![Node::Site];
        while let Some(node) = open.pop() {
            let children = tree.children(node);
            open.extend(&children);
            found.extend(children);
        }
        found
    }

    // Takes a second or two: it walks both trees to their ends, because their numbers are a promise.
    #[test]
    fn the_large_ones_have_a_hundred_thousand_files_and_two_thousand_invoices() {
        let tenant = Tenant::new(1, 100, now());
        for (workload, index) in [(1, 4), (2, 0)] {
            let unit = tenant
                .unit(&WORKLOADS[workload], index)
                .expect("it is protected");
            let tree = tenant.tree_at(unit, now());
            let mut files: Vec<Node> = walk(&tree);
            files.retain(|node| matches!(node, Node::File { .. }));
            assert!((92_000..100_000).contains(&files.len()), "{}", files.len());
            assert_eq!(tree.size(), 100_000);
            files.retain(
                |file| matches!(file, Node::File { number, .. } if Tree::is_invoice(*number)),
            );
            assert_eq!(files.len(), 2_000);
            assert!(tree.name(files[17]).starts_with("invoice-"));
            let flat = Node::Folder {
                library: 0,
                number: FLAT_FOLDER,
            };
            assert!(tree.children(flat).len() > 4_000);
        }
    }

    #[test]
    fn brothers_and_sisters_have_different_names_and_one_parent() {
        let tenant = Tenant::new(1, 100, now());
        let unit = tenant.unit(&WORKLOADS[2], 1).expect("it is protected");
        let tree = tenant.tree_at(unit, now());
        let mut open = vec![Node::Site];
        let mut seen = HashSet::new();
        while let Some(node) = open.pop() {
            let mut names = HashSet::new();
            for child in tree.children(node) {
                assert!(names.insert(tree.name(child)), "{child:?} twice");
                assert!(seen.insert(child));
                assert_eq!(tree.parent(child), Some(node));
                open.push(child);
            }
        }
    }

    #[test]
    fn a_key_leads_back_to_its_place_in_its_own_tree_only() {
        let tenant = Tenant::new(1, 100, now());
        let tree_of = |index: u32| {
            let unit = tenant.unit(&WORKLOADS[2], index).expect("it is protected");
            tenant.tree_at(unit, now())
        };
        let (tree, other) = (tree_of(1), tree_of(2));
        let nodes = walk(&tree);
        assert!(nodes.len() > 40);
        for node in nodes.into_iter().chain([Node::Site]) {
            let key = tree.key(node);
            assert_eq!(tree.find(&key), Some(node), "{key}");
            assert_eq!(other.find(&key), None);
            assert!(tree.url(node).starts_with(&tree.place.url));
        }
        assert_eq!(tree.find("17"), None);
        assert_eq!(tree.find(""), None);
    }

    #[test]
    fn an_older_point_holds_other_files() {
        let tenant = Tenant::new(1, 100, now());
        let unit = tenant.unit(&WORKLOADS[1], 4).expect("it is protected");
        let scans = |at: Timestamp| -> HashSet<Node> {
            let folder = Node::Folder {
                library: 0,
                number: FLAT_FOLDER,
            };
            let tree = tenant.tree_at(unit, at);
            tree.children(folder).into_iter().collect()
        };
        let (new, old) = (
            scans(now()),
            scans(now() - SignedDuration::from_hours(24 * 13)),
        );
        assert!(new.difference(&old).count() > 10);
        assert!(old.difference(&new).count() > 10);
    }
}
