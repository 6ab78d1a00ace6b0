//! What the driver asks for, and what it makes of the answers: where the engine listens, and how to get in.

use std::path::PathBuf;

use crate::{
    credentials::{Credentials, Secret},
    driver::LocalAccess,
    error::{Error, ErrorKind, Result},
    field::{Field, FieldKind, Fields},
    ssh::{
        Host, Login,
        fields::{self, JUMP_HOST, JUMP_KEY, JUMP_PORT, JUMP_USER, PORT, host_name, private_key},
    },
};

/// The fields of the provider.
pub(super) const FIELDS: Fields = Fields(&[
    Field::new(
        "docker_host",
        FieldKind::Text,
        "The engine: a host, tcp://HOST:PORT, https://HOST:PORT, ssh://USER@HOST or unix:///run/docker.sock",
    )
    .required()
    .also(&["host", "hostname", "endpoint"]),
    Field::new("docker_port", PORT, "The port of its API, where the host does not say one")
        .or("4243")
        .also(&["port"]),
    Field::new("auth_user", FieldKind::Text, "The user, for an engine behind a proxy that asks for one"),
    Field::new("auth_password", FieldKind::Secret, "That user's password"),
    Field::new("key_file", FieldKind::File, "The private key of the client's certificate, in PEM"),
    Field::new("cert_file", FieldKind::File, "The client's certificate, in PEM"),
    Field::new(
        "ca_file",
        FieldKind::File,
        "The CA of the engine's certificate, in PEM; the public ones when absent",
    ),
    Field::new("ssh_key", FieldKind::Key, "The key to log in with, for ssh://").also(&["key", "machine_key"]),
    JUMP_HOST,
    JUMP_PORT,
    JUMP_USER,
    JUMP_KEY,
]);

/// Where an engine listens on its own host.
const USUAL_SOCKET: &str = "/var/run/docker.sock";

/// The way to the engine.
pub(super) enum Way {
    /// TCP, with or without TLS.
    Tcp { host: String, port: u16, tls: Option<Identity> },
    /// A socket on a host that is logged in to.
    Ssh { host: Box<Host>, jump: Option<Box<Host>>, socket: String },
    /// A socket of this machine, which the operator has listed.
    Local(PathBuf),
}

/// Who we are, and whom we believe, in PEM.
pub(super) struct Identity {
    /// The client's certificate, and its key.
    pub(super) client: Option<(Secret, Secret)>,
    /// The CA; the public ones when absent.
    pub(super) ca: Option<Secret>,
}

/// What the fields say.
pub(super) struct Settings {
    pub(super) way: Way,
    /// The user and the password for a proxy.
    pub(super) basic: Option<(String, Secret)>,
}

impl Settings {
    /// Reads the checked fields.
    pub(super) fn read(given: &Credentials, local: &LocalAccess) -> Result<Self> {
        let basic = match (given.text("auth_user"), given.secret("auth_password")) {
            (Some(user), Some(password)) if !user.contains(':') => Some((user.to_owned(), password.clone())),
            (Some(_), Some(_)) => return Err(Error::invalid("auth_user", "has a colon in it")),
            (None, None) => None,
            (None, Some(_)) => return Err(Error::invalid("auth_user", "is missing")),
            (Some(_), None) => return Err(Error::invalid("auth_password", "is missing")),
        };
        Ok(Self { way: way(given, local)?, basic })
    }
}

fn way(given: &Credentials, local: &LocalAccess) -> Result<Way> {
    let text = given.required_text("docker_host")?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
    let identity = identity(given)?;
    match scheme {
        "unix" => listed_socket(rest, local).map(Way::Local),
        "ssh" => over_ssh(given, rest),
        "tcp" | "http" | "https" => {
            let (host, port) = authority(rest.trim_end_matches('/'))?;
            let port = port.map_or_else(|| given.required_port("docker_port"), Ok)?;
            let wants_tls = scheme == "https" || identity.client.is_some() || identity.ca.is_some();
            if scheme == "http" && wants_tls {
                return Err(Error::invalid("docker_host", "is plain http, and a certificate is given"));
            }
            Ok(Way::Tcp { host, port, tls: wants_tls.then_some(identity) })
        }
        _ => Err(Error::invalid(
            "docker_host",
            "has to begin with tcp://, http://, https://, ssh:// or unix://",
        )),
    }
}

fn identity(given: &Credentials) -> Result<Identity> {
    let client = match (given.secret("cert_file"), given.secret("key_file")) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        (None, None) => None,
        (Some(_), None) => {
            return Err(Error::invalid("key_file", "is missing; the certificate needs its key"));
        }
        (None, Some(_)) => {
            return Err(Error::invalid("cert_file", "is missing; the key needs its certificate"));
        }
    };
    Ok(Identity { client, ca: given.secret("ca_file").cloned() })
}

fn over_ssh(given: &Credentials, rest: &str) -> Result<Way> {
    let (user, rest) = rest.split_once('@').unwrap_or(("root", rest));
    let (place, socket) = match rest.find('/') {
        Some(at) if rest.len() > at + 1 => (&rest[..at], &rest[at..]),
        _ => (rest.trim_end_matches('/'), USUAL_SOCKET),
    };
    let (name, port) = authority(place)?;
    let key = private_key(given, "ssh_key")?
        .ok_or_else(|| Error::invalid("ssh_key", "is missing; an engine over ssh:// takes a key"))?;
    if user.is_empty() || user.contains([':', '/']) {
        return Err(Error::invalid("docker_host", "has to look like ssh://USER@HOST:PORT"));
    }
    let login = Login { user: user.to_owned(), key: Some(key), password: None };
    let jump = fields::jump_host(given, &login)?.map(Box::new);
    let host = Box::new(Host { name, port: port.unwrap_or(22), login });
    Ok(Way::Ssh { host, jump, socket: socket.to_owned() })
}

/// The socket, if the operator has listed it. Who only knows the API learns nothing of what there is on this machine.
fn listed_socket(path: &str, local: &LocalAccess) -> Result<PathBuf> {
    local.sockets.iter().find(|listed| listed.as_os_str() == path).cloned().ok_or_else(|| {
        let message = "the operator of this server has not listed this socket in local_sockets";
        Error::new(ErrorKind::MissingRights, message)
    })
}

/// A host, and a port where there is one.
fn authority(text: &str) -> Result<(String, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port = match port.map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => return Err(Error::invalid("docker_host", "has a port that is none")),
    };
    Ok((host_name(host, "docker_host")?, port))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::proptest;
    use serde_json::{Value, json};

    use super::{FIELDS, Settings, Way, authority};
    use crate::{ErrorKind, LocalAccess, Result};

    fn read(given: Value) -> Result<Settings> {
        let given: BTreeMap<String, Value> = serde_json::from_value(given).unwrap();
        let local = LocalAccess { sockets: vec!["/run/docker.sock".into()], ..LocalAccess::default() };
        Settings::read(&FIELDS.check(&given)?, &local)
    }

    fn tcp(given: Value) -> (String, u16, bool) {
        match read(given).unwrap().way {
            Way::Tcp { host, port, tls } => (host, port, tls.is_some()),
            _ => panic!("that is no TCP"),
        }
    }

    #[test]
    fn hosts_urls_and_the_seed_s_defaults_are_taken() {
        assert_eq!(
            tcp(json!({"docker_host": "Docker-1", "auth_user": null})),
            ("docker-1".into(), 4243, false)
        );
        assert_eq!(tcp(json!({"docker_host": "http://10.0.0.7:2375/"})), ("10.0.0.7".into(), 2375, false));
        assert_eq!(tcp(json!({"docker_host": "https://[fd00::1]:2376"})), ("fd00::1".into(), 2376, true));
        assert_eq!(
            tcp(json!({"docker_host": "tcp://h", "docker_port": "2376", "key_file": "K", "cert_file": "C"})),
            ("h".into(), 2376, true)
        );
        assert_eq!(tcp(json!({"docker_host": "fe80::1"})).0, "fe80::1");
    }

    #[test]
    fn local_sockets_are_those_that_the_operator_listed() {
        assert!(matches!(
            read(json!({"docker_host": "unix:///run/docker.sock"})).unwrap().way,
            Way::Local(_)
        ));
        for path in ["/run/other.sock", "/run/../run/docker.sock", "/run/docker.sock/", "", "run/docker.sock"]
        {
            let Err(error) = read(json!({"docker_host": format!("unix://{path}")})) else { panic!("{path}") };
            assert_eq!(error.kind(), ErrorKind::MissingRights, "{path}");
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused_by_name() {
        for (given, field) in [
            (json!({"docker_host": "ftp://h"}), "docker_host"),
            (json!({"docker_host": "h:0"}), "docker_host"),
            (json!({"docker_host": "h:many"}), "docker_host"),
            (json!({"docker_host": "-oProxyCommand=x"}), "docker_host"),
            (json!({"docker_host": "http://h", "ca_file": "C"}), "docker_host"),
            (json!({"docker_host": "h", "key_file": "K"}), "cert_file"),
            (json!({"docker_host": "h", "cert_file": "C"}), "key_file"),
            (json!({"docker_host": "h", "auth_user": "u"}), "auth_password"),
            (json!({"docker_host": "h", "auth_user": "u:v", "auth_password": "p"}), "auth_user"),
            (json!({"docker_host": "ssh://root@h"}), "ssh_key"),
            (json!({"docker_host": "ssh://root@h", "ssh_key": "none"}), "ssh_key"),
        ] {
            let Err(error) = read(given.clone()) else { panic!("{given} was taken") };
            assert_eq!(error.field(), Some(field), "{given}");
        }
    }

    proptest! {
        #[test]
        fn no_host_makes_it_fall_over(text in ".{0,60}") {
            let _ = authority(&text);
            let _ = read(json!({"docker_host": text}));
        }
    }
}
