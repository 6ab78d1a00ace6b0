//! A fake NephoScale, after the API that it published: whole lists, forms, and orders that are answered with a job.

use std::io;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::fake::{Answer, FakeService, Request, Service, Slowly};

/// The user that the fake takes.
pub const USER: &str = "nephos";
/// The password that it takes.
pub const PASSWORD: &str = "correct horse battery staple";
/// Looks at a server that a change takes.
const LOOKS: u32 = 2;

/// An account.
#[derive(Debug)]
pub struct Account {
    servers: Vec<Server>,
    keys: Vec<Value>,
    next_id: u64,
    /// Reboots that were asked for.
    pub reboots: usize,
    /// The forms of the orders that came.
    pub orders: Vec<Vec<(String, String)>>,
}

#[derive(Debug)]
struct Server {
    id: u64,
    name: String,
    image: String,
    size: String,
    power: Slowly<&'static str>,
}

impl Account {
    /// An account of ten servers; the second is off.
    pub async fn start() -> io::Result<FakeService<Self>> {
        FakeService::start(|_| {
            let server = |number: u64| Server {
                id: 88_000 + number,
                name: format!("web-{number}"),
                image: "49".into(),
                size: "27".into(),
                power: Slowly::still(if number == 2 { "off" } else { "on" }),
            };
            let servers = (1..=10).map(server).collect();
            Self { servers, keys: Vec::new(), next_id: 89_000, reboots: 0, orders: Vec::new() }
        })
        .await
    }

    fn create(&mut self, request: &Request) -> Answer {
        let form = request.form();
        let text = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let (Some(name), Some(image), Some(size)) = (text("name"), text("image"), text("service_type"))
        else {
            return refusal(400, "A field is missing.");
        };
        let known = |list: &[Value], id: &str| list.iter().any(|item| item["id"].as_u64() == id.parse().ok());
        if !known(&named("image", 49), &image)
            || !known(&named("CS", 27), &size)
            || text("server_key").is_none()
        {
            return refusal(400, "A field is not valid.");
        }
        self.next_id += 1;
        let power = Slowly::towards("unknown", "on", LOOKS);
        self.servers.push(Server { id: self.next_id, name, image, size, power });
        self.orders.push(form);
        Answer::json(202, &json!({"response": 202, "data": {"job": 7}}))
    }

    fn server(&mut self, request: &Request, id: &str, rest: &[&str]) -> Answer {
        let Some(index) = self.servers.iter().position(|server| server.id.to_string() == id) else {
            return self.refusal(404);
        };
        let server = &mut self.servers[index];
        match (request.method.as_str(), rest, *server.power.now()) {
            ("POST", ["initiator", "start"], "off") => server.power = Slowly::towards("off", "on", LOOKS),
            ("POST", ["initiator", "stop"], "on") => server.power = Slowly::towards("on", "off", LOOKS),
            ("POST", ["initiator", "restart"], "on") => self.reboots += 1,
            ("PUT", [], _) => {
                let form = request.form();
                let name = form.into_iter().find(|(name, _)| name == "name");
                server.name = name.map(|(_, name)| name).unwrap_or_default();
            }
            ("DELETE", [], _) => drop(self.servers.remove(index)),
            _ => return refusal(400, "The server is not in a state for this."),
        }
        Answer::json(200, &json!({"response": 200}))
    }

    fn add_key(&mut self, request: &Request) -> Answer {
        let mut key: Value =
            request.form().into_iter().collect::<std::collections::BTreeMap<_, _>>().into_iter().collect();
        key["id"] = json!(self.keys.len() + 71_000);
        self.keys.push(key.clone());
        Answer::json(201, &json!({"response": 201, "data": {"id": key["id"]}}))
    }
}

impl Server {
    fn shown(&self) -> Value {
        let octet = self.id % 200;
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        json!({
            "id": self.id, "name": self.name, "hostname": self.name, "power_status": self.power.now(),
            "ipaddresses": format!("198.89.117.{octet}, 10.132.60.{octet}"), "memory": 512,
            "zone": {"id": 87_729, "name": "RIC-1"}, "create_time": "2013-09-25 07:38:53",
            "image": {"id": number(&self.image), "friendly_name": "Linux Debian 64-bit"},
            "service_type": {"id": number(&self.size), "friendly_name": "CS05 - 0.5GB, 25GB"},
        })
    }
}

impl Service for Account {
    fn answer(&mut self, request: &Request) -> Answer {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")));
        if request.header("authorization") != Some(basic.as_str()) {
            return self.refusal(401);
        }
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["server", "cloud"]) => {
                for server in &mut self.servers {
                    server.power.look();
                }
                list(&self.servers.iter().map(Server::shown).collect::<Vec<_>>())
            }
            ("POST", ["server", "cloud"]) => self.create(request),
            (_, ["server", "cloud", id, rest @ ..]) => self.server(request, id, rest),
            ("GET", ["image", "server"]) => list(&named("image", 49)),
            ("GET", ["server", "type", "cloud"]) => list(&named("CS", 27)),
            ("GET", ["datacenter", "zone"]) => list(&named("RIC", 87_729)),
            ("GET", ["key", "sshrsa"]) => list(&self.keys),
            ("POST", ["key", "sshrsa" | "password"]) => self.add_key(request),
            _ => self.refusal(404),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        refusal(status, if status == 401 { "Authorization Required" } else { "That did not work." })
    }
}

fn refusal(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"response": status, "error": {"message": message}}))
}

fn list(items: &[Value]) -> Answer {
    Answer::json(200, &json!({"response": 200, "total_count": items.len(), "data": items}))
}

fn named(word: &str, first: u64) -> Vec<Value> {
    let item = |id: u64| {
        json!({"id": id, "name": format!("{word}-{id}"), "friendly_name": format!("{word} {id}"), "ram": 512,
            "storage": 25, "pcpus": 1, "uri": "https://api.nephoscale.com/x/"})
    };
    (first..first + 9).map(item).collect()
}
