//! What the fake Azure has in stock: what does not change while it runs.

use serde_json::{Value, json};

use super::{LOCATION, SUBSCRIPTION};

/// The id of a resource of this kind and name.
pub(super) fn id(kind: &str, name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/Roadstead/providers/{kind}/{name}")
}

/// So many resources of this kind.
pub(super) fn named(kind: &str, count: usize) -> Vec<Value> {
    let kind = format!("Microsoft.Compute/{kind}");
    let image = |n: usize| json!({"id": id(&kind, &format!("golden-{n}")), "name": format!("golden-{n}"), "properties": {}});
    (1..=count).map(image).collect()
}

/// Whether a size is sold.
pub(super) fn known_size(size: &Value) -> bool {
    skus().iter().any(|sku| sku["name"] == *size && sku["resourceType"] == "virtualMachines")
}

/// What is sold at the location; one size is closed to the subscription.
pub(super) fn skus() -> Vec<Value> {
    let sku = |n: u64| {
        json!({"resourceType": "virtualMachines", "name": format!("Standard_B{n}s"), "locations": [LOCATION],
            "capabilities": [{"name": "vCPUs", "value": n.to_string()}, {"name": "MemoryGB", "value": format!("{n}.5")}],
            "restrictions": if n == 9 { json!([{"type": "Location"}]) } else { json!([]) }})
    };
    let mut all: Vec<_> = (1..=9).map(sku).collect();
    all.push(json!({"resourceType": "disks", "name": "Premium_LRS", "locations": [LOCATION]}));
    all
}

/// The locations, and a group of them.
pub(super) fn locations() -> Vec<Value> {
    let place =
        |name: &str, kind: &str| json!({"name": name, "displayName": name, "metadata": {"regionType": kind}});
    vec![place(LOCATION, "Physical"), place("westeurope", "Physical"), place("europe", "Logical")]
}

/// The networks, of which one is at the location.
pub(super) fn networks() -> Vec<Value> {
    let network = |n: u64| {
        let id = id("Microsoft.Network/virtualNetworks", &format!("net-{n}"));
        let subnet = json!({"id": format!("{id}/subnets/default"), "name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}});
        let location = if n == 1 { LOCATION } else { "westeurope" };
        json!({"id": id, "name": format!("net-{n}"), "location": location,
            "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}})
    };
    (1..=9).map(network).collect()
}
