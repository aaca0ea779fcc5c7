//! The keys of files and folders: they lead to their place in their own tree only.

use uuid::Uuid;

use super::{Node, Tree};
use crate::sandbox::id::{Kind, Name, parse};
use crate::sandbox::tenant::{Tenant, Unit};

impl Tree<'_> {
    /// Two to four ids with commas between them: collection, web, list, item.
    pub(in crate::sandbox) fn key(&self, node: Node) -> String {
        let site = self.place.id.split_once(',').map_or("", |(_, ids)| ids);
        let number = self.unit.workload.number;
        let ids = self.tenant.ids;
        let list = |library: u32| ids.make(Kind::Library(number), self.unit.index, library.into());
        let item = |library: u32, slot: u64| {
            let slot = u64::from(library) << 36 | slot;
            ids.make(Kind::Item(number), self.unit.index, slot)
        };
        match node {
            Node::Site => site.to_owned(),
            Node::Library(library) => format!("{site},{}", list(library)),
            Node::Folder { library, number } => {
                let item = item(library, u64::from(number) << 1);
                format!("{site},{},{item}", list(library))
            }
            Node::File { library, number } => {
                let item = item(library, u64::from(number) << 1 | 1);
                format!("{site},{},{item}", list(library))
            }
        }
    }

    /// The place with this key, if it was there.
    pub(in crate::sandbox) fn find(&self, key: &str) -> Option<Node> {
        let node = self.tenant.node(&self.unit, key)?;
        (self.exists(node) && self.key(node).eq_ignore_ascii_case(key)).then_some(node)
    }
}

impl Tenant {
    /// The place that a key names in a unit, whether it was ever there or not.
    pub(in crate::sandbox) fn node(&self, unit: &Unit, key: &str) -> Option<Node> {
        let ids: Vec<Uuid> = key.split(',').map(parse).collect::<Option<_>>()?;
        let number = unit.workload.number;
        let read = |id: &Uuid| -> Option<Name> {
            let name = self.ids.read(*id)?;
            (name.index == unit.index).then_some(name)
        };
        let node = match &ids[..] {
            [_, _] => Node::Site,
            [_, _, list] => {
                let name = read(list).filter(|name| name.kind == Kind::Library(number))?;
                Node::Library(u32::try_from(name.slot).ok()?)
            }
            [_, _, _, item] => {
                let name = read(item).filter(|name| name.kind == Kind::Item(number))?;
                let library = u32::try_from(name.slot >> 36).ok()?;
                let place = u32::try_from(name.slot >> 1 & u64::from(u32::MAX)).ok()?;
                if name.slot & 1 == 1 {
                    Node::File {
                        library,
                        number: place,
                    }
                } else {
                    Node::Folder {
                        library,
                        number: place,
                    }
                }
            }
            _ => return None,
        };
        Some(node)
    }
}
