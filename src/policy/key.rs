//! The public keys of minisign, as its `.pub` files hold them in their second line.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A key whose form was checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PublicKey {
    text: String,
    /// As the tool shows it: `E7620F1842B4E81F`.
    id: String,
}

impl PublicKey {
    /// # Errors
    /// The sentence that says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let hint = "the second line of a `.pub` file of minisign is one";
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| format!("this is no base64; {hint}"))?;
        // Source: jedisct1/minisign, "Public key format": algorithm, key id, key.
        let [b'E', b'd', rest @ ..] = bytes.as_slice() else {
            return Err(format!("this is no minisign public key; {hint}"));
        };
        if rest.len() != 40 {
            let length = bytes.len();
            return Err(format!(
                "a minisign public key has 42 bytes, and this has {length}; {hint}"
            ));
        }
        let id = rest[..8].iter().rev().fold(String::new(), |mut id, byte| {
            // Writing to a text cannot fail.
            let _ = write!(id, "{byte:02X}");
            id
        });
        Ok(Self {
            text: text.to_owned(),
            id,
        })
    }

    /// In base64.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// As the tool shows it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_what_is_none() {
        // The key of minisign's own releases.
        let own = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let key = PublicKey::read(&format!("{own}\n")).unwrap();
        assert_eq!((key.text(), key.id()), (own, "E7620F1842B4E81F"));
        let secret = STANDARD.encode([b'E', b'd', 1, 2, 3]);
        let other = STANDARD.encode([b'X'; 42]);
        for wrong in ["", "hush!", &secret, &other, &own[..52]] {
            PublicKey::read(wrong).unwrap_err();
        }
    }
}
