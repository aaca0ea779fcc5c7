//! The files one over the other: which setting holds.

use std::collections::BTreeMap;

use super::file::Document;
use super::find::{Found, find};
use super::{Config, Key, NAME, Setting, Wanted, bad, trust};
use crate::error::{Exit, Fault};

/// Reads the config files and says which settings hold.
///
/// Weakest first: what stands above all profiles in the state folder's file, the same in the working folder's, the chosen
/// profile in the state folder's file, the same in the working folder's.
///
/// # Errors
/// Exit 2, every mistake: files that cannot be used, unknown settings, wrong values, secrets, a profile that is not there,
/// settings that a file in the working folder may not say.
pub(crate) fn load(wanted: &Wanted, keys: &[Key]) -> Result<Config, Vec<Fault>> {
    let found = find(wanted)?;
    let mut documents = Vec::new();
    let mut faults = Vec::new();
    for file in &found {
        match Document::read(file, keys, wanted.home.as_deref()) {
            Ok(document) => documents.push(document),
            Err(mistakes) => faults.extend(mistakes),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let profile = chosen(wanted, &found, &documents).map_err(|fault| vec![fault])?;
    let mut layers: Vec<Vec<Setting>> = Vec::new();
    layers.extend(
        documents
            .iter_mut()
            .map(|document| std::mem::take(&mut document.common)),
    );
    if let Some(name) = &profile {
        let of_profile = documents
            .iter_mut()
            .filter_map(|document| document.profiles.remove(name));
        layers.extend(of_profile);
    }
    let settings = merged(layers)?;
    Ok(Config {
        files: found.into_iter().map(|file| file.path).collect(),
        profile,
        settings,
    })
}

/// The profile that holds: the one that was asked for, else the files' own choice.
fn chosen(
    wanted: &Wanted,
    found: &[Found],
    documents: &[Document],
) -> Result<Option<String>, Fault> {
    let own = documents
        .iter()
        .rev()
        .find_map(|document| document.default_profile.as_ref());
    let (name, fault): (&String, Box<dyn Fn(String) -> Fault>) = match (&wanted.profile, own) {
        (Some(name), _) => {
            let plain = |message| Fault::new(Exit::Unstarted, "BadConfig", message);
            (name, Box::new(plain))
        }
        (None, Some(setting)) => {
            if let Some(refusal) = trust::refusal(setting) {
                return Err(refusal);
            }
            let place = setting.place.clone();
            let placed = move |message| bad(message, place.clone());
            (&setting.values[0], Box::new(placed))
        }
        (None, None) => return Ok(None),
    };
    let known: Vec<&String> = documents
        .iter()
        .flat_map(|document| document.profiles.keys())
        .collect();
    if known.contains(&name) {
        return Ok(Some(name.clone()));
    }
    if name == "default" {
        return Err(fault("no profile is called `default`".to_owned())
            .hint("what stands at the top of a config file holds without a profile"));
    }
    let missing = fault(format!("there is no profile `{name}`"));
    let close = |known: &&&String| strsim::damerau_levenshtein(name, known);
    Err(match known.iter().min_by_key(close) {
        Some(near) if close(&near) <= (near.len() / 3).max(1) => {
            missing.hint(format!("did you mean `{near}`?"))
        }
        Some(_) => {
            let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            missing.hint(format!("there are {}", names.join(", ")))
        }
        None if found.is_empty() => {
            let state = wanted.state.iter().map(|folder| folder.join(NAME));
            let looked: Vec<String> = state
                .map(|path| format!("`{}`", path.display()))
                .chain([format!("`{NAME}` in this folder")])
                .collect();
            missing.hint(format!(
                "there is no config file: neither {}",
                looked.join(" nor ")
            ))
        }
        None => missing.hint(format!(
            "write `[profile.{name}]` into `{}`",
            found[0].path.display()
        )),
    })
}

/// Each setting once, of the highest layer that has it.
fn merged(layers: Vec<Vec<Setting>>) -> Result<Vec<Setting>, Vec<Fault>> {
    let mut holding: BTreeMap<String, Setting> = BTreeMap::new();
    let mut faults = Vec::new();
    for (rank, layer) in layers.into_iter().enumerate() {
        for mut setting in layer {
            if let Some(refusal) = trust::refusal(&setting) {
                faults.push(refusal);
                continue;
            }
            setting.rank = rank;
            holding.insert(setting.key.clone(), setting);
        }
    }
    if faults.is_empty() {
        Ok(holding.into_values().collect())
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Kind, Origin};
    use crate::text::Paint;

    fn keys() -> Vec<Key> {
        let key = |name: &str, kind, many| Key {
            name: name.to_owned(),
            kind,
            many,
        };
        vec![
            key("tenant", Kind::Text, false),
            key("in-flight", Kind::Number, false),
            key("yes", Kind::Switch, false),
            key("graph-url", Kind::Text, false),
            key("ca-file", Kind::Path, false),
            key("client-secret-file", Kind::Path, false),
            key("data", Kind::Path, true),
        ]
    }

    fn said(text: &str, profile: Option<&str>) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        fs::write(&path, text).unwrap();
        let wanted = Wanted {
            named: Some(path),
            profile: profile.map(str::to_owned),
            ..Wanted::default()
        };
        load(&wanted, &keys()).map_err(|faults| {
            let shown: String = faults
                .iter()
                .map(|fault| fault.render(Paint::Plain))
                .collect();
            shown.replace(&folder.path().display().to_string(), "[FOLDER]")
        })
    }

    fn value(config: &Config, key: &str) -> Option<String> {
        let setting = config.settings.iter().find(|setting| setting.key == key)?;
        Some(setting.values.join(" "))
    }

    const TWO: &str = "tenant = \"common\"\nin-flight = 4\n[profile.a]\ntenant = \"a\"\n[profile.b]\ntenant = \"b\"\nyes = true\n";

    #[test]
    fn a_profile_stands_over_what_stands_above_all() {
        for (profile, tenant, yes) in [
            (None, "common", None),
            (Some("a"), "a", None),
            (Some("b"), "b", Some("true")),
        ] {
            let config = said(TWO, profile).unwrap();
            assert_eq!(value(&config, "tenant").as_deref(), Some(tenant));
            assert_eq!(value(&config, "in-flight").as_deref(), Some("4"));
            assert_eq!(value(&config, "yes").as_deref(), yes);
        }
        let config = said(&format!("default-profile = \"a\"\n{TWO}"), None).unwrap();
        assert_eq!(config.profile.as_deref(), Some("a"));
        let config = said(&format!("default-profile = \"a\"\n{TWO}"), Some("b")).unwrap();
        assert_eq!(value(&config, "tenant").as_deref(), Some("b"));
    }

    #[test]
    fn a_profile_that_is_not_there_is_told_with_the_nearest() {
        let message = said("[profile.contoso]\n[profile.fabrikam]\n", Some("contso")).unwrap_err();
        assert!(
            message.contains("there is no profile `contso`"),
            "{message}"
        );
        assert!(message.contains("did you mean `contoso`?"), "{message}");
        let message = said("[profile.contoso]\n", Some("x")).unwrap_err();
        assert!(message.contains("there are `contoso`"), "{message}");
        let message = said("", Some("x")).unwrap_err();
        assert!(message.contains("write `[profile.x]` into"), "{message}");
        let message = said("", Some("default")).unwrap_err();
        assert!(message.contains("holds without a profile"), "{message}");
        let message = said("default-profile = \"b\"\n[profile.a]\n", None).unwrap_err();
        assert!(message.contains("runback.toml:1:19"), "{message}");
    }

    #[test]
    fn every_mistake_is_told_at_its_place_in_the_order_of_the_file() {
        let text = "tennant = \"x\"\nin-flight = \"many\"\nclient-secret = \"hush\"\n\n[profile.a]\nGRAPH_URL = 1\nyes = 1\n[prod]\ntenant = \"x\"\n";
        insta::assert_snapshot!(said(text, None).unwrap_err(), @r#"
        error: there is no setting `tennant`
         --> [FOLDER]/runback.toml:1:1
          |
        1 | tennant = "x"
          | ^

        hint: did you mean `tenant`?
        error: `in-flight` wants a number, not text
         --> [FOLDER]/runback.toml:2:13
          |
        2 | in-flight = "many"
          |             ^

        hint: write `in-flight = 8`
        error: a secret does not belong into a config file
         --> [FOLDER]/runback.toml:3:1
          |
        3 | client-secret = …
          | ^

        hint: set AZURE_CLIENT_SECRET in the environment, or
        hint: put it into a file of mode 0600 and name that here: `client-secret-file = "…"`
        error: there is no setting `GRAPH_URL`
         --> [FOLDER]/runback.toml:6:1
          |
        6 | GRAPH_URL = 1
          | ^

        hint: did you mean `graph-url`?
        error: `yes` wants `true` or `false`, not a number
         --> [FOLDER]/runback.toml:7:7
          |
        7 | yes = 1
          |       ^

        hint: write `yes = true`
        error: there is no setting `prod`
         --> [FOLDER]/runback.toml:8:2
          |
        8 | [prod]
          |  ^

        hint: a profile is written `[profile.prod]`
        "#);
    }

    #[test]
    fn no_secret_is_shown_however_it_is_written() {
        for text in [
            "client-secret = \"hush\"",
            "client-secret = hush",
            "profile = { a = { token = \"hush\" } }",
            "profile.a.\"password\" = 'hush'",
            "x = [\nAZURE_CLIENT_SECRET=hush",
            "client-secret-value = \"\"\"\nhush\n\"\"\"",
            "tenant = \"t\" token = \"hush\"",
        ] {
            let message = said(text, None).unwrap_err();
            assert!(!message.contains("hush"), "{message}");
            assert!(message.contains("a secret does not belong"), "{message}");
        }
        // A path to a secret is none.
        let config = said("client-secret-file = \"x\"", None).unwrap();
        assert!(
            value(&config, "client-secret-file")
                .unwrap()
                .ends_with("/x")
        );
    }

    #[test]
    fn what_is_no_toml_is_shown_at_its_place() {
        let message = said("tenant = \"a\"\nin-flight = = 4\n", None).unwrap_err();
        assert!(message.contains("this is not TOML"), "{message}");
        assert!(message.contains("runback.toml:2:"), "{message}");
        for (text, hint) in [
            (
                "profile = \"a\"",
                "`default-profile = \"NAME\"` chooses one",
            ),
            ("profile.a = 1", "`[profile.a]`"),
            ("[profile.default]", "at the top of the file"),
            ("[profiles.a]", "a profile is written `[profile.NAME]`"),
            ("config = \"x\"", "for the command line"),
            (
                "[profile.a]\ndefault-profile = \"a\"",
                "at the top of the file",
            ),
            ("zzzzzzzz = 1", "`runback --help` lists the flags"),
        ] {
            let message = said(text, None).unwrap_err();
            assert!(message.contains(hint), "{text}\n{message}");
        }
    }

    #[test]
    fn the_working_folder_stands_over_the_state_folder() {
        let place = crate::error::Place {
            file: String::new(),
            line: 1,
            column: 1,
            text: None,
        };
        let setting = |key: &str, value: &str, origin| Setting {
            key: key.to_owned(),
            values: vec![value.to_owned()],
            place: place.clone(),
            origin,
            rank: 0,
        };
        let layers = vec![
            vec![
                setting("tenant", "state", Origin::State),
                setting("yes", "true", Origin::State),
            ],
            vec![setting("tenant", "working", Origin::Working)],
        ];
        let held = merged(layers).unwrap();
        let values: Vec<(&str, &str)> = held
            .iter()
            .map(|setting| (setting.key.as_str(), setting.values[0].as_str()))
            .collect();
        assert_eq!(values, [("tenant", "working"), ("yes", "true")]);
        let layers = vec![vec![setting("yes", "true", Origin::Working)]];
        assert_eq!(merged(layers).unwrap_err().len(), 1);
    }

    #[test]
    fn a_named_file_must_be_there() {
        let wanted = Wanted {
            named: Some(PathBuf::from("/no/such/runback.toml")),
            ..Wanted::default()
        };
        let faults = load(&wanted, &keys()).unwrap_err();
        assert_eq!(
            faults[0].message,
            "there is no config file `/no/such/runback.toml`"
        );
    }
}
