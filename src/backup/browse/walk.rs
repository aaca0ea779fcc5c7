//! Reading what a browse session shows: one place, or everything below it.

use std::collections::VecDeque;
use std::sync::Arc;

use glob::Pattern;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Browse, Place};
use crate::backup::BackupError;
use crate::graph::{Json, Pages};

/// Most folders that are read at once.
const FOLDERS: usize = 16;

/// What one folder may have ready before its turn comes: this bounds the memory of a search in which everything matches.
const AHEAD: usize = 500;

/// Something that a browse session shows.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// On its own: a part of a page would keep the whole page.
    pub(crate) json: Json,
    /// From the top, names joined by `/`.
    pub(crate) path: String,
}

/// The items of one place, page by page.
pub(crate) struct Listing {
    browse: Arc<Browse>,
    /// A path that is still to be found, else the place itself.
    target: Result<Place, String>,
    pages: Option<(Pages, Place)>,
    ready: std::vec::IntoIter<Json>,
}

impl Listing {
    /// `Err` is a path.
    pub(crate) fn new(browse: Arc<Browse>, target: Result<Place, String>) -> Self {
        Self {
            browse,
            target,
            pages: None,
            ready: Vec::new().into_iter(),
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Found>, BackupError> {
        if self.pages.is_none() {
            let place = place(&self.browse, &self.target).await?;
            self.pages = Some((self.browse.pages(&place), place));
        }
        let Some((pages, place)) = &mut self.pages else {
            return Ok(None);
        };
        loop {
            if let Some(item) = self.ready.next() {
                return Ok(Some(found(place, &item)));
            }
            match pages.next().await {
                Some(page) => self.ready = page?.into_iter(),
                None => return Ok(None),
            }
        }
    }
}

async fn place(browse: &Browse, target: &Result<Place, String>) -> Result<Place, BackupError> {
    browse.wait().await?;
    let (service, workload) = (&browse.service, browse.workload);
    service.judge_browse(workload, &browse.json()).await?;
    match target {
        Ok(place) => Ok(place.clone()),
        Err(path) => browse.locate(path).await,
    }
}

fn found(place: &Place, item: &Json) -> Found {
    let name = item.string("name").unwrap_or_default();
    Found {
        path: place.below(&name),
        json: item.detached(),
    }
}

/// What a folder's reader has found.
enum Seen {
    File(Found),
    Folder(Place),
}

type Heard = Result<Seen, BackupError>;

/// A folder that is being read.
struct Reader {
    heard: mpsc::Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The files below a place whose names match, in the order of the folders: those nearer to the place first. Folders are read
/// side by side, each page once; what is found waits until its folder has its turn, so that two readings give the same order.
pub(crate) struct Walk {
    browse: Arc<Browse>,
    target: Option<Result<Place, String>>,
    matcher: Arc<Matcher>,
    left: usize,
    /// Folders that are still to be read.
    waiting: VecDeque<Place>,
    /// Folders that are being read, the one that has its turn in front.
    reading: VecDeque<Reader>,
}

impl Walk {
    /// `limit`: most files. `target` as in [`Listing::new`].
    pub(crate) fn new(
        browse: Arc<Browse>,
        target: Result<Place, String>,
        matcher: Arc<Matcher>,
        limit: Option<usize>,
    ) -> Self {
        Self {
            browse,
            target: Some(target),
            matcher,
            left: limit.unwrap_or(usize::MAX),
            waiting: VecDeque::new(),
            reading: VecDeque::new(),
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Found>, BackupError> {
        if self.left == 0 {
            // Nobody wants what the readers have ready.
            self.reading.clear();
            return Ok(None);
        }
        if let Some(target) = self.target.take() {
            self.waiting.push_back(place(&self.browse, &target).await?);
        }
        loop {
            while self.reading.len() < FOLDERS
                && let Some(place) = self.waiting.pop_front()
            {
                self.reading.push_back(self.read(place));
            }
            let Some(reader) = self.reading.front_mut() else {
                return Ok(None);
            };
            match reader.heard.recv().await {
                Some(Ok(Seen::File(file))) => {
                    self.left -= 1;
                    return Ok(Some(file));
                }
                Some(Ok(Seen::Folder(place))) => self.waiting.push_back(place),
                Some(Err(error)) => {
                    self.reading.clear();
                    self.waiting.clear();
                    return Err(error);
                }
                None => {
                    self.reading.pop_front();
                }
            }
        }
    }

    fn read(&self, place: Place) -> Reader {
        let (send, heard) = mpsc::channel(AHEAD);
        let browse = self.browse.clone();
        let matcher = self.matcher.clone();
        let task = tokio::spawn(async move {
            let mut pages = browse.pages(&place);
            while let Some(page) = pages.next().await {
                let page = match page {
                    Ok(page) => page,
                    Err(error) => {
                        let _ = send.send(Err(error.into())).await;
                        return;
                    }
                };
                for item in page {
                    let Some(seen) = look_at(&place, &item, &matcher) else {
                        continue;
                    };
                    // Nobody listens any more.
                    if send.send(Ok(seen)).await.is_err() {
                        return;
                    }
                }
            }
        });
        Reader { heard, task }
    }
}

/// A file that matches, or a folder to go into.
fn look_at(place: &Place, item: &Json, matcher: &Matcher) -> Option<Seen> {
    let name = item.string("name").unwrap_or_default();
    if let Some(folder) = Place::of(item, place.below(&name)) {
        return Some(Seen::Folder(folder));
    }
    let is_file = item.string("type").is_none_or(|kind| kind == "file");
    (is_file && matcher.is_match(&name)).then(|| Seen::File(found(place, item)))
}

/// Which names are wanted.
#[derive(Debug)]
pub(crate) struct Matcher(Vec<Pattern>);

impl Matcher {
    fn is_match(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.0.iter().any(|pattern| pattern.matches(&name))
    }
}

/// A pattern for names: `*`, `?`, `[ab]`, `{docx,xlsx}`; case is ignored, in every alphabet.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn pattern(text: &str) -> Result<Arc<Matcher>, String> {
    if text.contains('/') {
        return Err("it is for names, which hold no `/`".to_owned());
    }
    // Lower case on both sides: the library ignores case in ASCII only.
    let alternatives = alternatives(&text.to_lowercase())?;
    let patterns = alternatives.iter().map(|one| Pattern::new(one));
    match patterns.collect() {
        Ok(patterns) => Ok(Arc::new(Matcher(patterns))),
        Err(glob::PatternError { msg, .. }) => Err(msg.to_owned()),
    }
}

/// The library knows no `{a,b}`: one pattern becomes several.
fn alternatives(text: &str) -> Result<Vec<String>, String> {
    let Some((before, rest)) = text.split_once('{') else {
        return if text.contains('}') {
            Err("a `}` closes nothing".to_owned())
        } else {
            Ok(vec![text.to_owned()])
        };
    };
    let Some((inside, after)) = rest.split_once('}') else {
        return Err("a `{` is not closed".to_owned());
    };
    if inside.contains('{') {
        return Err("a `{` stands inside another".to_owned());
    }
    let endings = alternatives(after)?;
    let all = inside
        .split(',')
        .flat_map(|one| endings.iter().map(move |end| format!("{before}{one}{end}")));
    Ok(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, name: &str) -> bool {
        pattern(text).unwrap().is_match(name)
    }

    #[test]
    fn patterns_are_for_whole_names_and_ignore_case() {
        assert!(matches("*.DOCX", "Budget.docx"));
        assert!(matches("*.{docx,xlsx}", "a.XLSX"));
        assert!(matches("ärger*", "ÄRGER 1.txt"));
        assert!(matches("Budget 202?.xlsx", "budget 2026.xlsx"));
        assert!(matches("*", ".hidden"));
        assert!(matches("b?dget.{doc,docx}", "Büdget.docx"));
        assert!(matches("[a-c]*", "Beta"));
        assert!(!matches("*.doc", "a.docx"));
        assert!(!matches("budget", "budget.xlsx"));
    }

    #[test]
    fn a_bad_pattern_says_what_is_wrong() {
        assert!(pattern("Documents/*").unwrap_err().contains("names"));
        for bad in ["[a", "{a", "a}", "{a,{b}}"] {
            assert!(pattern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn folders_are_gone_into_and_files_must_match() {
        let item = |name: &str, kind: &str| {
            Json::of(&serde_json::json!({"itemKey": "k", "name": name, "type": kind}))
        };
        let matcher = pattern("*.md").unwrap();
        let top = Place::top();
        let seen = |name: &str, kind: &str| look_at(&top, &item(name, kind), &matcher);
        assert!(matches!(seen("a.md", "file"), Some(Seen::File(found)) if found.path == "a.md"));
        assert!(seen("a.txt", "file").is_none());
        // A folder that is called like a file is a folder.
        assert!(matches!(seen("a.md", "folder"), Some(Seen::Folder(_))));
        assert!(seen("a.md", "none").is_none());
    }
}
