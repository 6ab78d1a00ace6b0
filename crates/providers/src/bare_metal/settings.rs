//! What the driver asks for, and what it makes of the answers.

use crate::{
    credentials::Credentials,
    error::Result,
    field::{Field, FieldKind, Fields},
    ssh::{
        Host, Login,
        fields::{self, JUMP_HOST, JUMP_KEY, JUMP_PORT, JUMP_USER, PORT, host_name, private_key},
    },
};

/// The fields of the provider.
pub(super) const FIELDS: Fields = Fields(&[
    Field::new("machine_ip", FieldKind::Text, "The host's name or address").required().also(&[
        "host",
        "hostname",
        "machine_hostname",
    ]),
    Field::new("machine_user", FieldKind::Text, "The user to log in as; others than root use sudo")
        .or("root")
        .also(&["user"]),
    Field::new("machine_port", PORT, "The port of its SSH server").or("22").also(&["port", "ssh_port"]),
    Field::new("machine_key", FieldKind::Key, "The key to log in with; without one the host is only listed")
        .also(&["key"]),
    Field::new(
        "machine_password",
        FieldKind::Secret,
        "The password to log in with, and for sudo; better use a key",
    )
    .also(&["password"]),
    JUMP_HOST,
    JUMP_PORT,
    JUMP_USER,
    JUMP_KEY,
    Field::new(
        "windows",
        FieldKind::Flag,
        "Whether the host runs Windows; it is then watched by TCP, and never logged in to",
    )
    .or("false"),
    Field::new("remote_desktop_port", PORT, "The port of its remote desktop").or("3389"),
]);

/// Ports that tell whether a host is up, beside those of SSH and of the remote desktop.
const USUAL_PORTS: [u16; 3] = [22, 80, 443];

/// What the fields say.
pub(super) struct Settings {
    /// The machine.
    pub(super) host: Host,
    /// The host to go through.
    pub(super) jump: Option<Host>,
    /// Every port that tells whether the machine is up; that of SSH is the first.
    pub(super) ports: Vec<u16>,
    /// Whether it runs Windows.
    pub(super) windows: bool,
    /// The port of its remote desktop.
    pub(super) remote_desktop_port: u16,
}

impl Settings {
    /// Reads the checked fields.
    pub(super) fn read(given: &Credentials) -> Result<Self> {
        let host = Host {
            name: host_name(given.required_text("machine_ip")?, "machine_ip")?,
            port: given.required_port("machine_port")?,
            login: Login {
                user: given.required_text("machine_user")?.to_owned(),
                key: private_key(given, "machine_key")?,
                password: given.secret("machine_password").cloned(),
            },
        };
        let jump = fields::jump_host(given, &host.login)?;
        let remote_desktop_port = given.required_port("remote_desktop_port")?;
        let mut ports = vec![host.port];
        for port in [remote_desktop_port].into_iter().chain(USUAL_PORTS) {
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
        Ok(Self { host, jump, ports, windows: given.flag("windows"), remote_desktop_port })
    }

    /// Whether there is anything to log in with, and a system that understands our commands.
    pub(super) fn can_log_in(&self) -> bool {
        let Login { key, password, .. } = &self.host.login;
        !self.windows && (key.is_some() || password.is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::{FIELDS, Settings};
    use crate::Result;

    fn read(given: Value) -> Result<Settings> {
        let given: BTreeMap<String, Value> = serde_json::from_value(given).unwrap();
        Settings::read(&FIELDS.check(&given)?)
    }

    #[test]
    fn the_seed_s_names_and_defaults_are_taken() {
        // As the old command line sends it: the port as text, and null for what was not given.
        let given = json!({"machine_ip": "Web-1.example.org", "machine_port": "22", "machine_key": null,
            "machine_user": null});
        let settings = read(given).unwrap();
        assert_eq!((settings.host.name.as_str(), settings.host.port), ("web-1.example.org", 22));
        assert_eq!(settings.host.login.user, "root");
        assert_eq!(settings.ports, [22, 3389, 80, 443]);
        assert!(!settings.can_log_in());
        assert!(read(json!({"host": "h", "password": "p"})).unwrap().can_log_in());
        assert!(!read(json!({"host": "h", "password": "p", "windows": true})).unwrap().can_log_in());
        assert_eq!(read(json!({"host": "[::FFFF:1.2.3.4]"})).unwrap().host.name, "::ffff:1.2.3.4");
    }

    #[test]
    fn what_cannot_be_a_host_or_a_key_is_refused_by_name() {
        for (given, field) in [
            (json!({"host": "-oProxyCommand=x"}), "machine_ip"),
            (json!({"host": "a b"}), "machine_ip"),
            (json!({"host": "a;b"}), "machine_ip"),
            (json!({"host": "user@h"}), "machine_ip"),
            (json!({"host": "h", "machine_key": "not a key"}), "machine_key"),
            (json!({"host": "h", "password": "p", "jump_host": "j"}), "jump_key"),
            (json!({"host": "h", "jump_host": "j/k", "jump_key": "x"}), "jump_key"),
        ] {
            let Err(error) = read(given.clone()) else { panic!("{given} was taken") };
            assert_eq!(error.field(), Some(field), "{given}");
        }
    }
}
