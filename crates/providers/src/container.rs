//! What an order of machines says beyond that where the machines are containers, and how a long order tells of itself.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The most ports, variables, volumes or words of a command in one order.
const MAX_ITEMS: usize = 256;
/// How long a volume's name or path may be, in bytes.
const MAX_PATH_BYTES: usize = 4096;

/// What a container is made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerOrder {
    /// The command and its arguments; the image's own when empty.
    pub command: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Ports that are published. When there are none, those that the image exposes are, wherever there is room.
    pub ports: Vec<PublishedPort>,
    /// What is mounted into it.
    #[serde(default)]
    pub volumes: Vec<Volume>,
}

/// A port of a container that its host passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPort {
    /// The port inside.
    pub container: u16,
    /// The port of the host; any that is free when absent.
    pub host: Option<u16>,
    /// Whether it is UDP.
    pub udp: bool,
}

impl PublishedPort {
    /// Reads a port as Docker's command line has it: `[HOST:]CONTAINER[/tcp|/udp]`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::invalid("ports", "takes ports such as 80, 8080:80 or 53:53/udp");
        let (ports, udp) = match text.split_once('/') {
            None | Some((_, "tcp")) => (text.trim_end_matches("/tcp"), false),
            Some((ports, "udp")) => (ports, true),
            Some(_) => return Err(wrong()),
        };
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(wrong);
        let (host, container) = match ports.split_once(':') {
            Some((host, container)) => (Some(number(host)?), container),
            None => (None, ports),
        };
        Ok(Self { container: number(container)?, host, udp })
    }
}

/// Something that is mounted into a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// The name of a volume of the engine, which is made where there is none, or a path of the engine's host.
    pub source: String,
    /// Where it is inside.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
}

impl Volume {
    /// Reads a volume as Docker's command line has it: `NAME:PATH[:ro|:rw]`, where the name may be a path of the host.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong =
            || Error::invalid("volumes", "takes volumes such as data:/var/lib/data or /srv/www:/www:ro");
        let (rest, read_only) = match text.rsplit_once(':') {
            Some((rest, "ro")) => (rest, true),
            Some((rest, "rw")) => (rest, false),
            _ => (text, false),
        };
        let (source, target) = rest.split_once(':').ok_or_else(wrong)?;
        let volume = Self { source: source.to_owned(), target: target.to_owned(), read_only };
        if volume.fits() { Ok(volume) } else { Err(wrong()) }
    }

    /// Whether it is a path of the engine's host, and so may hold anything of that.
    pub fn is_of_host(&self) -> bool {
        self.source.starts_with('/')
    }

    fn fits(&self) -> bool {
        let is_path = |path: &str| {
            path.len() > 1
                && path.len() <= MAX_PATH_BYTES
                && path.starts_with('/')
                && !path.contains(|c: char| c == ':' || c.is_control())
                && !path.split('/').any(|part| part == "..")
        };
        let is_name = |name: &str| {
            name.len() <= MAX_PATH_BYTES
                && name.starts_with(|first: char| first.is_ascii_alphanumeric())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        };
        is_path(&self.target) && (is_path(&self.source) || self.source == "/" || is_name(&self.source))
    }

    /// The same as the engine's API has it.
    pub(crate) fn bind(&self) -> String {
        format!("{}:{}:{}", self.source, self.target, if self.read_only { "ro" } else { "rw" })
    }
}

impl ContainerOrder {
    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Checks what no engine takes.
    pub fn check(&self) -> Result<()> {
        let lists = [self.command.len(), self.environment.len(), self.ports.len(), self.volumes.len()];
        if lists.iter().any(|&items| items > MAX_ITEMS) {
            return Err(Error::invalid("container", format!("has more than {MAX_ITEMS} items in one list")));
        }
        if self.environment.keys().any(|name| name.is_empty() || name.contains(['=', '\0'])) {
            return Err(Error::invalid(
                "environment",
                "has a name that is empty or has an equals sign in it",
            ));
        }
        if self.ports.iter().any(|port| port.container == 0 || port.host == Some(0)) {
            return Err(Error::invalid("ports", "has a port 0"));
        }
        if !self.volumes.iter().all(Volume::fits) {
            return Err(Error::invalid("volumes", "has a volume that is no name or path"));
        }
        Ok(())
    }
}

/// Where a long order tells how far it is. Nobody listens by default.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Listener>>);

struct Listener {
    tell: Box<dyn Fn(&str) + Send + Sync>,
    last: Mutex<String>,
}

impl Progress {
    /// Tells this listener, in one line at a time, and none twice in a row.
    pub fn to(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Listener { tell: Box::new(tell), last: Mutex::default() })))
    }

    /// Says how far the order is.
    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        let Some(listener) = &self.0 else { return };
        let line = line();
        let mut last = listener.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != line {
            (listener.tell)(&line);
            *last = line;
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(heard)" } else { "Progress(unheard)" })
    }
}

/// Who listens is no part of what is ordered.
impl PartialEq for Progress {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{ContainerOrder, Progress, PublishedPort, Volume};

    #[test]
    fn what_no_engine_takes_is_refused_by_name() {
        let port = |container, host| PublishedPort { container, host, udp: false };
        assert!(ContainerOrder::default().is_empty() && ContainerOrder::default().check().is_ok());
        for (order, field) in [
            (ContainerOrder { command: vec![String::new(); 300], ..Default::default() }, "container"),
            (
                ContainerOrder { environment: [("A=B".into(), "c".into())].into(), ..Default::default() },
                "environment",
            ),
            (ContainerOrder { ports: vec![port(0, None)], ..Default::default() }, "ports"),
            (ContainerOrder { ports: vec![port(1, Some(0))], ..Default::default() }, "ports"),
        ] {
            assert_eq!(order.check().unwrap_err().field(), Some(field));
        }
    }

    #[test]
    fn ports_and_volumes_are_read_as_docker_does() {
        let port = |container, host, udp| PublishedPort { container, host, udp };
        for (text, read) in [
            ("80", port(80, None, false)),
            ("8080:80", port(80, Some(8080), false)),
            ("8080:80/tcp", port(80, Some(8080), false)),
            ("53:53/udp", port(53, Some(53), true)),
        ] {
            assert_eq!(PublishedPort::parse(text).unwrap(), read, "{text}");
        }
        for text in ["", "0", "a", "1:2:3", "80/sctp", "70000", ":80", "80:", "127.0.0.1:80:80", "80/tcp/udp"]
        {
            assert_eq!(PublishedPort::parse(text).unwrap_err().field(), Some("ports"), "{text}");
        }
        for (text, bind, of_host) in [
            ("data:/var/lib/data", "data:/var/lib/data:rw", false),
            ("/srv/www:/www:ro", "/srv/www:/www:ro", true),
            ("/:/host:ro", "/:/host:ro", true),
        ] {
            let volume = Volume::parse(text).unwrap();
            assert_eq!((volume.bind().as_str(), volume.is_of_host()), (bind, of_host));
        }
        for text in
            ["", "data", "data:", "data:x", ":/x", "../x:/x", "/a/../b:/x", "a b:/x", "a:/x:ro:z", "a:/"]
        {
            assert_eq!(Volume::parse(text).unwrap_err().field(), Some("volumes"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_port_or_a_volume_that_reads_otherwise(text in any::<String>()) {
            if let Ok(volume) = Volume::parse(&text) {
                prop_assert_eq!(Volume::parse(&volume.bind()).unwrap(), volume);
            }
            let _ = PublishedPort::parse(&text);
        }

        #[test]
        fn every_port_reads_back(container in 1u16.., host in proptest::option::of(1u16..), udp in any::<bool>()) {
            let before = host.map(|host| format!("{host}:")).unwrap_or_default();
            let text = format!("{before}{container}{}", if udp { "/udp" } else { "" });
            prop_assert_eq!(PublishedPort::parse(&text).unwrap(), PublishedPort { container, host, udp });
        }
    }

    #[test]
    fn a_line_is_told_once() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let progress = Progress::to(move |line| ear.lock().unwrap().push(line.to_owned()));
        for line in ["a", "a", "b", "a"] {
            progress.tell(|| line.to_owned());
        }
        Progress::default().tell(|| unreachable!("nobody listens"));
        assert_eq!(*heard.lock().unwrap(), ["a", "b", "a"]);
    }
}
