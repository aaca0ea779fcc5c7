//! A script with everything it imports: read once, parsed once, under the names that stand in messages.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use rhai::{
    AST, Engine, EvalAltResult, Expr, ImmutableString, Module, ModuleResolver, ParseError,
    Position, Shared, Stmt,
};

use super::arguments::Args;
use super::engine::{self, Names};
use super::imports::{self, Roots};
use super::source::{self, Lost, Text};
use super::tree::{self, Body, Node};
use crate::error::{Fault, MOST_FAULTS};

/// Building blocks written in Rhai, part of the binary.
static STDLIB: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// The names under which `import "std/…"` finds something, `std/` included.
pub(crate) fn stdlib() -> impl Iterator<Item = (String, &'static str)> {
    STDLIB.files().filter_map(|file| {
        let name = file.path().to_str()?.strip_suffix(".rhai")?;
        Some((format!("std/{name}"), file.contents_utf8()?))
    })
}

/// One parsed file.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) text: Text,
    pub(crate) ast: AST,
    pub(crate) bodies: Arc<[Body]>,
    /// What could not be parsed and was left out of the tree.
    pub(crate) lost: Option<Lost>,
    /// The parser's word that some name in it is not known.
    pub(crate) unknown: Option<ParseError>,
    /// Where it lies, for what it imports itself; `None` for the main script and for `std/`.
    pub(super) folder: Option<PathBuf>,
}

impl File {
    /// Parses a text, and gives what is wrong with it. Of a text with mistakes the file holds what could be read.
    pub(crate) fn parse(text: Text) -> (Self, Vec<Fault>) {
        let parsed = source::parse(&text);
        let mut file = Self::typed(text, parsed.ast);
        file.lost = parsed.lost;
        file.unknown = parsed.unknown;
        (file, parsed.faults)
    }

    /// What was typed at the prompt, with the functions of earlier lines.
    pub(crate) fn typed(text: Text, mut ast: AST) -> Self {
        ast.set_source(text.name.as_str());
        let bodies = tree::bodies(&ast).into();
        Self {
            text,
            ast,
            bodies,
            lost: None,
            unknown: None,
            folder: None,
        }
    }

    /// Is it a part of the standard library, or a copy of one to the letter? Those have been looked at.
    pub(crate) fn is_std(&self) -> bool {
        stdlib().any(|(_, text)| text == self.text.text)
    }

    /// Looks at every statement and expression.
    pub(crate) fn each<'a>(&'a self, look: &mut impl FnMut(Node<'a>)) {
        for body in &*self.bodies {
            tree::each(&body.statements, look);
        }
    }

    /// Every `import` of a literal, with its place.
    pub(crate) fn imports(&self) -> Vec<(ImmutableString, Position)> {
        let mut found = Vec::new();
        self.each(&mut |node| {
            if let Node::Stmt(Stmt::Import(import, _)) = node
                && let Expr::StringConstant(name, position) = &import.0
            {
                found.push((name.clone(), *position));
            }
        });
        found
    }

    /// Names that are looked at while it runs, and those that are assigned to.
    fn names(&self, names: &mut Names, assigned: &mut HashSet<String>) {
        self.each(&mut |node| match node {
            Node::Stmt(Stmt::TryCatch(found, _)) => {
                if let Expr::Variable(variable, ..) = &found.expr {
                    names.caught.push(variable.1.to_string());
                }
            }
            Node::Stmt(Stmt::Share(shared)) => names
                .captured
                .extend(shared.iter().map(|(name, _)| name.name.to_string())),
            Node::Stmt(Stmt::Assignment(assignment)) => {
                let mut target = &assignment.1.lhs;
                while let Expr::Dot(chain, ..) | Expr::Index(chain, ..) = target {
                    target = &chain.lhs;
                }
                if let Expr::Variable(variable, ..) = target {
                    assigned.insert(variable.1.to_string());
                }
            }
            _ => {}
        });
    }
}

/// The main file and all it imports, directly or not.
#[derive(Clone, Default)]
pub(crate) struct Program {
    /// By source name; the main script is `main`.
    files: HashMap<String, File>,
    main: String,
    /// What an import in a file means: (source name, literal) → source name.
    links: HashMap<(String, String), String>,
}

impl Program {
    /// Reads and parses what `main` imports, from `roots` and from `std/`.
    ///
    /// # Errors
    /// Every import that cannot be read, parsed, or goes round in a circle. The program then holds what could be had.
    pub(crate) fn link(main: &File, roots: &Roots) -> (Self, Vec<Fault>) {
        let mut program = Self {
            main: main.text.name.clone(),
            ..Self::default()
        };
        let mut faults = Vec::new();
        let name = program.main.clone();
        program.files.insert(name.clone(), main.clone());
        program.follow(&name, roots, &mut vec![name.clone()], &mut faults);
        (program, faults)
    }

    fn follow(
        &mut self,
        from: &str,
        roots: &Roots,
        trail: &mut Vec<String>,
        faults: &mut Vec<Fault>,
    ) {
        let file = self.files[from].clone();
        for (literal, position) in file.imports() {
            if faults.len() >= MOST_FAULTS {
                return;
            }
            let placed = |fault: Fault| match file.text.place(position) {
                Some(place) if fault.place.is_none() => fault.at(place),
                _ => fault,
            };
            let (name, found) = match roots.find(&literal, file.folder.as_deref()) {
                Ok((name, found)) => (roots.source_name(name, &self.main), found),
                Err(fault) => {
                    faults.push(placed(fault));
                    continue;
                }
            };
            self.links
                .insert((from.to_owned(), literal.to_string()), name.clone());
            if trail.contains(&name) {
                let fault =
                    imports::bad_import(&literal, "it imports itself, directly or through others");
                faults.push(placed(
                    fault.hint("move what both need into a file of its own"),
                ));
                continue;
            }
            if self.files.contains_key(&name) {
                continue;
            }
            match found.open(&name) {
                Ok((imported, wrong)) => {
                    faults.extend(wrong);
                    self.files.insert(name.clone(), imported);
                    trail.push(name.clone());
                    self.follow(&name, roots, trail, faults);
                    trail.pop();
                }
                Err(found) => faults.extend(found.into_iter().map(&placed)),
            }
        }
    }

    /// Keeps the files of another program in mind: functions of theirs may still be called, and fail.
    pub(crate) fn remember(&mut self, other: &Self) {
        for (name, file) in &other.files {
            self.files
                .entry(name.clone())
                .or_insert_with(|| file.clone());
        }
    }

    pub(crate) fn main(&self) -> &File {
        &self.files[&self.main]
    }

    /// All files, the main one first, the others by name.
    pub(crate) fn files(&self) -> Vec<&File> {
        let mut all: Vec<_> = self.files.values().collect();
        all.sort_by_key(|file| (file.text.name != self.main, file.text.name.clone()));
        all
    }

    pub(crate) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }

    /// The file that an import in `from` means.
    pub(crate) fn linked(&self, from: &str, literal: &str) -> Option<&File> {
        let name = self.links.get(&(from.to_owned(), literal.to_owned()))?;
        self.files.get(name)
    }

    /// What the engine has to look at while the program runs.
    pub(crate) fn names(&self) -> Names {
        let mut names = Names::default();
        let mut assigned = HashSet::new();
        for file in self.files.values() {
            file.names(&mut names, &mut assigned);
        }
        names.captured.retain(|name| !assigned.contains(name));
        for list in [&mut names.caught, &mut names.captured] {
            list.sort_unstable();
            list.dedup();
        }
        names
    }
}

/// Hands out the program's files; the disk is not looked at again.
#[derive(Clone)]
pub(crate) struct Resolver(Arc<Shelf>);

struct Shelf {
    program: Arc<Program>,
    /// Each file is evaluated once.
    modules: std::sync::Mutex<HashMap<String, Shared<Module>>>,
}

impl Resolver {
    pub(crate) fn new(program: Arc<Program>) -> Self {
        Self(Arc::new(Shelf {
            program,
            modules: std::sync::Mutex::default(),
        }))
    }

    /// What the main file has imported so far, by alias, with the name of its file: a statement typed at the prompt hands it to
    /// the next.
    pub(crate) fn imported(&self) -> Vec<(String, String, Shared<Module>)> {
        let modules = self.0.modules.lock();
        let modules = modules.unwrap_or_else(std::sync::PoisonError::into_inner);
        let main = self.0.program.main();
        let mut found = Vec::new();
        main.each(&mut |node| {
            if let Node::Stmt(Stmt::Import(import, _)) = node
                && let Expr::StringConstant(literal, _) = &import.0
                && let Some(file) = self.0.program.linked(&main.text.name, literal)
                && let Some(module) = modules.get(&file.text.name)
            {
                let alias = import.1.name.to_string();
                found.push((alias, file.text.name.clone(), module.clone()));
            }
        });
        found
    }
}

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let from = source.unwrap_or(&self.0.program.main);
        let file = self.0.program.linked(from, path);
        let file = file.ok_or_else(|| {
            super::failure::Failure::from(imports::bad_import(
                path,
                "it was not there when the script was read",
            ))
            .unplaced()
        })?;
        let name = &file.text.name;
        let known = |modules: &HashMap<String, Shared<Module>>| modules.get(name).cloned();
        if let Some(module) = known(
            &self
                .0
                .modules
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        ) {
            return Ok(module);
        }
        let mut module =
            Module::eval_ast_as_new(engine::scope(&Args::default()), &file.ast, engine).map_err(
                |error| Box::new(EvalAltResult::ErrorInModule(name.clone(), error, position)),
            )?;
        module.build_index();
        let module = Shared::new(module);
        self.0
            .modules
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(name.clone(), module.clone());
        Ok(module)
    }
}
