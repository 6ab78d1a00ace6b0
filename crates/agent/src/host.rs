//! What the agent tells of its machine.

use std::fs;

use roadstead_api::agent::HostFacts;

/// Looks at the machine. What cannot be learnt is left empty: no fact is worth a failure.
pub(crate) fn facts() -> HostFacts {
    HostFacts {
        hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        os: os_name(),
        arch: std::env::consts::ARCH.to_owned(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn os_name() -> String {
    // The two places that os-release(5) names, in its order.
    ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .and_then(|text| pretty_name(&text))
        .unwrap_or_else(|| std::env::consts::OS.to_owned())
}

fn pretty_name(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|line| line.trim().strip_prefix("PRETTY_NAME="))?;
    let value = value.trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{facts, pretty_name};

    #[test]
    fn the_pretty_name_is_found_quoted_or_not() {
        assert_eq!(pretty_name("NAME=x\nPRETTY_NAME=\"A B 12 (c)\"\n").as_deref(), Some("A B 12 (c)"));
        assert_eq!(pretty_name("PRETTY_NAME='One'").as_deref(), Some("One"));
        assert_eq!(pretty_name("PRETTY_NAME=Two").as_deref(), Some("Two"));
        assert_eq!(pretty_name("PRETTY_NAME=\"\"\nID=x"), None);
    }

    #[test]
    fn this_machine_has_a_name() {
        let facts = facts();
        assert!(!facts.hostname.is_empty() && !facts.os.is_empty() && !facts.arch.is_empty());
    }
}
