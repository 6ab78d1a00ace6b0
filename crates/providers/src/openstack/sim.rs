//! A fake OpenStack cloud, after the published APIs: Keystone 2 and 3, Nova with microversions or without, Glance and
//! Neutron, on one socket. Servers take their time; pages hold four.

use std::{io, net::SocketAddr};

use serde_json::{Value, json};

use super::sim_servers::Servers;
use crate::fake::{Answer, FakeService, Request, Service};

/// The password, API key or secret that the fake takes.
pub const SECRET: &str = "correct horse battery staple";
/// The user that it takes it from.
pub const USER: &str = "demo";
/// The project that there is.
pub const PROJECT: &str = "6f70656e737461636b20342065766572";
/// The network that servers are joined to.
const IN_USE: &str = "net-1";
/// Items on a page at the most.
const PAGE: usize = 4;

/// What kind of cloud it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Keystone 3, microversions, one region.
    Modern,
    /// Keystone 2 with Rackspace's API keys, Nova 2, two regions.
    Rackspace,
    /// Keystone 2 with passwords, Nova 2.
    Old,
}

/// A cloud.
#[derive(Debug)]
pub struct Cloud {
    kind: Kind,
    origin: String,
    /// Its servers.
    pub servers: Servers,
    token: u32,
    /// The bodies of the logins that came.
    pub logins: Vec<Value>,
    /// When tokens expire, in the form that Keystone has.
    pub expires: &'static str,
    keys: Vec<Value>,
    /// Its networks.
    pub networks: Vec<Value>,
    /// Their subnets.
    pub subnets: Vec<Value>,
}

impl Cloud {
    /// A cloud with ten servers; the second is off.
    pub async fn start(kind: Kind) -> io::Result<FakeService<Self>> {
        FakeService::start(|address: SocketAddr| Self {
            kind,
            origin: format!("http://{address}"),
            servers: Servers::ten(kind == Kind::Modern),
            token: 1,
            logins: Vec::new(),
            expires: "2099-01-01T00:00:00.000000Z",
            keys: vec![pair("other", "ssh-ed25519 AAAAother other")],
            networks: networks(),
            subnets: subnets(),
        })
        .await
    }

    /// Takes no token any more that it gave so far.
    pub fn expire_tokens(&mut self) {
        self.token += 1;
    }

    /// The path at whose end servers are made.
    pub fn compute_path(kind: Kind) -> &'static str {
        if kind == Kind::Modern { "compute/v2.1" } else { "v2" }
    }

    fn token(&self) -> String {
        format!("gAAAAABtoken-number-{}", self.token)
    }

    fn log_in_v3(&mut self, request: &Request) -> Answer {
        let body = request.json();
        self.logins.push(body.clone());
        let identity = &body["auth"]["identity"];
        let (password, application) = (&identity["password"]["user"], &identity["application_credential"]);
        let by_password = password["name"] == USER && password["password"] == SECRET;
        let by_application = application["id"] == USER && application["secret"] == SECRET;
        if !by_password && !by_application {
            return self.refusal(401);
        }
        let scoped = by_application || body["auth"]["scope"]["project"].is_object();
        let mut token = json!({"methods": ["password"], "expires_at": self.expires, "user": {"name": USER}});
        if scoped {
            token["catalog"] = self.catalog_v3();
        }
        Answer::json(201, &json!({"token": token})).with("x-subject-token", self.token())
    }

    fn catalog_v3(&self) -> Value {
        let compute = format!("{}/compute/v2.1/{PROJECT}", self.origin);
        let services = [
            ("compute", compute.as_str()),
            ("image", &format!("{}/image", self.origin)),
            ("network", &format!("{}/network/", self.origin)),
        ];
        let service = |(kind, url): (&str, &str)| {
            let endpoint = |interface: &str, url: &str| json!({"id": "1", "interface": interface, "region": "RegionOne", "region_id": "RegionOne", "url": url});
            let inside = "http://10.255.255.1/never";
            json!({"type": kind, "name": kind, "endpoints": [endpoint("internal", inside), endpoint("public", url)]})
        };
        services.into_iter().map(service).collect()
    }

    fn log_in_v2(&mut self, request: &Request) -> Answer {
        let body = request.json();
        self.logins.push(body.clone());
        let auth = &body["auth"];
        let (key, password) = (&auth["RAX-KSKEY:apiKeyCredentials"], &auth["passwordCredentials"]);
        let known = match self.kind {
            Kind::Rackspace => key["username"] == USER && key["apiKey"] == SECRET,
            _ => {
                password["username"] == USER && password["password"] == SECRET && auth["tenantName"] == "demo"
            }
        };
        if !known {
            return self.refusal(401);
        }
        let service = |kind: &str, path: &str| {
            let endpoint =
                |region: &str, url: String| json!({"region": region, "tenantId": "1", "publicURL": url});
            let here = endpoint("IAD", format!("{}{path}", self.origin));
            let away = endpoint("DFW", "http://10.255.255.1/never".into());
            let endpoints = if self.kind == Kind::Rackspace { json!([away, here]) } else { json!([here]) };
            json!({"type": kind, "name": kind, "endpoints": endpoints})
        };
        let first_generation = json!({"type": "compute", "name": "cloudServers",
            "endpoints": [{"tenantId": "1", "publicURL": "http://10.255.255.1/first"}]});
        let mut catalog = vec![
            service("compute", &format!("/v2/{PROJECT}")),
            service("image", "/image/v2"),
            service("network", "/network/v2.0"),
        ];
        if self.kind == Kind::Rackspace {
            catalog.insert(0, first_generation);
        }
        let token = json!({"id": self.token(), "expires": self.expires});
        Answer::json(200, &json!({"access": {"token": token, "serviceCatalog": catalog}}))
    }

    fn network(&mut self, request: &Request, path: &[&str]) -> Answer {
        let body = request.json();
        match (request.method.as_str(), path) {
            ("GET", ["networks"]) => page(request, "networks", &self.networks),
            ("GET", ["subnets"]) => page(request, "subnets", &self.subnets),
            ("POST", ["networks"]) => made("network", body, &mut self.networks),
            ("POST", ["subnets"]) if is_range(&body["subnet"]["cidr"]) => {
                made("subnet", body, &mut self.subnets)
            }
            ("POST", ["subnets"]) => neutron_refusal(400, "Invalid input for cidr."),
            ("DELETE", ["networks", IN_USE]) => {
                neutron_refusal(409, "One or more ports have an IP allocation.")
            }
            ("DELETE", ["networks", id]) if self.networks.iter().any(|network| network["id"] == *id) => {
                self.networks.retain(|network| network["id"] != *id);
                self.subnets.retain(|subnet| subnet["network_id"] != *id);
                Answer::empty(204)
            }
            _ => neutron_refusal(404, "The resource could not be found."),
        }
    }

    fn compute(&mut self, request: &Request, path: &[&str]) -> Answer {
        let body = request.json();
        match (request.method.as_str(), path) {
            ("GET", ["flavors", "detail"]) => page(request, "flavors", &Servers::flavors()),
            ("GET", ["os-availability-zone"]) if self.kind != Kind::Rackspace => zones(),
            ("GET", ["os-keypairs"]) => Answer::json(200, &json!({"keypairs": self.keys})),
            ("POST", ["os-keypairs"]) => {
                let text = |name: &str| body["keypair"][name].as_str().unwrap_or_default().to_owned();
                self.keys.push(pair(&text("name"), &text("public_key")));
                Answer::json(201, &json!({"keypair": body["keypair"]}))
            }
            ("GET", ["servers"] | ["servers", "detail"]) => {
                let shown = self.servers.look(microversion(request));
                page(request, "servers", &shown)
            }
            (_, ["servers", rest @ ..]) => self.servers.answer(request, rest, microversion(request)),
            _ => self.refusal(404),
        }
    }
}

impl Service for Cloud {
    fn answer(&mut self, request: &Request) -> Answer {
        let segments = request.segments();
        let modern = self.kind == Kind::Modern;
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["identity"]) if modern => {
                let version = |id: &str| json!({"id": id, "status": "stable"});
                Answer::json(300, &json!({"versions": {"values": [version("v3.14"), version("v2.0")]}}))
            }
            ("POST", ["identity", "v3", "auth", "tokens"]) if modern => self.log_in_v3(request),
            ("POST", ["v2.0", "tokens"]) if !modern => self.log_in_v2(request),
            _ if request.header("x-auth-token") != Some(self.token().as_str()) => self.refusal(401),
            ("GET", ["compute", "v2.1"]) if modern => {
                let version =
                    json!({"id": "v2.1", "status": "CURRENT", "version": "2.96", "min_version": "2.1"});
                Answer::json(200, &json!({"version": version}))
            }
            (_, ["compute", "v2.1", PROJECT, path @ ..]) if modern => self.compute(request, path),
            (_, ["v2", PROJECT, path @ ..]) if !modern => self.compute(request, path),
            ("GET", ["image", "v2", "images"]) => images(request),
            (_, ["network", "v2.0", path @ ..]) => self.network(request, path),
            _ => self.refusal(404),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        let (name, message) = match status {
            401 => ("error", "The request you have made requires authentication."),
            403 => ("forbidden", "Policy doesn't allow this to be performed."),
            404 => ("itemNotFound", "The resource could not be found."),
            429 => ("overLimit", "This request was rate-limited."),
            _ => ("computeFault", "Unexpected API Error."),
        };
        Answer::json(status, &json!({name: {"code": status, "message": message}}))
    }
}

/// Whether the caller speaks the microversion with tags.
fn microversion(request: &Request) -> bool {
    request.header("openstack-api-version") == Some("compute 2.26")
        && request.header("x-openstack-nova-api-version") == Some("2.26")
}

/// The items of the page that begins after the marker, and whether there are more.
fn after_marker<'a>(request: &Request, items: &'a [Value]) -> Option<(&'a [Value], bool)> {
    let limit = request.query_number("limit").unwrap_or(PAGE).clamp(1, PAGE);
    let begin = match request.query("marker") {
        Some(marker) => items.iter().position(|item| item["id"] == marker)? + 1,
        None => 0,
    };
    let end = (begin + limit).min(items.len());
    Some((&items[begin..end], end < items.len()))
}

fn page(request: &Request, noun: &str, items: &[Value]) -> Answer {
    let Some((shown, more)) = after_marker(request, items) else {
        return Answer::json(400, &json!({"badRequest": {"code": 400, "message": "marker not found"}}));
    };
    let mut body = json!({noun: shown});
    if more {
        body[format!("{noun}_links")] = json!([{"rel": "next", "href": "http://proxied.example.org/next"}]);
    }
    Answer::json(200, &body)
}

fn images(request: &Request) -> Answer {
    let image = |number: u32| {
        json!({"id": format!("image-{number}"), "name": format!("debian-{number}"), "status": "active",
            "visibility": "public", "size": 2_361_393_152_u64, "min_disk": 2, "min_ram": 512,
            "created_at": "2026-01-01T00:00:00Z", "os_distro": "debian"})
    };
    let all: Vec<_> = (4..=13).map(image).collect();
    let Some((shown, more)) = after_marker(request, &all) else { return Answer::empty(400) };
    let mut body = json!({"images": shown, "schema": "/v2/schemas/images"});
    if more {
        body["next"] = json!("/v2/images?marker=x");
    }
    Answer::json(200, &body)
}

fn zones() -> Answer {
    let zone = |name: &str, available: bool| json!({"zoneName": name, "zoneState": {"available": available}});
    Answer::json(200, &json!({"availabilityZoneInfo": [zone("nova", true), zone("old", false)]}))
}

fn neutron_refusal(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"NeutronError": {"type": "Refused", "message": message, "detail": ""}}))
}

fn is_range(cidr: &Value) -> bool {
    cidr.as_str().is_some_and(|cidr| cidr.split_once('/').is_some_and(|(_, bits)| bits.parse::<u8>().is_ok()))
}

/// Keeps what was posted under a new id, and shows it.
fn made(noun: &str, mut body: Value, kept: &mut Vec<Value>) -> Answer {
    let number = 100 + kept.len();
    body[noun]["id"] = json!(format!("made-{number}"));
    kept.push(body[noun].clone());
    Answer::json(201, &body)
}

fn networks() -> Vec<Value> {
    let network = |number: u32| {
        json!({"id": format!("net-{number}"), "name": format!("net {number}"), "status": "ACTIVE",
            "subnets": [format!("sub-{number}")], "shared": number == 1, "router:external": number == 2})
    };
    (1..=9).map(network).collect()
}

fn subnets() -> Vec<Value> {
    let subnet = |number: u32| {
        json!({"id": format!("sub-{number}"), "name": "", "cidr": format!("10.{number}.0.0/24"), "ip_version": 4,
            "network_id": format!("net-{number}")})
    };
    (1..=9).map(subnet).collect()
}

fn pair(name: &str, public_key: &str) -> Value {
    json!({"keypair": {"name": name, "public_key": public_key, "fingerprint": "aa:bb"}})
}
