//! What files and folders are called, and where they are found.

use std::fmt::Write as _;

use super::{FLAT_FOLDER, Node, SUBFOLDERS, Tree};

const FOLDERS: [&str; 14] = [
    "Reports",
    "Contracts & Annexes",
    "2024",
    "2025",
    "Bilder für Müller",
    "Old (do not delete)",
    "Templates",
    "R&D #7",
    "100% final",
    "Équipe",
    "Minutes",
    "Scans from 3rd floor",
    "Vendor's papers",
    "日本",
];

/// Name and extension of files; `#` stands for the number of the file.
const FILES: [(&str, &str); 20] = [
    ("Quarterly report #", "docx"),
    ("Budget #", "xlsx"),
    ("Minutes of meeting #", "docx"),
    ("Presentation # (final)", "pptx"),
    ("scan_#", "pdf"),
    ("IMG_#", "jpg"),
    ("Vertrag über Zölle #", "docx"),
    ("notes # & more", "txt"),
    ("data;export,#", "csv"),
    ("it's # o'clock", "md"),
    ("100% done #", "xlsx"),
    ("drawing #.rev2", "dwg"),
    ("設計書 #", "docx"),
    ("😀 party #", "png"),
    ("no extension #", ""),
    (".hidden-#", "cfg"),
    ("UPPER CASE #", "PDF"),
    ("mail from [x] #", "msg"),
    ("a+b=c #", "txt"),
    ("backup of backup #", "zip"),
];

impl Tree<'_> {
    pub(in crate::sandbox) fn name(&self, node: Node) -> String {
        match node {
            Node::Site => self.place.name.clone(),
            Node::Library(0) => "Documents".to_owned(),
            Node::Library(_) => "Archive".to_owned(),
            Node::Folder { number, .. } if number == FLAT_FOLDER => "Scans".to_owned(),
            Node::Folder { library, number } => {
                let (parent, place) = ((number - 1) / SUBFOLDERS, (number - 1) % SUBFOLDERS);
                // Brothers and sisters differ: their places do.
                let dice = self
                    .dice(0x16, library, parent)
                    .wrapping_add(u64::from(place));
                pick(&FOLDERS, dice).to_owned()
            }
            Node::File { library, number } if Self::is_invoice(number) => {
                let year = 2_019 + self.dice(0x17, library, number) % 7;
                format!("invoice-{year}-{number:06}.pdf")
            }
            Node::File { library, number } => {
                let (name, extension) = pick(&FILES, self.dice(0x18, library, number));
                let name = name.replacen('#', &number.to_string(), 1);
                match extension {
                    "" => name,
                    extension => format!("{name}.{extension}"),
                }
            }
        }
    }

    /// The names from the library down to a place.
    pub(in crate::sandbox) fn path(&self, node: Node) -> String {
        let mut names = Vec::new();
        let mut next = Some(node);
        while let Some(one) = next.filter(|one| *one != Node::Site) {
            names.push(self.name(one));
            next = self.parent(one);
        }
        names.reverse();
        names.join("/")
    }

    pub(in crate::sandbox) fn url(&self, node: Node) -> String {
        let mut url = self.place.url.clone();
        for (depth, name) in self.path(node).split('/').enumerate() {
            if name.is_empty() {
                continue;
            }
            // The library of a site is shown by one name and addressed by another.
            let shared = depth == 0 && name == "Documents" && !self.unit.workload.of_people;
            url.push('/');
            url.push_str(&encode(if shared { "Shared Documents" } else { name }));
        }
        url
    }
}

fn pick<T: Copy>(list: &[T], dice: u64) -> T {
    let count = u64::try_from(list.len()).expect("a short list");
    list[usize::try_from(dice % count).expect("less than the length of a list")]
}

/// Percent-encodes a name for an address.
fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~()!'".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
