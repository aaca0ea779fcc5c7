//! `args`: names that the header does not declare, and declared ones that nobody asks for.

use std::collections::HashSet;

use rhai::{Expr, Position, Stmt};

use super::closures::root;
use super::finding::{Finding, Severity};
use crate::error::MOST_FAULTS;
use crate::script::arguments;
use crate::script::explain;
use crate::script::failure::Failure;
use crate::script::header::Header;
use crate::script::program::Program;
use crate::script::source::Text;
use crate::script::tree::Node;
use crate::script::words;

/// The argument that `args.name` or `args["name"]` asks for, with its place.
fn asked<'a>(of: &Expr, part: &'a Expr) -> Option<(Option<&'a str>, Position)> {
    if !matches!(of, Expr::Variable(variable, ..) if variable.1 == "args" && variable.2.path.is_empty())
    {
        return None;
    }
    let first = match part {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => &chain.lhs,
        other => other,
    };
    Some(match first {
        Expr::Property(property, position) => (Some(property.2.as_str()), *position),
        Expr::StringConstant(text, position) => (Some(text.as_str()), *position),
        // `args[name]`: any of them.
        other => (None, other.start_position()),
    })
}

/// A use of `args` in a node that the header does not allow for.
pub(super) fn judge(header: &Header, node: Node) -> Option<(Position, Failure)> {
    if let Node::Stmt(Stmt::Assignment(assignment)) = node {
        let target = &assignment.1.lhs;
        return (root(target) == Some("args"))
            .then(|| (target.start_position(), explain::assignment("args")));
    }
    let Node::Expr(Expr::Dot(parts, ..) | Expr::Index(parts, ..)) = node else {
        return None;
    };
    let (name, position) = asked(&parts.lhs, &parts.rhs)?;
    let name = name.filter(|name| header.parameter(name).is_none())?;
    Some((position, arguments::unknown(name, header.names())))
}

/// Warnings on arguments that no file of the program asks for.
pub(super) fn unused(program: &Program, header: &Header) -> Vec<Finding> {
    let mut used: HashSet<String> = HashSet::new();
    // Uses of `args` as a whole: of all, less those with a name behind them.
    let mut bare = 0_isize;
    for file in program.files() {
        file.each(&mut |node| match node {
            Node::Expr(Expr::Dot(parts, ..) | Expr::Index(parts, ..)) => {
                if let Some((Some(name), _)) = asked(&parts.lhs, &parts.rhs) {
                    // A slip in the name is told already.
                    let meant = match header.parameter(name) {
                        Some(_) => Some(name),
                        None => words::nearest(name, header.names()),
                    };
                    used.extend(meant.map(str::to_owned));
                    bare -= 1;
                }
            }
            Node::Expr(Expr::Variable(variable, ..)) if variable.1 == "args" => {
                bare += 1;
            }
            _ => {}
        });
        used.extend(file.lost.iter().flat_map(|lost| lost.words.iter().cloned()));
    }
    // `print(args)`, `args[name]`: any of them may be used.
    if bare != 0 {
        return Vec::new();
    }
    let text = &program.main().text;
    let unused = header
        .parameters
        .iter()
        .filter(|parameter| !used.contains(&parameter.name));
    // Each is looked for in the text.
    unused
        .take(MOST_FAULTS)
        .map(|parameter| {
            let failure = Failure::new(
                "UnusedArgument",
                format!("the argument `{}` is never used", parameter.name),
            )
            .hint(format!(
                "write `args.{}` where its value is needed, or take its `@param` line away",
                parameter.name
            ));
            Finding::new(
                Severity::Warning,
                failure,
                declaration(text, &parameter.name),
            )
        })
        .collect()
}

fn declaration(text: &Text, name: &str) -> Option<crate::error::Place> {
    for (number, line) in text.text.lines().enumerate() {
        let Some((before, rest)) = line.split_once("@param") else {
            continue;
        };
        if before.trim() == "//!" && rest.split_whitespace().next() == Some(name) {
            let column = line[..line.len() - rest.trim_start().len()].chars().count() + 1;
            return Some(text.place_at(number + 1, column));
        }
    }
    None
}
