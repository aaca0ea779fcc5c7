//! A host that remembers what it was told, and functions that only tests have.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rhai::Dynamic;
use tokio::runtime::Runtime;

use crate::backup::{Service, Settings};
use crate::changes::{Consent, Door, Ledger};
use crate::directory::Directory;
use crate::error::Fault;
use crate::graph::{Client, Options, SignIn};
use crate::history::History;
use crate::script::api::tenant::{Origins, Tenant};
use crate::script::host::{Host, Level, Output, Skip};
use crate::script::steps::Steps;
use crate::script::{Files, Script, arguments};
use crate::stop::Stop;
use crate::talk::{Bar, Reply, Talk};
use crate::world::World;

/// Columns and rows.
type Table = (Vec<String>, Vec<Vec<serde_json::Value>>);

#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) printed: Mutex<Vec<String>>,
    pub(crate) tables: Mutex<Vec<Table>>,
    pub(crate) logged: Mutex<Vec<String>>,
}

impl Output for Heard {
    fn print(&self, text: &str) {
        self.printed.lock().unwrap().push(text.to_owned());
    }
    fn debug(&self, text: &str) {
        self.printed.lock().unwrap().push(format!("debug {text}"));
    }
    fn table(&self, columns: &[String], rows: &[Vec<serde_json::Value>]) {
        self.tables
            .lock()
            .unwrap()
            .push((columns.to_vec(), rows.to_vec()));
    }
    fn log(&self, level: Level, text: &str) {
        self.logged
            .lock()
            .unwrap()
            .push(format!("{level:?} {text}"));
    }
}

struct Quiet;

impl Bar for Quiet {
    fn add(&self, _: u64) {}
    fn set(&self, _: u64) {}
}

impl crate::graph::Notices for Quiet {
    fn waiting(&self, _: &str, _: &str, _: Duration) {}
    fn warn(&self, _: &str) {}
    fn enter_code(&self, _: &str, _: &str, _: Duration) {}
}

/// A tenant that nobody answers for.
fn nobody(stop: &Stop) -> Tenant {
    let options = Options {
        root: "http://127.0.0.1:1".to_owned(),
        version: crate::graph::Version::default(),
        sign_in: SignIn::Token("none".to_owned().into()),
        ca_file: None,
        in_flight: 1,
        budget: Duration::ZERO,
    };
    let (world, talk): (_, Arc<dyn Talk>) = (World::real(), Arc::new(Quiet));
    let client = Arc::new(Client::new(options, world.clone(), Arc::new(Quiet)).unwrap());
    let directory = Arc::new(Directory::new(client.clone()));
    let door = Arc::new(Door::new(
        client.clone(),
        Consent::new(false, talk.clone()),
        stop.clone(),
        talk.clone(),
        world.clone(),
        Duration::ZERO,
        Ledger::new("run-1", None),
    ));
    let settings = Settings {
        run: "run-1".to_owned(),
        in_flight: 1,
        first_look: Duration::ZERO,
        polling: Duration::ZERO,
        yes: false,
        again: false,
        most_books: None,
        allow_overlap: false,
    };
    let backup = Service::new(
        client.clone(),
        door.clone(),
        directory.clone(),
        talk,
        world,
        stop.clone(),
        settings,
    );
    Tenant {
        client,
        directory,
        backup,
        door,
        origins: Origins::default(),
    }
}

impl Talk for Quiet {
    fn note(&self, _: &str) {}
    fn warn(&self, _: &str) {}
    fn waiting(&self, _: &str, _: &str, _: Duration) {}
    fn bar(&self, _: &str, _: Option<u64>) -> Box<dyn Bar> {
        Box::new(Quiet)
    }
    fn ask(&self, _: &str, _: bool) -> Reply {
        Reply::Nobody
    }
}

/// One script and the world it runs in.
pub(crate) struct Bench {
    pub(crate) stop: Stop,
    pub(crate) heard: Arc<Heard>,
    pub(crate) skips: Arc<Mutex<Vec<Skip>>>,
    pub(crate) folder: tempfile::TempDir,
    args: Vec<(String, String)>,
    runtime: Runtime,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            stop: Stop::default(),
            heard: Arc::default(),
            skips: Arc::default(),
            folder: tempfile::tempdir().unwrap(),
            args: Vec::new(),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    pub(crate) fn arg(mut self, name: &str, value: &str) -> Self {
        self.args.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn host(&self, script: &Script) -> Result<Arc<Host>, Vec<Fault>> {
        let now = "2026-11-24T02:00:00Z".parse().unwrap();
        let args = arguments::resolve(&script.header, &self.args, now, self.path())?;
        let skips = self.skips.clone();
        let stop = self.stop.clone();
        Ok(Arc::new(Host {
            world: World::real(),
            runtime: self.runtime.handle().clone(),
            stop: self.stop.clone(),
            talk: Arc::new(Quiet),
            output: self.heard.clone(),
            files: Files::new(self.path(), &[], args.files()).unwrap(),
            imports: vec![self.path().to_owned()].into(),
            args,
            tenant: nobody(&self.stop),
            history: Arc::new(History::new("run-1", None)),
            steps: Steps::default(),
            skip: Box::new(move |skip| {
                skips.lock().unwrap().push(skip);
                Ok(())
            }),
            now: Box::new(move || Ok(now)),
            confirm: Box::new(move |text| {
                let denial = Fault::new(
                    crate::error::Exit::Denied,
                    "NotConfirmed",
                    format!("not confirmed: {text}"),
                );
                stop.set(denial.clone());
                Err(denial)
            }),
            naps: Box::new(|length| length),
            failed: Box::new(|_| Ok((Vec::new(), 0))),
        }))
    }

    pub(crate) fn run(&self, text: &str) -> Result<Option<Dynamic>, Fault> {
        let first = |mut faults: Vec<Fault>| faults.remove(0);
        let script = Script::load("test.rhai", text.as_bytes()).map_err(first)?;
        let host = self.host(&script).map_err(first)?;
        crate::script::run(&script, &host)
    }

    /// The value as `print` shows it; an error as `code: message / hint`.
    pub(crate) fn show(&self, text: &str) -> String {
        show(self.run(text))
    }

    pub(crate) fn check(&self, text: &str) -> Vec<String> {
        let examined = crate::script::examine(
            "test.rhai",
            text.as_bytes(),
            &vec![self.path().to_owned()].into(),
        );
        examined.errors().map(told).collect()
    }
}

pub(crate) fn show(outcome: Result<Option<Dynamic>, Fault>) -> String {
    match outcome {
        Ok(None) => "()".to_owned(),
        Ok(Some(value)) => crate::script::convert::show(&value),
        Err(fault) => told(&fault),
    }
}

pub(crate) fn told(fault: &Fault) -> String {
    let place = fault
        .place
        .as_ref()
        .map(|place| format!(" @{}:{}:{}", place.file, place.line, place.column))
        .unwrap_or_default();
    let hints: String = fault.hints.iter().flat_map(|hint| [" / ", hint]).collect();
    format!("{}: {}{place}{hints}", fault.code, fault.message)
}

/// Runs a script in a fresh world.
pub(crate) fn run(text: &str) -> String {
    Bench::new().show(text)
}

impl Bench {
    /// Runs a script that has some values under their names, as if functions had given them.
    pub(crate) fn show_with(&self, text: &str, values: Vec<(&str, Dynamic)>) -> String {
        let script = Script::load("test.rhai", b"print(1)").unwrap();
        let host = self.host(&script).unwrap();
        let mut scope = crate::script::engine::scope(&host.args);
        for (name, value) in values {
            scope.push_dynamic(name, value);
        }
        let mut engine =
            crate::script::engine::build(&host, crate::script::engine::Names::default());
        let text = crate::script::source::Text::read("test.rhai", text.as_bytes()).unwrap();
        let mut ast = match engine.compile_with_scope(&scope, &text.text) {
            Ok(ast) => ast,
            Err(error) => return told(&text.syntax_fault(&error)),
        };
        ast.set_source("test.rhai");
        let file = crate::script::program::File::typed(text, ast);
        let program = Arc::new(crate::script::program::Program::link(&file, &host.imports).0);
        engine.set_module_resolver(crate::script::program::Resolver::new(program.clone()));
        crate::script::engine::look_at(&mut engine, &host.args, program.names(), None);
        match engine.eval_ast_with_scope::<Dynamic>(&mut scope, &file.ast) {
            Ok(value) => show(Ok(Some(value.flatten()).filter(|value| !value.is_unit()))),
            Err(error) => told(&crate::script::trace::fault(&program, &host.stop, &error)),
        }
    }
}
