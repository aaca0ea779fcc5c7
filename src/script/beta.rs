//! Whether a script asks for the beta version of Graph by itself: a run says so in its first line.

use rhai::{ASTNode, Dynamic, Expr};

use super::program::Program;

/// What a script may do with `#{version: …}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beta {
    Never,
    /// The version comes from a variable or an argument.
    Perhaps,
    Yes,
}

impl Beta {
    /// Of all files of a program but those of the standard library.
    pub(super) fn of(program: &Program) -> Self {
        let mut most = Self::Never;
        for file in program.files().into_iter().filter(|file| !file.is_std()) {
            file.ast.walk(&mut |path: &[ASTNode]| {
                if let Some(ASTNode::Expr(expr)) = path.last() {
                    most = most.or(expression(expr));
                }
                most != Self::Yes
            });
        }
        most
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Never, Self::Never) => Self::Never,
            _ => Self::Perhaps,
        }
    }
}

fn expression(expr: &Expr) -> Beta {
    match expr {
        Expr::Map(map, _) => map
            .0
            .iter()
            .filter(|(key, _)| key.name == "version")
            .map(|(_, value)| match value {
                Expr::StringConstant(text, _) if text == "beta" => Beta::Yes,
                Expr::StringConstant(..) | Expr::Unit(_) => Beta::Never,
                _ => Beta::Perhaps,
            })
            .fold(Beta::Never, Beta::or),
        // A map of nothing but constants is one constant.
        Expr::DynamicConstant(value, _) => constant(value),
        _ => Beta::Never,
    }
}

fn constant(value: &Dynamic) -> Beta {
    let is_beta = |value: &Dynamic| {
        value
            .as_immutable_string_ref()
            .is_ok_and(|text| text.as_str() == "beta")
    };
    if let Ok(map) = value.as_map_ref() {
        if map.get("version").is_some_and(is_beta) {
            return Beta::Yes;
        }
        return map.values().map(constant).fold(Beta::Never, Beta::or);
    }
    match value.as_array_ref() {
        Ok(items) => items.iter().map(constant).fold(Beta::Never, Beta::or),
        Err(_) => Beta::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Script;

    fn of(text: &str) -> Beta {
        let script = Script::load("test.rhai", text.as_bytes()).unwrap();
        script.beta(&crate::script::Roots::default())
    }

    #[test]
    fn a_script_that_asks_for_beta_is_known_before_it_runs() {
        for text in [
            r#"exchange::units(#{version: "beta"})"#,
            r#"let n = "x"; exchange::units(#{filter: n, version: "beta"})"#,
            r#"fn f() { graph::get("/me", #{version: "beta"}) } f()"#,
            r#"users::list().map(|u| onedrive::points(u, #{version: "beta"}))"#,
        ] {
            assert_eq!(of(text), Beta::Yes, "{text}");
        }
        assert_eq!(
            of(r#"let v = "beta"; exchange::units(#{version: v})"#),
            Beta::Perhaps
        );
        for text in [
            r#"exchange::units(#{version: "v1.0"})"#,
            r#"print("beta"); #{name: "beta"}"#,
        ] {
            assert_eq!(of(text), Beta::Never, "{text}");
        }
    }
}
