//! What the old clients say of a container that is to be made: its command as a line, its environment and its ports as the
//! engine's API has them.

use std::collections::BTreeMap;

use roadstead_api::machine::NewContainer;
use serde_json::Value;

use super::asked::Asked;
use crate::{Error, Result};

/// What is asked for; nothing where nothing is said.
pub fn asked_for(asked: &Asked) -> Result<Option<NewContainer>> {
    let command = match asked.text("docker_command") {
        Some(line) => words(&line)?,
        None => Vec::new(),
    };
    let mut environment = BTreeMap::new();
    for variable in asked.list("docker_env") {
        let wrong = || Error::invalid("docker_env is a list of NAME=VALUE.");
        let (name, value) = variable.split_once('=').ok_or_else(wrong)?;
        environment.insert(name.to_owned(), value.to_owned());
    }
    let ports = match asked.given().get("docker_port_bindings") {
        Some(Value::Object(bindings)) => ports(bindings)?,
        _ => Vec::new(),
    };
    let new = NewContainer { command, environment, ports, volumes: Vec::new() };
    Ok((new != NewContainer::default()).then_some(new))
}

/// `{"80/tcp": [{"HostPort": "8080"}]}` as we write it: `8080:80/tcp`. Without a port of the host, the engine chooses.
fn ports(bindings: &serde_json::Map<String, Value>) -> Result<Vec<String>> {
    let wrong = || Error::invalid("docker_port_bindings is like {\"80/tcp\": [{\"HostPort\": \"8080\"}]}.");
    let mut ports = Vec::new();
    for (port, hosts) in bindings {
        let hosts = hosts.as_array().ok_or_else(wrong)?;
        if hosts.is_empty() {
            ports.push(port.clone());
        }
        for host in hosts {
            ports.push(match &host["HostPort"] {
                Value::String(number) if !number.is_empty() => format!("{number}:{port}"),
                Value::Number(number) => format!("{number}:{port}"),
                Value::String(_) | Value::Null => port.clone(),
                _ => return Err(wrong()),
            });
        }
    }
    ports.sort();
    Ok(ports)
}

/// The words of a command line, as a shell would take it apart: quotes and backslashes, and nothing else.
fn words(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(letter);
                // Even when nothing stands between the quotes, there is a word.
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => {
                let next = letters.next().ok_or_else(|| unfinished("backslash"))?;
                let word = word.get_or_insert_default();
                if quote.is_some() && !matches!(next, '"' | '\\' | '$' | '`') {
                    word.push('\\');
                }
                word.push(next);
            }
            (letter, None) if letter.is_whitespace() => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err(unfinished("quote"));
    }
    words.extend(word);
    Ok(words)
}

fn unfinished(what: &str) -> Error {
    Error::invalid(format!("docker_command ends within a {what}."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, prop_assert_eq, proptest};
    use serde_json::json;

    use super::{ports, words};

    #[test]
    fn a_line_is_taken_apart_as_a_shell_does_it() {
        for (line, taken) in [
            ("", &[][..]),
            ("  ls  -l ", &["ls", "-l"]),
            (r#"sh -c 'echo "a  b"; exit 1'"#, &["sh", "-c", r#"echo "a  b"; exit 1"#]),
            (r#"a\ b "c\"\d" e'f'g ''"#, &["a b", r#"c"\d"#, "efg", ""]),
        ] {
            assert_eq!(words(line).unwrap(), taken, "{line}");
        }
        for wrong in ["'a", "\"a", "a\\"] {
            assert!(words(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ports_are_written_our_way() {
        let read = |bindings| match bindings {
            serde_json::Value::Object(bindings) => ports(&bindings),
            _ => unreachable!(),
        };
        let bindings =
            json!({"80/tcp": [{"HostPort": "8080"}, {"HostPort": 81}], "53/udp": [], "22/tcp": [{}]});
        assert_eq!(read(bindings).unwrap(), ["22/tcp", "53/udp", "8080:80/tcp", "81:80/tcp"]);
        for wrong in [json!({"80": "x"}), json!({"80": [{"HostPort": []}]})] {
            assert!(read(wrong).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_fall_over(line in ".{0,200}") {
            let _ = words(&line);
        }

        #[test]
        fn what_is_quoted_comes_back(given in prop::collection::vec(".{0,20}", 0..8)) {
            let quoted: Vec<String> =
                given.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
            prop_assert_eq!(words(&quoted.join(" ")).unwrap(), given);
        }
    }
}
