//! Certificate and key from a PEM file.

use std::path::Path;

use pkcs8::EncryptedPrivateKeyInfoRef;
use secrecy::zeroize::Zeroizing;

use super::Trouble;
use super::key::{Found, Key, not_rsa};

pub(super) fn is_pem(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN)
}

/// Takes the first private key and all certificates, in whatever order they stand; text between them is no harm.
pub(super) fn read(bytes: &[u8], file: &Path, password: Option<&str>) -> Result<Found, Trouble> {
    let name = file.display();
    let blocks = ::pem::parse_many(bytes).map_err(|error| {
        Trouble::unreadable(
            format!("it is damaged PEM ({error})"),
            "export it again from where it was made",
        )
    })?;
    let mut key = None;
    let mut certificates = Vec::new();
    for block in blocks {
        match block.tag() {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                certificates.push(block.into_contents())
            }
            tag if tag.ends_with("PRIVATE KEY") && key.is_none() => key = Some(block),
            _ => {}
        }
    }
    let Some(block) = key else {
        return Err(Trouble::unreadable(
            "there is no private key in it",
            format!("put both into one file: `cat key.pem {name} > both.pem`"),
        ));
    };
    if certificates.is_empty() {
        return Err(Trouble::unreadable(
            "there is no certificate in it",
            format!("put both into one file: `cat {name} cert.pem > both.pem`"),
        ));
    }
    let is_sealed = block
        .headers()
        .get("Proc-Type")
        .is_some_and(|value| value.contains("ENCRYPTED"));
    if is_sealed {
        return Err(Trouble::unreadable(
            "its private key is encrypted in OpenSSL's old way",
            format!(
                "`openssl pkey -in {name} -out key.pem` takes the encryption off; then put key and certificate into one file"
            ),
        ));
    }
    let tag = block.tag().to_owned();
    let contents = Zeroizing::new(block.into_contents());
    let key = match tag.as_str() {
        "PRIVATE KEY" => Key::Pkcs8(contents),
        "RSA PRIVATE KEY" => Key::Pkcs1(contents),
        "ENCRYPTED PRIVATE KEY" => Key::Pkcs8(decrypt(&contents, file, password)?),
        "EC PRIVATE KEY" => return Err(not_rsa("an EC key")),
        other => return Err(not_rsa(&format!("a {other}"))),
    };
    Ok(Found { key, certificates })
}

fn decrypt(der: &[u8], file: &Path, password: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let name = file.display();
    let by_hand = format!("`openssl pkey -in {name} -out key.pem` takes the encryption off");
    let Some(password) = password else {
        return Err(Trouble::unreadable(
            "its private key is encrypted",
            format!("set AZURE_CLIENT_CERTIFICATE_PASSWORD\n{by_hand}"),
        ));
    };
    let sealed = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| {
        Trouble::unreadable(
            "its private key is damaged, or encrypted in a way that is not known here",
            by_hand.clone(),
        )
    })?;
    if super::pkcs12::is_too_costly(&sealed.encryption_algorithm) {
        return Err(Trouble::unreadable(
            "its private key is encrypted with a cost that is beyond all use",
            by_hand,
        ));
    }
    match sealed.decrypt(password) {
        Ok(document) => Ok(Zeroizing::new(document.as_bytes().to_vec())),
        // The one that can be told apart from a wrong password.
        Err(pkcs8::Error::EncryptedPrivateKey(error))
            if error.to_string().contains("unsupported") =>
        {
            Err(Trouble::unreadable(
                format!("its private key cannot be decrypted ({error})"),
                by_hand,
            ))
        }
        Err(_) => Err(Trouble::unfit(
            "AZURE_CLIENT_CERTIFICATE_PASSWORD is not its password",
            format!("`openssl pkey -in {name} -noout` asks for it and tells"),
        )),
    }
}
