//! What an order becomes: the documents of a new machine and of what it needs around it.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::shape::ORDER_TAG;
use crate::{
    error::{Error, Result},
    machine::MachineOrder,
};

/// The user with the key and with sudo.
const USER: &str = "azureuser";
/// The most that user data may be, before it is encoded.
const MAX_USER_DATA_BYTES: usize = 48 << 10;
/// The version of the networks' API that the machines' API makes network interfaces by.
const NIC_VERSION: &str = "2022-11-01";

/// The range of a network that is made where there is none, and of the subnet in it.
const RANGE: &str = "10.77.0.0/16";
const SUBNET_RANGE: &str = "10.77.0.0/20";

/// Refuses names that are none.
pub(super) fn check_name(name: &str) -> Result<()> {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let ends_right = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let fits = name.len() <= 64 && name.bytes().all(inside);
    if !fits || !ends_right(name.bytes().next()) || !ends_right(name.bytes().last()) {
        return Err(Error::invalid(
            "name",
            "takes up to 64 letters, digits, dashes and dots, neither of these at an end",
        ));
    }
    Ok(())
}

/// By what one machine of an order is known again: the same when the order is sent again.
pub(super) fn mark(order: &MachineOrder, name: &str) -> String {
    let hash = Sha256::digest(format!("{}\n{name}", order.token));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The document of one machine, with a network interface and a public address, which all go when it goes.
pub(super) fn machine(order: &MachineOrder, name: &str, place: &Placement<'_>) -> Result<Value> {
    let network = json!({
        "networkApiVersion": NIC_VERSION,
        "networkInterfaceConfigurations": [{
            "name": format!("{name}-nic"),
            "properties": {
                "primary": true,
                "deleteOption": "Delete",
                "networkSecurityGroup": {"id": place.security_group},
                "ipConfigurations": [ip_configuration(name, place.subnet)],
            },
        }],
    });
    let mut document = json!({
        "location": place.location,
        "tags": {ORDER_TAG: mark(order, name)},
        "properties": {
            "hardwareProfile": {"vmSize": order.size},
            "storageProfile": {
                "imageReference": image(&order.image)?,
                "osDisk": {"createOption": "FromImage", "deleteOption": "Delete"},
            },
            "osProfile": login(order, name)?,
            "networkProfile": network,
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": true}},
        },
    });
    if let Some(user_data) = &order.user_data {
        if user_data.len() > MAX_USER_DATA_BYTES {
            return Err(Error::invalid("user_data", "is longer than the 48 KiB that Azure takes"));
        }
        document["properties"]["osProfile"]["customData"] = json!(BASE64_STANDARD.encode(user_data));
    }
    Ok(document)
}

/// Where a machine is put.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement<'a> {
    /// The location.
    pub(super) location: &'a str,
    /// The id of the subnet.
    pub(super) subnet: &'a str,
    /// The id of the security group.
    pub(super) security_group: &'a str,
}

fn ip_configuration(name: &str, subnet: &str) -> Value {
    json!({
        "name": format!("{name}-ip"),
        "properties": {
            "subnet": {"id": subnet},
            "publicIPAddressConfiguration": {
                "name": format!("{name}-public"),
                "sku": {"name": "Standard"},
                "properties": {"publicIPAllocationMethod": "Static", "deleteOption": "Delete"},
            },
        },
    })
}

/// An image by its id, or by its publisher, offer, kind and version.
fn image(image: &str) -> Result<Value> {
    let words: Vec<_> = image.split(':').collect();
    let whole = !image.chars().any(|c| c.is_control() || c.is_whitespace());
    match words[..] {
        [id] if id.starts_with("/subscriptions/") && whole => Ok(json!({"id": id})),
        [publisher, offer, sku, version] if whole && words.iter().all(|word| !word.is_empty()) => {
            Ok(json!({"publisher": publisher, "offer": offer, "sku": sku, "version": version}))
        }
        _ => Err(Error::invalid(
            "image",
            "is none, such as Debian:debian-12:12-gen2:latest or the id of one of yours",
        )),
    }
}

/// Who may log in. Azure makes no machine that nobody may log in to.
fn login(order: &MachineOrder, name: &str) -> Result<Value> {
    let key = order.public_key.as_deref().map(str::trim).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Error::invalid("key", "is missing; Azure makes no machine without"))?;
    if key.chars().any(char::is_control) {
        return Err(Error::invalid("key", "is not a public key in one line"));
    }
    let keys = json!([{"path": format!("/home/{USER}/.ssh/authorized_keys"), "keyData": key}]);
    Ok(json!({
        "computerName": name,
        "adminUsername": USER,
        "linuxConfiguration": {"disablePasswordAuthentication": true, "ssh": {"publicKeys": keys}},
    }))
}

/// The document of a security group that lets SSH in, without which a public address takes nothing.
pub(super) fn security_group(location: &str) -> Value {
    json!({"location": location, "properties": {"securityRules": [{
        "name": "ssh",
        "properties": {
            "priority": 1000, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
            "sourceAddressPrefix": "*", "sourcePortRange": "*",
            "destinationAddressPrefix": "*", "destinationPortRange": "22",
        },
    }]}})
}

/// The document of a network with one subnet, `default`.
pub(super) fn network(location: &str) -> Value {
    json!({"location": location, "properties": {
        "addressSpace": {"addressPrefixes": [RANGE]},
        "subnets": [{"name": "default", "properties": {"addressPrefix": SUBNET_RANGE}}],
    }})
}

#[cfg(test)]
mod tests {
    use super::{check_name, image};

    #[test]
    fn names_and_images_are_those_that_azure_knows() {
        assert!(check_name("web-1.example").is_ok() && check_name(&"a".repeat(64)).is_ok());
        for odd in ["", "-a", "a-", "a_b", "a b", "ä", &"a".repeat(65)] {
            assert_eq!(check_name(odd).unwrap_err().field(), Some("name"), "{odd}");
        }
        assert_eq!(image("Debian:debian-12:12:latest").unwrap()["sku"], "12");
        assert_eq!(image("/subscriptions/s/x").unwrap()["id"], "/subscriptions/s/x");
        for odd in ["", "Debian", "a:b:c", "a:b::d", "a:b:c d:e", "/etc/passwd"] {
            assert_eq!(image(odd).unwrap_err().field(), Some("image"), "{odd}");
        }
    }
}
