//! A fake SoftLayer, after the published REST API: virtual servers that take their time, pages of four, and refusals
//! whose code says more than their status.

use std::io;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::fake::{Answer, FakeService, Request, Service, Slowly};

/// The user that the fake takes.
pub const USER: &str = "SL12345";
/// The API key that it takes.
pub const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
/// Items on a page at the most.
const PAGE: usize = 4;
/// Looks at a virtual server that a change takes.
const LOOKS: u32 = 2;

/// An account.
#[derive(Debug)]
pub struct Account {
    guests: Vec<Guest>,
    keys: Vec<Value>,
    next_id: u64,
    /// Reboots that were asked for.
    pub reboots: usize,
    /// The bodies of the orders that came.
    pub orders: Vec<Value>,
}

#[derive(Clone, Debug)]
struct Guest {
    id: u64,
    order: Value,
    power: Slowly<Power>,
    tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Provisioning,
    Running,
    Halted,
    Busy,
}

impl Account {
    /// An account of ten virtual servers; the second is off.
    pub async fn start() -> io::Result<FakeService<Self>> {
        FakeService::start(|_| {
            let keys = vec![json!({"id": 7, "label": "other", "key": "ssh-rsa AAAAother other"})];
            let mut account = Self { guests: Vec::new(), keys, next_id: 100, reboots: 0, orders: Vec::new() };
            for number in 1..=10 {
                let power = if number == 2 { Power::Halted } else { Power::Running };
                let order = json!({"hostname": format!("web-{number}"), "domain": "example.com",
                    "supplementalCreateObjectOptions": {"flavorKeyName": "B1_1X2X25"},
                    "operatingSystemReferenceCode": "DEBIAN_12_64", "datacenter": {"name": "dal13"}});
                account.add(order, Slowly::still(power));
            }
            account
        })
        .await
    }

    fn add(&mut self, order: Value, power: Slowly<Power>) -> Guest {
        self.next_id += 1;
        let guest = Guest { id: self.next_id, order, power, tags: Vec::new() };
        self.guests.push(guest.clone());
        guest
    }

    fn create(&mut self, request: &Request) -> Answer {
        let body = request.json();
        let mut made = Vec::new();
        for order in body["parameters"][0].as_array().into_iter().flatten() {
            self.orders.push(order.clone());
            let flavor = &order["supplementalCreateObjectOptions"]["flavorKeyName"];
            let flavor = (1..=9).any(|number| *flavor == format!("B1_{number}X2X25"));
            let system =
                order["operatingSystemReferenceCode"].as_str().is_none_or(|code| code.ends_with("_64"));
            let group = &order["blockDeviceTemplateGroup"]["globalIdentifier"];
            let template = group.as_str().is_none_or(|guid| guid.starts_with("2222"));
            if !flavor || !system || !template || order["datacenter"]["name"].is_null() {
                return refusal(500, "_Public", "Invalid value provided for the order.");
            }
            let slow = Slowly::towards(Power::Provisioning, Power::Running, LOOKS);
            made.push(self.add(order.clone(), slow).shown());
        }
        Answer::json(200, &json!(made))
    }

    fn guest(&mut self, request: &Request, id: &str, method: &str) -> Answer {
        let Some(index) = self.guests.iter().position(|guest| guest.id.to_string() == id) else {
            return refusal(404, "_ObjectNotFound", &format!("Unable to find object with id of '{id}'."));
        };
        let guest = &mut self.guests[index];
        let body = request.json();
        match (request.method.as_str(), method, *guest.power.now()) {
            ("GET", "powerOn.json", Power::Halted) => {
                guest.power = Slowly::towards(Power::Busy, Power::Running, LOOKS);
            }
            ("GET", "powerOffSoft.json", Power::Running) => {
                guest.power = Slowly::towards(Power::Busy, Power::Halted, LOOKS);
            }
            ("GET", "rebootSoft.json", Power::Running) => self.reboots += 1,
            ("POST", "setTags.json", _) => {
                let tags = body["parameters"][0].as_str().unwrap_or_default();
                guest.tags = tags.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
            }
            ("PUT", "", _) => {
                for name in ["hostname", "domain"] {
                    guest.order[name] = body["parameters"][0][name].clone();
                }
            }
            ("DELETE", "", Power::Provisioning) => {
                return refusal(500, "_Public", "Cannot cancel a server that is being provisioned.");
            }
            ("DELETE", "", _) => {
                self.guests.remove(index);
            }
            _ => return refusal(500, "_Public", "The server is not in a state for this."),
        }
        Answer::json(200, &json!(true))
    }

    /// Takes an order for another flavor, which restarts the server.
    fn upgrade(&mut self, request: &Request) -> Answer {
        let order = request.json()["parameters"][0].clone();
        let upgrade = order["complexType"] == "SoftLayer_Container_Product_Order_Virtual_Guest_Upgrade";
        let window = order["properties"][0]["name"] == "MAINTENANCE_WINDOW";
        let preset = presets().into_iter().find(|preset| preset["id"] == order["presetId"]);
        let guest = self.guests.iter_mut().find(|guest| order["virtualGuests"][0]["id"] == guest.id);
        let (Some(preset), Some(guest), true) = (preset, guest, upgrade && window) else {
            return refusal(500, "_Public", "Invalid order.");
        };
        guest.order["supplementalCreateObjectOptions"]["flavorKeyName"] = preset["keyName"].clone();
        guest.power = Slowly::towards(Power::Busy, *guest.power.now(), LOOKS);
        Answer::json(200, &json!({"orderId": 1, "placedOrder": {"status": "PENDING_AUTO_APPROVAL"}}))
    }

    fn add_key(&mut self, request: &Request) -> Answer {
        let mut key = request.json()["parameters"][0].clone();
        key["id"] = json!(self.keys.len() + 100);
        self.keys.push(key.clone());
        Answer::json(200, &key)
    }
}

impl Guest {
    fn shown(&self) -> Value {
        let power = *self.power.now();
        let ready = power != Power::Provisioning;
        let octet = self.id % 200;
        let name = |name: &str| self.order[name].as_str().unwrap_or_default();
        let system =
            json!({"referenceCode": self.order["operatingSystemReferenceCode"], "longDescription": "Debian"});
        json!({
            "id": self.id, "hostname": name("hostname"), "domain": name("domain"),
            "fullyQualifiedDomainName": format!("{}.{}", name("hostname"), name("domain")),
            "maxCpu": 1, "maxMemory": 2048, "createDate": "2026-01-01T00:00:00-06:00",
            "provisionDate": ready.then_some("2026-01-01T00:01:00-06:00"),
            "primaryIpAddress": ready.then(|| format!("203.0.113.{octet}")),
            "primaryBackendIpAddress": ready.then(|| format!("10.45.19.{octet}")),
            "status": {"keyName": "ACTIVE"},
            "powerState": {"keyName": if power == Power::Halted { "HALTED" } else { "RUNNING" }},
            "activeTransaction": (power == Power::Busy).then(|| json!({"transactionStatus": {"name": "POWER"}})),
            "datacenter": self.order["datacenter"],
            "tagReferences": self.tags.iter().map(|tag| json!({"tag": {"name": tag}})).collect::<Vec<_>>(),
            "blockDeviceTemplateGroup": self.order["blockDeviceTemplateGroup"],
            "operatingSystem": {"softwareLicense": {"softwareDescription": system}},
            "billingItem": {"orderItem": {"preset": {
                "keyName": self.order["supplementalCreateObjectOptions"]["flavorKeyName"]}}},
        })
    }
}

impl Service for Account {
    fn answer(&mut self, request: &Request) -> Answer {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{KEY}")));
        if request.header("authorization") != Some(basic.as_str()) {
            return self.refusal(401);
        }
        let segments = request.segments();
        let ["rest", "v3.1", service, path @ ..] = segments.as_slice() else { return self.refusal(404) };
        match (request.method.as_str(), *service, path) {
            ("GET", "SoftLayer_Account", ["getVirtualGuests.json"]) => {
                for guest in &mut self.guests {
                    guest.power.look();
                }
                page(request, &self.guests.iter().map(Guest::shown).collect::<Vec<_>>())
            }
            ("GET", "SoftLayer_Account", ["getPrivateBlockDeviceTemplateGroups.json"]) => {
                page(request, &templates("1111"))
            }
            ("GET", "SoftLayer_Virtual_Guest_Block_Device_Template_Group", ["getPublicImages.json"]) => {
                page(request, &templates("2222"))
            }
            ("GET", "SoftLayer_Account", ["getNetworkVlans.json"]) => page(request, &vlans()),
            ("GET", "SoftLayer_Account", ["getSshKeys.json"]) => page(request, &self.keys),
            ("GET", "SoftLayer_Location", ["getDatacenters.json"]) => page(request, &datacenters()),
            ("GET", "SoftLayer_Virtual_Guest", ["getCreateObjectOptions.json"]) => {
                Answer::json(200, &options())
            }
            ("POST", "SoftLayer_Virtual_Guest", ["createObjects.json"]) => self.create(request),
            ("GET", "SoftLayer_Product_Package", ["getAllObjects.json"]) => {
                Answer::json(200, &json!([{"id": 835}]))
            }
            ("GET", "SoftLayer_Product_Package", ["835", "getActivePresets.json"]) => {
                page(request, &presets())
            }
            ("POST", "SoftLayer_Product_Order", ["placeOrder.json"]) => self.upgrade(request),
            ("POST", "SoftLayer_Security_Ssh_Key", ["createObject.json"]) => self.add_key(request),
            (_, "SoftLayer_Virtual_Guest", [id]) => self.guest(request, id.trim_end_matches(".json"), ""),
            (_, "SoftLayer_Virtual_Guest", [id, method]) => self.guest(request, id, method),
            _ => self.refusal(404),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        match status {
            401 => refusal(401, "_InvalidLegacyToken", "Invalid API token."),
            403 => refusal(500, "_User_Permission_AccessDenied", "Access Denied."),
            404 => refusal(404, "_ObjectNotFound", "Unable to find object."),
            429 => refusal(429, "_WebService_RateLimitExceeded", "Rate limit exceeded."),
            status => refusal(status, "", "An internal error has occurred."),
        }
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"error": message, "code": format!("SoftLayer_Exception{code}")}))
}

fn page(request: &Request, items: &[Value]) -> Answer {
    let (offset, limit) =
        request.query("resultLimit").and_then(|limit| limit.split_once(',')).unwrap_or(("0", "100"));
    let (offset, limit): (usize, usize) = (offset.parse().unwrap_or(0), limit.parse().unwrap_or(PAGE));
    let shown: Vec<_> = items.iter().skip(offset).take(limit.min(PAGE)).collect();
    Answer::json(200, &json!(shown)).with("softlayer-total-items", items.len().to_string())
}

fn templates(beginning: &str) -> Vec<Value> {
    let template = |number: u32| {
        json!({"id": number, "name": format!("template {number}"), "summary": "", "createDate": "2026-01-01",
            "globalIdentifier": format!("{beginning}0000-0000-0000-0000-{number:012}")})
    };
    (1..=9).map(template).collect()
}

fn presets() -> Vec<Value> {
    (1..=9).map(|number| json!({"id": 1000 + number, "keyName": format!("B1_{number}X2X25")})).collect()
}

fn vlans() -> Vec<Value> {
    let vlan = |number: u64| {
        json!({"id": number, "name": null, "vlanNumber": 800 + number,
            "networkSpace": if number % 2 == 1 { "PUBLIC" } else { "PRIVATE" },
            "primaryRouter": {"datacenter": {"name": "dal13"}},
            "subnets": [{"id": 10 + number, "networkIdentifier": format!("10.{number}.0.0"), "cidr": 26}]})
    };
    (1..=9).map(vlan).collect()
}

fn datacenters() -> Vec<Value> {
    (1..=9)
        .map(|n| json!({"id": n, "name": format!("dal{:02}", n + 5), "longName": format!("Dallas {n}")}))
        .collect()
}

fn options() -> Value {
    let flavor = |number: u32| {
        let key = format!("B1_{number}X2X25");
        json!({"flavor": {"keyName": key, "name": format!("B1.{number}x2x25"), "totalMinimumHourlyFee": ".038"},
            "template": {"supplementalCreateObjectOptions": {"flavorKeyName": key}}})
    };
    let system = |code: &str| {
        json!({"itemPrice": {"item": {"description": format!("{code} Minimal")}},
            "template": {"operatingSystemReferenceCode": code}})
    };
    json!({
        "flavors": (1..=9).map(flavor).collect::<Vec<_>>(),
        "operatingSystems": [system("DEBIAN_12_64"), system("UBUNTU_24_64")],
        "datacenters": [{"template": {"datacenter": {"name": "dal13"}}}],
    })
}
