//! What the server's certificate is for: every name by which it may rightly be called.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use rustls::pki_types::ServerName;

/// The names of a server: where it listens, what its public URL calls it, its host's name, and this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    told: BTreeSet<String>,
    host: String,
}

impl Names {
    /// The names of a server that listens at `listen` and is called `public_host`.
    pub fn new(listen: IpAddr, public_host: &str) -> Self {
        let local =
            [Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string(), "localhost".to_owned()];
        let mut told: BTreeSet<_> = local.into_iter().chain([public_host.to_owned()]).collect();
        if !listen.is_unspecified() {
            told.insert(listen.to_string());
        }
        Self { told, host: host_name() }
    }

    /// The same as of now: the host's name may have changed.
    pub fn refreshed(&self) -> Self {
        Self { told: self.told.clone(), host: host_name() }
    }

    /// Those that can stand in a certificate, each once.
    pub fn for_certificate(&self) -> Vec<String> {
        let names: BTreeSet<_> = self.told.iter().chain([&self.host]).collect();
        names.into_iter().filter(|name| ServerName::try_from(name.as_str()).is_ok()).cloned().collect()
    }
}

/// The machine's name; `localhost` where it has none that others could call it by.
pub fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    if ServerName::try_from(name.as_str()).is_ok() { name } else { "localhost".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Names, host_name};

    #[test]
    fn every_name_stands_once_and_none_that_is_no_name() {
        let names = Names::new([192, 0, 2, 7].into(), "backup.example.com").for_certificate();
        for name in ["192.0.2.7", "backup.example.com", "127.0.0.1", "::1", "localhost", &host_name()] {
            assert_eq!(names.iter().filter(|n| *n == name).count(), 1, "{name} in {names:?}");
        }
        let names = Names::new([0, 0, 0, 0].into(), "not a name").for_certificate();
        assert!(names.iter().all(|name| name != "0.0.0.0" && name != "not a name"), "{names:?}");
    }
}
