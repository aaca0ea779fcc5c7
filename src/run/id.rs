//! Names of runs: `2026-11-24T01-58-33Z-k3f9q2`.

use jiff::Timestamp;

/// A name that sorts by time, can be a folder anywhere and is not used twice.
pub(crate) fn new(now: Timestamp) -> String {
    let letters: String =
        std::iter::repeat_with(|| fastrand::choice(b"0123456789abcdefghijklmnopqrstuvwxyz".iter()))
            .flatten()
            .take(6)
            .map(|&letter| char::from(letter))
            .collect();
    format!("{}-{letters}", now.strftime("%Y-%m-%dT%H-%M-%SZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_for_its_start_and_a_little_luck() {
        let now = "2026-11-24T01:58:33.9Z".parse().unwrap();
        let (one, other) = (new(now), new(now));
        assert_eq!(one.len(), "2026-11-24T01-58-33Z-k3f9q2".len());
        assert!(one.starts_with("2026-11-24T01-58-33Z-"), "{one}");
        assert_ne!(one, other);
    }
}
