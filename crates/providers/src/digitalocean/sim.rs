//! A fake DigitalOcean, after the published API v2: droplets that take their time, pages of four, and its refusals.

use std::io;

use serde_json::{Value, json};

use crate::fake::{Answer, FakeService, Request, Service, Slowly};

/// The token that the fake takes.
pub const TOKEN: &str = "dop_v1_0123456789abcdef";
/// A token that the fake knows, and that may only read.
pub const READ_ONLY: &str = "dop_v1_readonly";
/// Items on a page at the most, whatever a caller asks for.
const PAGE: usize = 4;
/// Looks at a droplet that a change takes.
const LOOKS: u32 = 2;

/// An account.
#[derive(Debug)]
pub struct Account {
    origin: String,
    droplets: Vec<Droplet>,
    keys: Vec<Value>,
    tags: Vec<String>,
    next_id: u64,
    page: usize,
    /// Actions that droplets were told, as `reboot 1001`.
    pub actions: Vec<String>,
    /// The bodies of the orders that came.
    pub orders: Vec<Value>,
}

#[derive(Clone, Debug)]
struct Droplet {
    id: u64,
    name: String,
    status: Slowly<&'static str>,
    image: Value,
    size: String,
    region: String,
    vpc: String,
    tags: Vec<String>,
}

impl Account {
    /// An account of ten droplets; the second is off.
    pub async fn start() -> io::Result<FakeService<Self>> {
        Self::with(10, PAGE).await
    }

    /// An account of so many droplets, in pages of so many.
    pub async fn with(droplets: u64, page: usize) -> io::Result<FakeService<Self>> {
        FakeService::start(|address| {
            let mut account = Self {
                origin: format!("http://{address}"),
                droplets: Vec::new(),
                keys: (1..=9).map(|n| key(n, &format!("ssh-ed25519 AAAAother{n} other"))).collect(),
                tags: vec!["web".into()],
                next_id: 1000,
                page,
                actions: Vec::new(),
                orders: Vec::new(),
            };
            for number in 1..=droplets {
                let status = Slowly::still(if number == 2 { "off" } else { "active" });
                let body = json!({"size": "s-1vcpu-1gb", "image": "debian-12-x64", "region": "fra1"});
                account.add(&format!("web-{number}"), &body, status);
            }
            account
        })
        .await
    }

    fn add(&mut self, name: &str, order: &Value, status: Slowly<&'static str>) -> Droplet {
        self.next_id += 1;
        let text = |name: &str, default: &str| order[name].as_str().unwrap_or(default).to_owned();
        let droplet = Droplet {
            id: self.next_id,
            name: name.to_owned(),
            status,
            image: order["image"].clone(),
            size: text("size", ""),
            region: text("region", "nyc3"),
            vpc: text("vpc_uuid", "5a4981aa-9653-4bd1-bef5-d6bff52042e4"),
            tags: Vec::new(),
        };
        self.droplets.push(droplet.clone());
        droplet
    }

    /// Takes a droplet away, as if somebody else had destroyed it.
    pub fn take_away(&mut self, name: &str) {
        self.droplets.retain(|droplet| droplet.name != name);
    }

    /// Lists a droplet once more, at the end: a list that shifts while it is read shows one twice.
    pub fn list_again(&mut self, name: &str) {
        let again = self.droplets.iter().find(|droplet| droplet.name == name).cloned();
        self.droplets.extend(again);
    }

    /// The number of the page that is asked for, from 1 on, and how many items it holds at the most.
    fn asked(&self, request: &Request) -> (usize, usize) {
        let size = request.query_number("per_page").unwrap_or(20).clamp(1, self.page);
        (request.query_number("page").unwrap_or(1).max(1), size)
    }

    fn page(&self, request: &Request, noun: &str, items: &[Value]) -> Answer {
        let (page, size) = self.asked(request);
        let shown: Vec<_> = items.iter().skip((page - 1) * size).take(size).cloned().collect();
        self.part(request, noun, &shown, items.len())
    }

    /// A page that holds these, out of so many.
    fn part(&self, request: &Request, noun: &str, shown: &[Value], total: usize) -> Answer {
        let (page, size) = self.asked(request);
        let mut links = json!({});
        if page * size < total {
            let path = request.path.join("/");
            let link = |page: usize| format!("{}/{path}?page={page}&per_page={size}", self.origin);
            links = json!({"pages": {"next": link(page + 1), "last": link(total.div_ceil(size))}});
        }
        Answer::json(200, &json!({noun: shown, "links": links, "meta": {"total": total}}))
    }

    /// Only what the page shows counts as looked at.
    fn list_droplets(&mut self, request: &Request) -> Answer {
        let (page, size) = self.asked(request);
        let on_page = self.droplets.iter_mut().skip((page - 1) * size).take(size);
        let shown: Vec<_> = on_page.map(Droplet::look).collect();
        self.part(request, "droplets", &shown, self.droplets.len())
    }

    fn create(&mut self, request: &Request) -> Answer {
        let body = request.json();
        self.orders.push(body.clone());
        let known_size = sizes().iter().any(|size| size["slug"] == body["size"]);
        let known_image =
            images().iter().any(|image| image["slug"] == body["image"] || image["id"] == body["image"]);
        if !known_size || !known_image {
            return refusal(
                422,
                "unprocessable_entity",
                "You specified an invalid image or size for Droplet creation.",
            );
        }
        let names: Vec<_> =
            body["names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if names.is_empty() || names.len() > 10 {
            return refusal(422, "unprocessable_entity", "names takes 1 to 10 names");
        }
        let slow = || Slowly::towards("new", "active", LOOKS);
        let made: Vec<_> = names.iter().map(|name| self.add(name, &body, slow()).shown()).collect();
        Answer::json(202, &json!({"droplets": made, "links": {"actions": []}}))
    }

    fn act(&mut self, id: &str, body: &Value) -> Answer {
        let kind = body["type"].as_str().unwrap_or_default().to_owned();
        let Some(droplet) = self.droplets.iter_mut().find(|droplet| droplet.id.to_string() == id) else {
            return not_found();
        };
        let status = *droplet.status.now();
        let next = match (kind.as_str(), status) {
            ("power_on", "off") => Slowly::towards("off", "active", LOOKS),
            ("shutdown", "active") => Slowly::towards("active", "off", LOOKS),
            ("reboot", "active") => Slowly::still("active"),
            ("rename", "active" | "off") => {
                droplet.name = body["name"].as_str().unwrap_or_default().to_owned();
                Slowly::still(status)
            }
            ("resize", "off") if sizes().iter().any(|size| size["slug"] == body["size"]) => {
                droplet.size = body["size"].as_str().unwrap_or_default().to_owned();
                Slowly::still(status)
            }
            _ => return refusal(422, "unprocessable_entity", "Droplet is not in a state for this action."),
        };
        droplet.status = next;
        self.actions.push(format!("{kind} {id}"));
        Answer::json(201, &json!({"action": {"id": 1, "status": "in-progress", "type": kind}}))
    }

    fn tag(&mut self, tag: &str, request: &Request) -> Answer {
        if !self.tags.iter().any(|known| known == tag) {
            return not_found();
        }
        for resource in request.json()["resources"].as_array().into_iter().flatten() {
            let wanted = |droplet: &&mut Droplet| resource["resource_id"] == droplet.id.to_string().as_str();
            if let Some(droplet) = self.droplets.iter_mut().find(wanted) {
                droplet.tags.retain(|known| known != tag);
                if request.method == "POST" {
                    droplet.tags.push(tag.to_owned());
                }
            }
        }
        Answer::empty(204)
    }

    fn add_tag(&mut self, body: &Value) -> Answer {
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        if self.tags.contains(&name) {
            return refusal(422, "unprocessable_entity", "Tag already exists");
        }
        self.tags.push(name.clone());
        Answer::json(201, &json!({"tag": {"name": name}}))
    }

    fn add_key(&mut self, body: &Value) -> Answer {
        let public_key = body["public_key"].as_str().unwrap_or_default();
        if self.keys.iter().any(|key| key["public_key"] == public_key) {
            return refusal(422, "unprocessable_entity", "SSH Key is already in use on your account");
        }
        let key = key(self.keys.len() as u64 + 1, public_key);
        self.keys.push(key.clone());
        Answer::json(201, &json!({"ssh_key": key}))
    }
}

impl Droplet {
    fn look(&mut self) -> Value {
        self.status.look();
        self.shown()
    }

    fn shown(&self) -> Value {
        let image =
            images().into_iter().find(|image| image["slug"] == self.image || image["id"] == self.image);
        let octet = self.id % 200;
        json!({
            "id": self.id, "name": self.name, "memory": 1024, "vcpus": 1, "disk": 25, "locked": false,
            "status": self.status.now(), "kernel": null, "created_at": "2026-07-21T18:37:44Z",
            "features": ["private_networking"], "backup_ids": [], "snapshot_ids": [], "volume_ids": [],
            "image": image, "size": {}, "size_slug": self.size,
            "networks": {
                "v4": [
                    {"ip_address": format!("10.128.0.{octet}"), "netmask": "255.255.0.0", "type": "private"},
                    {"ip_address": format!("203.0.113.{octet}"), "netmask": "255.255.255.0", "type": "public"},
                ],
                "v6": [{"ip_address": format!("2604:a880::{octet:x}"), "netmask": 64, "type": "public"}],
            },
            "region": {"name": "Frankfurt 1", "slug": self.region, "available": true, "features": [], "sizes": []},
            "tags": self.tags, "vpc_uuid": self.vpc,
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
            ("GET", ["v2", "droplets"]) => self.list_droplets(request),
            ("POST", ["v2", "droplets"]) => self.create(request),
            ("GET", ["v2", "droplets", id]) => {
                let found = self.droplets.iter_mut().find(|droplet| droplet.id.to_string() == *id);
                found.map_or_else(not_found, |found| Answer::json(200, &json!({"droplet": found.look()})))
            }
            ("DELETE", ["v2", "droplets", id]) => {
                let before = self.droplets.len();
                self.droplets.retain(|droplet| droplet.id.to_string() != *id);
                if self.droplets.len() < before { Answer::empty(204) } else { not_found() }
            }
            ("POST", ["v2", "droplets", id, "actions"]) => self.act(id, &request.json()),
            ("GET", ["v2", "images"]) => self.page(request, "images", &images()),
            ("GET", ["v2", "sizes"]) => self.page(request, "sizes", &sizes()),
            ("GET", ["v2", "regions"]) => self.page(request, "regions", &regions()),
            ("GET", ["v2", "vpcs"]) => self.page(request, "vpcs", &vpcs()),
            ("GET", ["v2", "account", "keys"]) => self.page(request, "ssh_keys", &self.keys),
            ("POST", ["v2", "account", "keys"]) => self.add_key(&request.json()),
            ("POST", ["v2", "tags"]) => self.add_tag(&request.json()),
            ("POST" | "DELETE", ["v2", "tags", tag, "resources"]) => self.tag(tag, request),
            _ => not_found(),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        match status {
            401 => refusal(401, "unauthorized", "Unable to authenticate you"),
            403 => refusal(403, "forbidden", "You are not authorized to perform this operation"),
            404 => not_found(),
            429 => refusal(429, "too_many_requests", "API Rate limit exceeded."),
            status => refusal(status, "server_error", "Unexpected server-side error"),
        }
    }
}

fn refusal(status: u16, id: &str, message: &str) -> Answer {
    let request_id = "4d9d8375-3c56-4925-a3e7-eb137fed17e9";
    Answer::json(status, &json!({"id": id, "message": message, "request_id": request_id}))
}

fn not_found() -> Answer {
    refusal(404, "not_found", "The resource you were accessing could not be found.")
}

fn key(id: u64, public_key: &str) -> Value {
    json!({"id": id, "fingerprint": format!("3b:16:{id:02x}"), "public_key": public_key, "name": "key"})
}

fn images() -> Vec<Value> {
    let image = |id: u64, name: &str, distribution: &str, slug: Option<&str>| {
        json!({"id": id, "name": name, "distribution": distribution, "slug": slug, "public": slug.is_some(),
            "regions": ["nyc3", "fra1"], "type": "base", "min_disk_size": 7, "status": "available",
            "created_at": "2026-01-05T00:00:00Z"})
    };
    let mut images =
        vec![image(1, "12 x64", "Debian", Some("debian-12-x64")), image(77, "my snapshot", "Debian", None)];
    for number in 0..8 {
        let (name, slug) = (format!("{number} x64"), format!("ubuntu-{number}-x64"));
        images.push(image(100 + number, &name, "Ubuntu", Some(&slug)));
    }
    images
}

fn sizes() -> Vec<Value> {
    let size = |number: u64| {
        json!({"slug": format!("s-{number}vcpu-{number}gb"), "memory": number * 1024, "vcpus": number,
            "disk": 25 * number, "transfer": 1.0, "price_monthly": 6.0, "price_hourly": 0.00893,
            "regions": ["nyc3", "fra1"], "available": true, "description": "Basic"})
    };
    (1..=9).map(size).collect()
}

fn regions() -> Vec<Value> {
    let region = |number: u64| {
        let slug = match number {
            0 => "fra1".to_owned(),
            number => format!("nyc{number}"),
        };
        json!({"slug": slug, "name": format!("City {number}"), "available": true, "features": [], "sizes": []})
    };
    (0..9).map(region).collect()
}

fn vpcs() -> Vec<Value> {
    let vpc = |number: u64| {
        json!({"id": format!("5a4981aa-9653-4bd1-bef5-d6bff52042e{number}"), "urn": "do:vpc:x",
            "name": format!("net-{number}"), "region": "fra1", "ip_range": format!("10.{number}.0.0/16"),
            "default": number == 1, "created_at": "2026-01-01T00:00:00Z"})
    };
    (1..=9).map(vpc).collect()
}
