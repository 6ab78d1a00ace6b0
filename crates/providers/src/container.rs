//! What an order of machines says beyond that where the machines are containers, and how a long order tells of itself.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::error::{Error, Result};

/// The most ports, variables or words of a command in one order.
const MAX_ITEMS: usize = 256;

/// What a container is made with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerOrder {
    /// The command and its arguments; the image's own when empty.
    pub command: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Ports that are published. When there are none, those that the image exposes are, wherever there is room.
    pub ports: Vec<PublishedPort>,
}

/// A port of a container that its host passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedPort {
    /// The port inside.
    pub container: u16,
    /// The port of the host; any that is free when absent.
    pub host: Option<u16>,
    /// Whether it is UDP.
    pub udp: bool,
}

impl ContainerOrder {
    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Checks what no engine takes.
    pub(crate) fn check(&self) -> Result<()> {
        let longest = self.command.len().max(self.environment.len()).max(self.ports.len());
        if longest > MAX_ITEMS {
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

    use super::{ContainerOrder, Progress, PublishedPort};

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
