//! The fake Nova's servers: their states, what they can be told in each, and their tags.

use serde_json::{Value, json};

use crate::fake::{Answer, Request, Slowly};

/// Looks at a server that a change takes.
const LOOKS: u32 = 2;

/// The servers of a project.
#[derive(Debug)]
pub struct Servers {
    all: Vec<Server>,
    next: u32,
    has_tags: bool,
    /// Actions that servers were told, as `reboot`.
    pub actions: Vec<String>,
    /// The bodies of the orders that came.
    pub orders: Vec<Value>,
}

#[derive(Debug)]
struct Server {
    id: String,
    name: String,
    status: Slowly<&'static str>,
    before_resize: &'static str,
    image: Value,
    flavor: String,
    zone: String,
    key: Value,
    metadata: Value,
    tags: Value,
}

impl Servers {
    /// Ten servers, with tags or without.
    pub(super) fn ten(has_tags: bool) -> Self {
        let (actions, orders) = (Vec::new(), Vec::new());
        let mut servers = Self { all: Vec::new(), next: 0, has_tags, actions, orders };
        for number in 1..=10 {
            let status = if number == 2 { "SHUTOFF" } else { "ACTIVE" };
            let order = json!({"name": format!("web-{number}"), "imageRef": "image-12", "flavorRef": "1"});
            servers.add(&order, Slowly::still(status));
        }
        servers
    }

    pub(super) fn flavors() -> Vec<Value> {
        let flavor = |number: u32| {
            json!({"id": number.to_string(), "name": format!("m1.{number}"), "ram": 512 * number, "disk": number,
                "vcpus": number, "swap": "", "links": []})
        };
        (1..=9).map(flavor).collect()
    }

    fn add(&mut self, order: &Value, status: Slowly<&'static str>) -> String {
        self.next += 1;
        let id = format!("616fb98f-46ca-475e-917e-{:012}", self.next);
        self.all.push(Server {
            id: id.clone(),
            name: order["name"].as_str().unwrap_or_default().into(),
            status,
            before_resize: "ACTIVE",
            image: json!({"id": order["imageRef"], "links": []}),
            flavor: order["flavorRef"].as_str().unwrap_or_default().into(),
            zone: order["availability_zone"].as_str().unwrap_or("nova").into(),
            key: order["key_name"].clone(),
            metadata: json!({}),
            tags: json!([]),
        });
        id
    }

    /// Every server, as it is seen now.
    pub(super) fn look(&mut self, microversion: bool) -> Vec<Value> {
        for server in &mut self.all {
            server.status.look();
        }
        self.all.iter().map(|server| server.shown(microversion)).collect()
    }

    /// Answers a call to `servers/REST`.
    pub(super) fn answer(&mut self, request: &Request, rest: &[&str], microversion: bool) -> Answer {
        let body = request.json();
        if let ("POST", []) = (request.method.as_str(), rest) {
            return self.create(&body["server"]);
        }
        let Some(index) = self.all.iter().position(|server| Some(&server.id.as_str()) == rest.first()) else {
            return refusal(404, "itemNotFound", "Instance could not be found.");
        };
        let server = &mut self.all[index];
        match (request.method.as_str(), &rest[1..]) {
            ("GET", []) => {
                server.status.look();
                Answer::json(200, &json!({"server": server.shown(microversion)}))
            }
            ("PUT", []) => {
                server.name = body["server"]["name"].as_str().unwrap_or_default().into();
                Answer::json(200, &json!({"server": server.shown(microversion)}))
            }
            ("DELETE", []) => {
                self.all.remove(index);
                Answer::empty(204)
            }
            ("PUT", ["tags"]) if self.has_tags && microversion => {
                server.tags = body["tags"].clone();
                Answer::json(200, &body)
            }
            ("POST", ["metadata"]) => {
                server.metadata = body["metadata"].clone();
                Answer::json(200, &body)
            }
            ("POST", ["action"]) => self.act(index, &body),
            _ => refusal(404, "itemNotFound", "The resource could not be found."),
        }
    }

    fn create(&mut self, order: &Value) -> Answer {
        self.orders.push(order.clone());
        let known_flavor = Self::flavors().iter().any(|flavor| flavor["id"] == order["flavorRef"]);
        let known_image = order["imageRef"].as_str().is_some_and(|image| image.starts_with("image-"));
        if !known_flavor || !known_image {
            return refusal(400, "badRequest", "Invalid imageRef or flavorRef provided.");
        }
        let id = self.add(order, Slowly::towards("BUILD", "ACTIVE", LOOKS));
        Answer::json(202, &json!({"server": {"id": id, "adminPass": "zbiNXXsE5Vbq", "links": []}}))
    }

    fn act(&mut self, index: usize, body: &Value) -> Answer {
        let action = body.as_object().and_then(|body| body.keys().next().cloned()).unwrap_or_default();
        let server = &mut self.all[index];
        let status = match (action.as_str(), *server.status.now()) {
            ("os-start", "SHUTOFF") => Slowly::towards("SHUTOFF", "ACTIVE", LOOKS),
            ("os-stop", "ACTIVE") => Slowly::towards("ACTIVE", "SHUTOFF", LOOKS),
            ("reboot", "ACTIVE") => Slowly::towards("REBOOT", "ACTIVE", LOOKS),
            ("resize", "ACTIVE" | "SHUTOFF") => {
                let wanted = body["resize"]["flavorRef"].as_str().unwrap_or_default();
                if !Self::flavors().iter().any(|flavor| flavor["id"] == wanted) {
                    return refusal(400, "badRequest", "Unable to locate requested flavor.");
                }
                server.flavor = wanted.to_owned();
                server.before_resize = *server.status.now();
                Slowly::towards("RESIZE", "VERIFY_RESIZE", LOOKS)
            }
            ("confirmResize", "VERIFY_RESIZE") => Slowly::still(server.before_resize),
            ("os-getConsoleOutput", _) => {
                return Answer::json(200, &json!({"output": "Linux version 6.1.0\n"}));
            }
            (_, status) => {
                let message = format!("Cannot '{action}' instance while it is in vm_state {status}");
                return refusal(409, "conflictingRequest", &message);
            }
        };
        server.status = status;
        self.actions.push(action);
        Answer::empty(202)
    }
}

impl Server {
    fn shown(&self, microversion: bool) -> Value {
        let number: u32 = self.id[24..].parse().unwrap_or_default();
        let address = |addr: String, kind: &str| json!({"addr": addr, "version": 4, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": "aa:bb:cc:dd:ee:ff"});
        let mut shown = json!({
            "id": self.id, "name": self.name, "status": self.status.now(), "tenant_id": "1", "user_id": "1",
            "OS-EXT-STS:task_state": null, "OS-EXT-AZ:availability_zone": self.zone, "image": self.image,
            "flavor": {"id": self.flavor, "links": []}, "created": "2026-01-01T00:00:00Z", "key_name": self.key,
            "metadata": self.metadata, "addresses": {"net 1": [
                address(format!("10.0.0.{number}"), "fixed"), address(format!("203.0.113.{number}"), "floating"),
            ]},
        });
        if microversion {
            shown["tags"] = self.tags.clone();
        }
        shown
    }
}

fn refusal(status: u16, name: &str, message: &str) -> Answer {
    Answer::json(status, &json!({name: {"code": status, "message": message}}))
}
