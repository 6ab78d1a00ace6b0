//! What the driver asks for, and what it makes of the answers: which hypervisor, and how it is driven.

use std::time::Duration;

use crate::{
    credentials::Credentials,
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
    Field::new("machine_hostname", FieldKind::Text, "The hypervisor's name or address").also(&[
        "host",
        "hostname",
        "machine_ip",
    ]),
    Field::new("machine_user", FieldKind::Text, "The user to log in as; root, or one who may use libvirt")
        .or("root")
        .also(&["user"]),
    Field::new("ssh_port", PORT, "The port of its SSH server").or("22").also(&["port", "machine_port"]),
    Field::new("machine_key", FieldKind::Key, "The key to log in with").also(&["key"]),
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
    Field::new("session", FieldKind::Flag, "Whether to drive the user's own machines, not the system's")
        .or("false"),
    Field::new(
        "uri",
        FieldKind::Text,
        "In place of a host: a connection on Roadstead's own machine that its operator has listed",
    ),
    Field::new(
        "remove_storage",
        FieldKind::Flag,
        "Whether a machine's disks are removed when it is destroyed",
    )
    .or("false"),
    Field::new(
        "force_stop_after",
        FieldKind::Number(0, 600),
        "Seconds until a stop pulls the plug; 0 is never",
    )
    .or("0"),
    Field::new("emulate", FieldKind::Flag, "Whether new machines do without KVM although the host has it")
        .or("false"),
]);

/// Where virsh is run.
pub(super) enum Place {
    /// On a host that is logged in to.
    Host { host: Box<Host>, jump: Option<Box<Host>> },
    /// On this machine, as its operator has allowed.
    Here,
}

/// What the fields say.
pub(super) struct Settings {
    pub(super) place: Place,
    /// The connection that virsh opens: one of our own words, or one that the operator has listed.
    pub(super) uri: String,
    pub(super) remove_storage: bool,
    pub(super) force_stop_after: Option<Duration>,
    pub(super) emulate: bool,
}

impl Settings {
    /// Reads the checked fields.
    pub(super) fn read(given: &Credentials, local: &LocalAccess) -> Result<Self> {
        let (place, uri) = match (given.text("machine_hostname"), given.text("uri")) {
            (Some(_), Some(_)) => return Err(Error::invalid("uri", "is for a hypervisor without a host")),
            (None, None) => return Err(Error::invalid("machine_hostname", "is missing")),
            (Some(name), None) => {
                let uri = if given.flag("session") { "qemu:///session" } else { "qemu:///system" };
                (remote(given, name)?, uri.to_owned())
            }
            (None, Some(uri)) => (Place::Here, listed(uri, local)?),
        };
        let seconds = given.number("force_stop_after").unwrap_or_default();
        Ok(Self {
            place,
            uri,
            remove_storage: given.flag("remove_storage"),
            force_stop_after: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
            emulate: given.flag("emulate"),
        })
    }
}

fn remote(given: &Credentials, name: &str) -> Result<Place> {
    let login = Login {
        user: given.required_text("machine_user")?.to_owned(),
        key: private_key(given, "machine_key")?,
        password: given.secret("machine_password").cloned(),
    };
    if login.key.is_none() && login.password.is_none() {
        return Err(Error::invalid("machine_key", "is missing; a hypervisor is driven over SSH"));
    }
    let jump = fields::jump_host(given, &login)?.map(Box::new);
    let name = host_name(name, "machine_hostname")?;
    let host = Box::new(Host { name, port: given.required_port("ssh_port")?, login });
    Ok(Place::Host { host, jump })
}

/// The connection, if the operator has listed it. Who only knows the API learns nothing of what there is here.
fn listed(uri: &str, local: &LocalAccess) -> Result<String> {
    local.hypervisors.iter().find(|listed| *listed == uri).cloned().ok_or_else(|| {
        let message = "the operator of this server has not listed this connection in local_hypervisors";
        Error::new(ErrorKind::MissingRights, message)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::{FIELDS, Place, Settings};
    use crate::{ErrorKind, LocalAccess, Result};

    fn read(given: Value) -> Result<Settings> {
        let given: BTreeMap<String, Value> = serde_json::from_value(given).unwrap();
        let local = LocalAccess { hypervisors: vec!["qemu:///system".into()], ..LocalAccess::default() };
        Settings::read(&FIELDS.check(&given)?, &local)
    }

    #[test]
    fn the_connection_is_never_a_user_s() {
        let remote =
            read(json!({"machine_hostname": "KVM-1", "machine_user": null, "password": "p"})).unwrap();
        assert_eq!(remote.uri, "qemu:///system");
        assert!(matches!(remote.place, Place::Host { host, .. } if host.name == "kvm-1" && host.port == 22));
        assert_eq!(
            read(json!({"host": "h", "password": "p", "session": true})).unwrap().uri,
            "qemu:///session"
        );
        assert!(matches!(read(json!({"uri": "qemu:///system"})).unwrap().place, Place::Here));
        for uri in ["qemu:///session", "qemu+ssh://elsewhere/system", "test:///default", "-c"] {
            let Err(error) = read(json!({"uri": uri})) else { panic!("{uri} was taken") };
            assert_eq!(error.kind(), ErrorKind::MissingRights);
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused_by_name() {
        for (given, field) in [
            (json!({}), "machine_hostname"),
            (json!({"host": "h"}), "machine_key"),
            (json!({"host": "h", "password": "p", "uri": "qemu:///system"}), "uri"),
            (json!({"host": "-h", "password": "p"}), "machine_hostname"),
            (json!({"host": "h", "password": "p", "force_stop_after": 601}), "force_stop_after"),
        ] {
            let Err(error) = read(given.clone()) else { panic!("{given} was taken") };
            assert_eq!(error.field(), Some(field), "{given}");
        }
    }
}
