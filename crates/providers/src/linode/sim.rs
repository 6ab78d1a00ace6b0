//! A fake Linode, after the published API v4: Linodes that take their time, pages of four, and its refusals.

use std::io;

use serde_json::{Value, json};

use crate::fake::{Answer, FakeService, Request, Service, Slowly};

/// The token that the fake takes.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
/// A token that the fake knows, and that may only read.
pub const READ_ONLY: &str = "feedfeedfeedfeedfeedfeed";
/// Items on a page at the most. The real one has at least 25; the fake saves the time.
const PAGE: usize = 4;
/// Looks at a Linode that a change takes.
const LOOKS: u32 = 2;

/// An account.
#[derive(Debug)]
pub struct Account {
    linodes: Vec<Linode>,
    next_id: u64,
    /// Reboots that were asked for.
    pub reboots: usize,
    /// The bodies of the orders that came.
    pub orders: Vec<Value>,
}

#[derive(Clone, Debug)]
struct Linode {
    id: u64,
    label: String,
    status: Slowly<&'static str>,
    image: String,
    kind: String,
    region: String,
    tags: Value,
}

impl Account {
    /// An account of ten Linodes; the second is off.
    pub async fn start() -> io::Result<FakeService<Self>> {
        FakeService::start(|_| {
            let mut account = Self { linodes: Vec::new(), next_id: 5000, reboots: 0, orders: Vec::new() };
            for number in 1..=10 {
                let status = Slowly::still(if number == 2 { "offline" } else { "running" });
                let order = json!({"label": format!("web-{number}"), "type": "g6-nanode-1",
                    "region": "eu-central", "image": "linode/debian12"});
                account.add(&order, status);
            }
            account
        })
        .await
    }

    fn add(&mut self, order: &Value, status: Slowly<&'static str>) -> Linode {
        self.next_id += 1;
        let text = |name: &str| order[name].as_str().unwrap_or_default().to_owned();
        let linode = Linode {
            id: self.next_id,
            label: text("label"),
            status,
            image: text("image"),
            kind: text("type"),
            region: text("region"),
            tags: json!([]),
        };
        self.linodes.push(linode.clone());
        linode
    }

    fn create(&mut self, order: &Value) -> Answer {
        self.orders.push(order.clone());
        let label = order["label"].as_str().unwrap_or_default();
        if self.linodes.iter().any(|linode| linode.label == label) {
            return invalid("label", "Label must be unique among your linodes");
        }
        if order["root_pass"].as_str().is_none_or(|password| password.len() < 11) {
            return invalid("root_pass", "root_pass is required");
        }
        for (name, known) in [("type", types()), ("region", regions()), ("image", images())] {
            if !known.iter().any(|item| item["id"] == order[name]) {
                return invalid(name, &format!("{name} is not valid"));
            }
        }
        let linode = self.add(order, Slowly::towards("provisioning", "running", LOOKS));
        Answer::json(200, &linode.shown())
    }

    fn act(&mut self, id: &str, action: &str, body: &Value) -> Answer {
        let Some(linode) = self.linodes.iter_mut().find(|linode| linode.id.to_string() == id) else {
            return not_found();
        };
        linode.status = match (action, *linode.status.now()) {
            ("boot", "offline") => Slowly::towards("booting", "running", LOOKS),
            ("shutdown", "running") => Slowly::towards("shutting_down", "offline", LOOKS),
            ("reboot", "running") => {
                self.reboots += 1;
                Slowly::towards("rebooting", "running", LOOKS)
            }
            ("resize", before @ ("running" | "offline")) => {
                let Some(size) = types().into_iter().find(|size| size["id"] == body["type"]) else {
                    return invalid("type", "type is not valid");
                };
                linode.kind = size["id"].as_str().unwrap_or_default().to_owned();
                Slowly::towards("resizing", before, LOOKS)
            }
            _ => {
                return Answer::json(
                    400,
                    &json!({"errors": [{"reason": "Linode busy or not in that state."}]}),
                );
            }
        };
        Answer::json(200, &json!({}))
    }

    fn update(&mut self, id: &str, body: &Value) -> Answer {
        let Some(linode) = self.linodes.iter_mut().find(|linode| linode.id.to_string() == id) else {
            return not_found();
        };
        if let Some(label) = body["label"].as_str() {
            linode.label = label.to_owned();
        }
        if body["tags"].is_array() {
            linode.tags = body["tags"].clone();
        }
        Answer::json(200, &linode.shown())
    }

    fn destroy(&mut self, id: &str) -> Answer {
        let before = self.linodes.len();
        self.linodes.retain(|linode| linode.id.to_string() != id);
        if self.linodes.len() < before { Answer::json(200, &json!({})) } else { not_found() }
    }
}

impl Linode {
    fn shown(&self) -> Value {
        let octet = self.id % 200;
        json!({
            "id": self.id, "label": self.label, "group": "", "status": self.status.now(),
            "created": "2026-01-01T00:01:01", "updated": "2026-01-01T00:01:01", "type": self.kind,
            "ipv4": [format!("203.0.113.{octet}"), format!("192.168.133.{octet}")],
            "ipv6": format!("2a01:7e01::f03c:91ff:fe24:{octet:x}/128"), "image": self.image,
            "region": self.region, "hypervisor": "kvm", "watchdog_enabled": true, "tags": self.tags,
            "specs": {"disk": 25600, "memory": 1024, "vcpus": 1, "gpus": 0, "transfer": 1000},
            "alerts": {}, "backups": {"enabled": false}, "host_uuid": "3a3ddd59d9a78bb8de041391075df44de62bfec8",
        })
    }
}

impl Service for Account {
    fn answer(&mut self, request: &Request) -> Answer {
        let may_write = request.header("authorization") == Some(&format!("Bearer {TOKEN}"));
        if !may_write && request.header("authorization") != Some(&format!("Bearer {READ_ONLY}")) {
            return self.refusal(401);
        }
        if !may_write && request.method != "GET" {
            return self.refusal(403);
        }
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["v4", "linode", "instances"]) => {
                for linode in &mut self.linodes {
                    linode.status.look();
                }
                page(request, &self.linodes.iter().map(Linode::shown).collect::<Vec<_>>())
            }
            ("POST", ["v4", "linode", "instances"]) => self.create(&request.json()),
            ("PUT", ["v4", "linode", "instances", id]) => self.update(id, &request.json()),
            ("DELETE", ["v4", "linode", "instances", id]) => self.destroy(id),
            ("POST", ["v4", "linode", "instances", id, action]) => self.act(id, action, &request.json()),
            ("GET", ["v4", "images"]) => page(request, &images()),
            ("GET", ["v4", "linode", "types"]) => page(request, &types()),
            ("GET", ["v4", "regions"]) => page(request, &regions()),
            ("GET", ["v4", "vpcs"]) => page(request, &vpcs()),
            _ => not_found(),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        let reason = match status {
            401 => "Invalid Token",
            403 => "Your OAuth token is not authorized to use this endpoint.",
            404 => return not_found(),
            429 => "Too many requests",
            _ => "Something went wrong",
        };
        Answer::json(status, &json!({"errors": [{"reason": reason}]}))
    }
}

fn page(request: &Request, items: &[Value]) -> Answer {
    let size = request.query_number("page_size").unwrap_or(100);
    if !(25..=500).contains(&size) {
        return invalid("page_size", "Must be between 25 and 500");
    }
    let page = request.query_number("page").unwrap_or(1);
    let pages = items.len().div_ceil(PAGE).max(1);
    if page == 0 || page > pages {
        return not_found();
    }
    let shown: Vec<_> = items.iter().skip((page - 1) * PAGE).take(PAGE).collect();
    Answer::json(200, &json!({"data": shown, "page": page, "pages": pages, "results": items.len()}))
}

fn invalid(field: &str, reason: &str) -> Answer {
    Answer::json(400, &json!({"errors": [{"field": field, "reason": reason}]}))
}

fn not_found() -> Answer {
    Answer::json(404, &json!({"errors": [{"reason": "Not found"}]}))
}

fn images() -> Vec<Value> {
    let image = |id: String, label: String, public: bool| {
        json!({"id": id, "label": label, "description": "", "vendor": "Debian", "type": "manual",
            "is_public": public, "deprecated": false, "size": 1300, "created": "2026-01-01T00:01:01"})
    };
    let debian = |n: u32| image(format!("linode/debian{n}"), format!("Debian {n}"), true);
    let own = image("private/12345".into(), "my snapshot".into(), false);
    (4..=12).map(debian).chain([own]).collect()
}

fn types() -> Vec<Value> {
    let size = |id: String, number: u64| {
        json!({"id": id, "label": format!("Linode {number}GB"), "disk": 25600 * number, "memory": 1024 * number,
            "vcpus": number, "price": {"hourly": 0.0075, "monthly": 5}, "class": "standard", "gpus": 0,
            "successor": null, "transfer": 1000, "network_out": 1000, "addons": {}})
    };
    let standard = (1..=8).map(|number| size(format!("g6-standard-{number}"), number));
    [size("g6-nanode-1".into(), 1)].into_iter().chain(standard).collect()
}

fn regions() -> Vec<Value> {
    let region = |id: String| json!({"id": id, "label": "Frankfurt, DE", "country": "de", "capabilities": ["Linodes"], "status": "ok"});
    (1..=8).map(|number| format!("us-{number}")).chain(["eu-central".to_owned()]).map(region).collect()
}

fn vpcs() -> Vec<Value> {
    let vpc = |number: u64| {
        json!({"id": number, "label": format!("net-{number}"), "description": "", "region": "eu-central",
            "subnets": [{"id": 100 + number, "label": "one", "ipv4": format!("10.{number}.0.0/24"), "linodes": []}]})
    };
    (1..=9).map(vpc).collect()
}
