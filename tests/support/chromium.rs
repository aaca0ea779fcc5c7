//! A real browser without a window, where the machine has one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Chromium, or a browser made of it.
pub struct Chromium(PathBuf);

/// A page after its script has run.
pub struct Page {
    /// The document as it is then.
    pub document: String,
    /// What the page, or the browser about the page, wrote to the console.
    pub console: Vec<String>,
}

impl Chromium {
    /// `None`, with a word on stderr, where there is none.
    pub fn find() -> Option<Self> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let found = ["chromium", "chromium-browser", "google-chrome"]
            .iter()
            .flat_map(|name| std::env::split_paths(&folders).map(move |folder| folder.join(name)))
            .find(|path| path.is_file());
        if found.is_none() {
            // Not `eprintln!`: that is kept back where a test passes.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: there is no chromium on this machine (`apt-get install chromium`)"
            );
        }
        found.map(Self)
    }

    /// Opens a file, waits until its script has nothing more to do, and gives what came of it.
    ///
    /// `place`: what stands behind the file in the address, `#q=adele`.
    pub fn open(&self, file: &Path, place: &str) -> Page {
        let home = tempfile::tempdir().unwrap();
        let output = Command::new(&self.0)
            .args([
                "--headless",
                // Tests run as root in containers, where the browser's own walls cannot be put up.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                // A loaded machine has its time: this clock waits for the page.
                "--virtual-time-budget=10000",
                "--enable-logging=stderr",
                "--dump-dom",
            ])
            .arg(format!("--user-data-dir={}", home.path().display()))
            .arg(format!("file://{}{place}", file.display()))
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let document = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && document.contains("</html>"),
            "the browser failed: {said}"
        );
        // `[…:INFO:CONSOLE:1] "hi", source: file:///…`
        let console = said
            .lines()
            .filter(|line| line.contains(":CONSOLE"))
            .map(str::to_owned);
        Page {
            console: console.collect(),
            document,
        }
    }

    /// Whether a page that asks for something from elsewhere is caught doing it: what the other tests rest on.
    pub fn hears_the_console(&self) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("loud.html");
        let page = "<!DOCTYPE html><html><head><meta http-equiv=Content-Security-Policy content=\"default-src 'none'\"></head><body><img src=\"http://127.0.0.1:9/x\"></body></html>";
        fs::write(&file, page).unwrap();
        !self.open(&file, "").console.is_empty()
    }
}

impl Page {
    /// The rows of the items that are shown: the texts of their cells.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let (_, table) = self.document.split_once("<tbody id=\"rows\">").unwrap();
        let (table, _) = table.split_once("</tbody>").unwrap();
        table.split("<tr").skip(1).map(cells).collect()
    }

    /// The text of the element with this id, without its tags.
    pub fn text(&self, id: &str) -> String {
        let (_, rest) = self.document.split_once(&format!("id=\"{id}\"")).unwrap();
        let (_, rest) = rest.split_once('>').unwrap();
        rest.split('<').next().unwrap().to_owned()
    }
}

/// The texts of a row's cells, without the tags in them.
fn cells(row: &str) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for piece in row.split('<') {
        let (tag, text) = piece.split_once('>').unwrap_or_default();
        if tag.starts_with("td") || tag.starts_with("th") {
            cells.push(String::new());
        }
        if let Some(cell) = cells.last_mut() {
            cell.push_str(text);
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}
