//! Walks over a syntax tree, the whole of it.
//!
//! The engine's own walk leaves out what `break` gives back (`loop { break session.activate() }`), and says nothing of scopes:
//! who wants to know what a script can do, or which names exist at a place, needs both.

use rhai::{AST, ASTNode, Expr, ImmutableString, Module, ScriptFuncDef, Shared, Stmt};

/// The statements of a file outside of functions, or those of one function or closure.
pub(crate) struct Body {
    /// Empty for the file's own statements; closures have the engine's name for them.
    pub(crate) name: ImmutableString,
    /// Captured variables come first.
    pub(crate) params: Vec<ImmutableString>,
    pub(crate) statements: Vec<Stmt>,
}

impl Body {
    pub(crate) fn is_closure(&self) -> bool {
        is_closure(&self.name)
    }
}

/// The engine calls closures `anon$` and a number.
pub(crate) fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// The file's own statements first, then each function and closure.
pub(crate) fn bodies(ast: &AST) -> Vec<Body> {
    let main = Body {
        name: ImmutableString::new(),
        params: Vec::new(),
        statements: ast.statements().to_vec(),
    };
    std::iter::once(main)
        .chain(ast.iter_fn_def().map(function))
        .collect()
}

/// The engine lets nobody take a function's statements, but walks over those of a tree that holds this one function.
fn function(function: &Shared<ScriptFuncDef>) -> Body {
    let mut alone = Module::new();
    alone.set_script_fn(function.clone());
    let mut statements = Vec::new();
    AST::new([], alone).walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    Body {
        name: function.name.clone(),
        params: function.params.to_vec(),
        statements,
    }
}

/// What a walk comes by, in the order in which it would run.
pub(crate) trait Visit<'a> {
    fn statement(&mut self, _: &'a Stmt) {}
    fn expression(&mut self, _: &'a Expr) {}
    /// A name begins to exist, until the scope is left.
    fn declare(&mut self, _: &'a str) {}
    fn enter(&mut self) {}
    fn leave(&mut self) {}
}

/// One statement or expression.
#[derive(Clone, Copy)]
pub(crate) enum Node<'a> {
    Stmt(&'a Stmt),
    Expr(&'a Expr),
}

/// Looks at every statement and expression of one body; closures inside it are bodies of their own.
pub(crate) fn each<'a>(statements: &'a [Stmt], look: &mut impl FnMut(Node<'a>)) {
    struct Each<'l, L>(&'l mut L);
    impl<'a, L: FnMut(Node<'a>)> Visit<'a> for Each<'_, L> {
        fn statement(&mut self, statement: &'a Stmt) {
            self.0(Node::Stmt(statement));
        }
        fn expression(&mut self, expression: &'a Expr) {
            self.0(Node::Expr(expression));
        }
    }
    walk(statements, &mut Each(look));
}

pub(crate) fn walk<'a>(statements: &'a [Stmt], visit: &mut impl Visit<'a>) {
    for statement in statements {
        self::statement(statement, visit);
    }
}

fn scope<'a>(statements: &'a [Stmt], visit: &mut impl Visit<'a>) {
    visit.enter();
    walk(statements, visit);
    visit.leave();
}

fn statement<'a>(found: &'a Stmt, visit: &mut impl Visit<'a>) {
    visit.statement(found);
    match found {
        Stmt::If(parts, _) => {
            expression(&parts.expr, visit);
            scope(parts.body.statements(), visit);
            scope(parts.branch.statements(), visit);
        }
        Stmt::Switch(parts, _) => {
            let (of, cases) = &**parts;
            expression(of, visit);
            // All arms stand in this one list, whatever leads to them.
            for arm in &cases.expressions {
                expression(&arm.lhs, visit);
                expression(&arm.rhs, visit);
            }
        }
        Stmt::While(parts, _) => {
            expression(&parts.expr, visit);
            scope(parts.body.statements(), visit);
        }
        Stmt::Do(parts, ..) => {
            scope(parts.body.statements(), visit);
            expression(&parts.expr, visit);
        }
        Stmt::For(parts, _) => {
            let (item, counter, parts) = &**parts;
            expression(&parts.expr, visit);
            visit.enter();
            visit.declare(&item.name);
            if let Some(counter) = counter {
                visit.declare(&counter.name);
            }
            walk(parts.body.statements(), visit);
            visit.leave();
        }
        Stmt::Var(parts, ..) => {
            expression(&parts.1, visit);
            visit.declare(&parts.0.name);
        }
        Stmt::Assignment(parts) => {
            // The right side is worked out first.
            expression(&parts.1.rhs, visit);
            expression(&parts.1.lhs, visit);
        }
        Stmt::FnCall(call, _) => call.args.iter().for_each(|arg| expression(arg, visit)),
        Stmt::Block(block) => scope(block.statements(), visit),
        Stmt::TryCatch(parts, _) => {
            scope(parts.body.statements(), visit);
            visit.enter();
            if let Expr::Variable(caught, ..) = &parts.expr {
                visit.declare(&caught.1);
            }
            walk(parts.branch.statements(), visit);
            visit.leave();
        }
        Stmt::Expr(inner) => expression(inner, visit),
        Stmt::BreakLoop(Some(value), ..) | Stmt::Return(Some(value), ..) => {
            expression(value, visit);
        }
        Stmt::Import(parts, _) => {
            expression(&parts.0, visit);
            visit.declare(&parts.1.name);
        }
        // Further kinds that the engine may get one day would be missed here: its version is pinned by the lock file.
        _ => {}
    }
}

fn expression<'a>(found: &'a Expr, visit: &mut impl Visit<'a>) {
    visit.expression(found);
    match found {
        Expr::Stmt(block) => scope(block.statements(), visit),
        Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
            parts.iter().for_each(|part| expression(part, visit));
        }
        Expr::Map(map, _) => map.0.iter().for_each(|(_, value)| expression(value, visit)),
        Expr::Index(parts, ..) | Expr::Dot(parts, ..) => {
            expression(&parts.lhs, visit);
            expression(&parts.rhs, visit);
        }
        Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
            parts.iter().for_each(|part| expression(part, visit));
        }
        Expr::FnCall(call, _) | Expr::MethodCall(call, _) => {
            call.args.iter().for_each(|arg| expression(arg, visit));
        }
        Expr::Custom(custom, _) => custom
            .inputs
            .iter()
            .for_each(|part| expression(part, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(text: &str) -> Vec<String> {
        let ast = crate::script::engine::parser().compile(text).unwrap();
        let mut found = Vec::new();
        for body in bodies(&ast) {
            each(&body.statements, &mut |node| match node {
                Node::Stmt(Stmt::FnCall(call, _))
                | Node::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) => {
                    found.push(call.name.to_string());
                }
                _ => {}
            });
        }
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn no_call_is_missed_wherever_it_stands() {
        let places = [
            "HERE",
            "let x = HERE;",
            "const x = HERE;",
            "let x = 1; x = HERE;",
            "let x = [1]; x[HERE] = 2;",
            "let x = #{}; x.a.b = HERE;",
            "if HERE { }",
            "if true { HERE }",
            "if true { } else { HERE }",
            "if true { } else if HERE { }",
            "while HERE { }",
            "loop { HERE }",
            "loop { break HERE; }",
            "let x = loop { break HERE };",
            "do { HERE } while true",
            "do { } until HERE",
            "for i in HERE { }",
            "for i in 0..HERE { }",
            "for (i, n) in [1] { HERE }",
            "switch HERE { 1 => 2 }",
            "switch 1 { 1 => HERE, _ => 2 }",
            "switch 1 { 1 if HERE => 2 }",
            "switch 1 { 1..5 => HERE, _ => 2 }",
            "switch 1 { _ => HERE }",
            "switch 1 { 1 | 2 => HERE }",
            "try { HERE } catch { }",
            "try { } catch (e) { HERE }",
            "throw HERE;",
            "return HERE;",
            "`a ${HERE} b`",
            "[1, HERE]",
            "#{a: HERE}",
            "[1][HERE]",
            "#{}?.a ?? HERE",
            "true && HERE",
            "true || HERE",
            "!HERE",
            "1 + 2 * HERE",
            "print(HERE)",
            "\"x\".len(HERE)",
            "1 in HERE",
            "{ HERE }",
            "let f = || HERE;",
            "let y = 1; let f = |x| x + y + HERE;",
            "fn f() { HERE }",
            "private fn f() { fn_ptr(|| HERE) }",
        ];
        for place in places {
            let text = place.replace("HERE", "parse_int(now().hidden)");
            let found = calls(&text);
            for name in ["now", "parse_int"] {
                assert!(found.contains(&name.to_owned()), "{text}: {found:?}");
            }
        }
    }

    #[test]
    fn the_engines_own_walk_still_misses_what_break_gives() {
        let ast = crate::script::engine::parser()
            .compile("loop { break parse_int(\"5\"); }")
            .unwrap();
        let mut seen = false;
        ast.walk(&mut |path: &[rhai::ASTNode]| {
            seen |= format!("{:?}", path.last()).starts_with("Some(parse_int");
            true
        });
        assert!(!seen, "then `each` may go");
    }
}
