//! The bracket at the cursor and the one it belongs to.

use crate::script::source::{Kind, Piece};

/// The indices of both, where the cursor stands on a bracket or right behind one.
pub(super) fn at(line: &str, all: &[Piece], pos: usize) -> Option<(usize, usize)> {
    let is_bracket = |piece: &Piece| matches!(piece.kind, Kind::Open | Kind::Close);
    let on = all
        .iter()
        .position(|piece| is_bracket(piece) && (piece.start..piece.end).contains(&pos));
    let behind = || {
        all.iter()
            .position(|piece| is_bracket(piece) && piece.end == pos)
    };
    let here = on.or_else(behind)?;
    let mut open: Vec<usize> = Vec::new();
    for (index, piece) in all.iter().enumerate() {
        match piece.kind {
            Kind::Open => open.push(index),
            Kind::Close => {
                let partner = open.pop()?;
                if index == here || partner == here {
                    return closes(all[partner].of(line), piece.of(line))
                        .then_some((partner, index));
                }
            }
            _ => {}
        }
    }
    None
}

fn closes(open: &str, close: &str) -> bool {
    matches!(
        (open, close),
        ("(", ")") | ("[", "]") | ("{" | "#{" | "${", "}")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::source::pieces;

    #[test]
    fn a_bracket_knows_its_partner() {
        let pair = |line: &str, pos: usize| {
            let all = pieces(line);
            at(line, &all, pos).map(|(one, other)| (all[one].start, all[other].start))
        };
        assert_eq!(pair("f(a[1])", 7), Some((1, 6)));
        assert_eq!(pair("f(a[1])", 1), Some((1, 6)));
        assert_eq!(pair("f(a[1])", 3), Some((3, 5)));
        assert_eq!(pair("f(\"(\")", 6), Some((1, 5)));
        assert_eq!(pair("f(", 2), None);
        assert_eq!(pair("f(1]", 4), None);
        assert_eq!(pair("x", 1), None);
    }
}
