//! Texts that only this tenant can have made: tokens, codes, places in a list.
//!
//! The seal keeps one sandbox's texts from working in another and shows a changed one. It protects nothing: whoever
//! reaches the port can have a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Seals texts with the key of one tenant.
#[derive(Clone)]
pub(super) struct Seal {
    key: String,
}

impl Seal {
    pub(super) fn new(key: String) -> Self {
        Self { key }
    }

    /// The seal of `text`: 22 characters that fit a URL.
    pub(super) fn of(&self, text: &str) -> String {
        let digest = Sha256::new()
            .chain_update(&self.key)
            .chain_update(text)
            .finalize();
        URL_SAFE_NO_PAD.encode(&digest[..16])
    }

    /// `payload` in base64, with its seal behind a dot.
    pub(super) fn wrap(&self, payload: &str) -> String {
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let seal = self.of(&payload);
        format!("{payload}.{seal}")
    }

    /// What was wrapped, if this tenant wrapped it.
    pub(super) fn unwrap(&self, wrapped: &str) -> Option<String> {
        let (payload, seal) = wrapped.split_once('.')?;
        if self.of(payload) != seal {
            return None;
        }
        String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_seal_opens() {
        let seal = Seal::new("one".into());
        let wrapped = seal.wrap("a place");
        assert_eq!(seal.unwrap(&wrapped).as_deref(), Some("a place"));
        assert_eq!(Seal::new("two".into()).unwrap(&wrapped), None);
        assert_eq!(seal.unwrap(&wrapped.replace('.', "A.")), None);
    }
}
