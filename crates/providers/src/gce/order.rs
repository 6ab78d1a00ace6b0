//! What an order becomes: the document of a new instance, and the mark by which its order is known again.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    resources::{Subnetwork, end_of},
    shape,
};
use crate::{
    error::{Error, Result},
    machine::MachineOrder,
};

/// The user whom Google's guest agent makes on a new machine, with the key and with sudo.
const USER: &str = "roadstead";
/// The most that one piece of metadata may be.
const MAX_METADATA_BYTES: usize = 256 << 10;
/// The network of a project where nobody made another.
const DEFAULT_NETWORK: &str = "default";
/// Where a script that ran leaves word of it, and where its words end.
const SCRIPT: &str = "/var/lib/roadstead-first-start";
const SCRIPT_END: &str = "ROADSTEAD_END_OF_SCRIPT";

/// Refuses names that are none, by RFC 1035.
pub(super) fn check_name(name: &str) -> Result<()> {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts_right = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
    if !starts_right || name.len() > 63 || name.ends_with('-') || !name.bytes().all(inside) {
        let why = "takes up to 63 lower-case letters, digits and dashes, a letter first and no dash last";
        return Err(Error::invalid("name", why));
    }
    Ok(())
}

/// A size as the API takes it.
pub(super) fn machine_type(zone: &str, size: &str) -> Result<String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if size.is_empty() || !size.bytes().all(fits) {
        return Err(Error::invalid("size", "is no machine type, such as e2-small"));
    }
    Ok(format!("zones/{zone}/machineTypes/{size}"))
}

/// The id of the request for one machine of an order, in the form of a UUID: the same when the order is sent again.
pub(super) fn request_id(token: &str, name: &str) -> String {
    let hash = Sha256::digest(format!("{token}\n{name}"));
    let mut id = String::with_capacity(36);
    for (place, byte) in hash.iter().take(16).enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        let byte = match place {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        // Writing to text does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// The network interface of the machines, in `zone`. `subnetworks` are needed where the order names a network.
pub(super) fn interface(order: &MachineOrder, zone: &str, subnetworks: &[Subnetwork]) -> Result<Value> {
    let region = zone.rsplit_once('-').map_or(zone, |(region, _)| region);
    let outside = json!([{"type": "ONE_TO_ONE_NAT", "name": "External NAT"}]);
    let network = match order.networks.as_slice() {
        [] => {
            return Ok(
                json!({"network": format!("global/networks/{DEFAULT_NETWORK}"), "accessConfigs": outside}),
            );
        }
        [network] => network,
        _ => return Err(Error::invalid("networks", "takes one network or subnetwork")),
    };
    let here = |subnetwork: &&Subnetwork| {
        let id = shape::subnetwork_id(subnetwork);
        end_of(&subnetwork.region) == region && (end_of(&subnetwork.network) == network || id == *network)
    };
    let found = subnetworks.iter().find(here);
    let found = found.ok_or_else(|| {
        Error::invalid("networks", format!("names no network that has a subnetwork in {region}"))
    })?;
    Ok(json!({"subnetwork": shape::subnetwork_id(found), "accessConfigs": outside}))
}

/// The document of one machine.
pub(super) fn instance(order: &MachineOrder, name: &str, zone: &str, interface: &Value) -> Result<Value> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !order.image.starts_with("projects/") || !order.image.chars().all(fits) {
        let why = "is no image, such as projects/debian-cloud/global/images/family/debian-12";
        return Err(Error::invalid("image", why));
    }
    let disk = json!({"boot": true, "autoDelete": true, "initializeParams": {"sourceImage": order.image}});
    Ok(json!({
        "name": name,
        "machineType": machine_type(zone, &order.size)?,
        "disks": [disk],
        "networkInterfaces": [interface],
        "metadata": {"items": metadata(order)?},
    }))
}

/// The key for Google's guest agent, and what runs at the first start.
fn metadata(order: &MachineOrder) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    if let Some(key) = order.public_key.as_deref().map(str::trim) {
        if key.is_empty() || key.chars().any(char::is_control) {
            return Err(Error::invalid("key", "is not a public key in one line"));
        }
        items.push(json!({"key": "ssh-keys", "value": format!("{USER}:{key}")}));
    }
    if let Some(user_data) = order.user_data.as_deref() {
        let (key, value) = match user_data.starts_with("#!") {
            true => ("startup-script", script(user_data)?),
            false => ("user-data", user_data.to_owned()),
        };
        if value.len() > MAX_METADATA_BYTES {
            return Err(Error::invalid("user_data", "is longer than the 256 KiB that Google takes"));
        }
        items.push(json!({"key": key, "value": value}));
    }
    Ok(items)
}

/// A script that runs once. Google's guest agent would run it at every start.
fn script(user_data: &str) -> Result<String> {
    if user_data.contains(SCRIPT_END) {
        return Err(Error::invalid("user_data", format!("has the words {SCRIPT_END} in it")));
    }
    Ok(format!(
        "#!/bin/sh\n[ ! -e {SCRIPT} ] || exit 0\numask 077\ncat >{SCRIPT} <<'{SCRIPT_END}'\n{user_data}\n{SCRIPT_END}\n\
         chmod 700 {SCRIPT}\n{SCRIPT}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::{check_name, request_id, script};

    #[test]
    fn requests_have_ids_of_their_own_that_stay_the_same() {
        let id = request_id("t", "web-1");
        assert_eq!(id, request_id("t", "web-1"));
        assert_ne!(id, request_id("t", "web-2"));
        assert_ne!(id, request_id("u", "web-1"));
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!((lengths.as_slice(), &id[14..15]), ([8, 4, 4, 4, 12].as_slice(), "4"));
    }

    #[test]
    fn names_are_those_of_hosts() {
        assert!(check_name("web-1").is_ok() && check_name(&"a".repeat(63)).is_ok());
        for odd in ["", "1web", "Web", "web-", "a_b", "a.b", &"a".repeat(64)] {
            assert_eq!(check_name(odd).unwrap_err().field(), Some("name"), "{odd}");
        }
    }

    #[test]
    fn a_script_runs_once_and_cannot_leave_its_place() {
        let whole = script("#!/bin/sh\necho hi").unwrap();
        assert!(whole.contains("|| exit 0\n") && whole.contains("\necho hi\nROADSTEAD_END_OF_SCRIPT\n"));
        assert_eq!(script("#!/bin/sh\nROADSTEAD_END_OF_SCRIPT").unwrap_err().field(), Some("user_data"));
    }
}
