//! A fake Compute Engine with the service that gives out its tokens, after the published API v1: instances and
//! operations that take their time, pages of four, requests known again by their id, labels with a fingerprint, and the
//! refusals of both services.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::settings::{GRANT, TOKENS};
use crate::fake::{Answer, FakeService, KeyPair, Request, Service, Slowly};

/// The project.
pub const PROJECT: &str = "roads-123";
/// The service account that may do everything.
pub const EMAIL: &str = "roadstead@roads-123.iam.gserviceaccount.com";
/// A service account that may only read.
pub const VIEWER: &str = "viewer@roads-123.iam.gserviceaccount.com";
/// A zone.
const ZONE: &str = "us-central1-a";
/// Items on a page at the most, whatever a caller asks for.
const PAGE: usize = 4;
/// Looks at an instance or an operation that a change takes.
const LOOKS: u32 = 2;
/// What a URL begins with, wherever the fake listens.
const ROOT: &str = "https://www.googleapis.com/compute/v1/projects";

/// A project.
#[derive(Debug)]
pub struct Project {
    instances: Vec<Instance>,
    operations: BTreeMap<String, Slowly<Value>>,
    requests: BTreeMap<String, String>,
    tokens: BTreeMap<String, bool>,
    next: u64,
    page: usize,
    /// Changes that instances were told, as `reset 1001`.
    pub changes: Vec<String>,
    /// The bodies of the orders that came.
    pub orders: Vec<Value>,
    /// The next operation ends with this error, as code and message.
    pub breaks: Option<(&'static str, &'static str)>,
    /// How many labels somebody else changes in between.
    pub meddles: usize,
    /// The tokens that were given out.
    pub given_out: usize,
}

#[derive(Clone, Debug)]
struct Instance {
    id: u64,
    name: String,
    status: Slowly<&'static str>,
    kind: String,
    image: String,
    zone: String,
    labels: BTreeMap<String, String>,
    fingerprint: u64,
    protected: bool,
}

impl Project {
    /// A project of ten instances; the second is stopped, the third suspended, the fourth protected.
    pub async fn start() -> io::Result<FakeService<Self>> {
        Self::with(10, PAGE).await
    }

    /// A project of so many instances, in pages of so many.
    pub async fn with(instances: u64, page: usize) -> io::Result<FakeService<Self>> {
        FakeService::start(|_| {
            let mut project = Self {
                instances: Vec::new(),
                operations: BTreeMap::new(),
                requests: BTreeMap::new(),
                tokens: BTreeMap::new(),
                next: 1000,
                page,
                changes: Vec::new(),
                orders: Vec::new(),
                breaks: None,
                meddles: 0,
                given_out: 0,
            };
            for number in 1..=instances {
                let status = match number {
                    2 => "TERMINATED",
                    3 => "SUSPENDED",
                    _ => "RUNNING",
                };
                project.add(&format!("web-{number}"), &Value::Null, ZONE, Slowly::still(status));
            }
            if let Some(fourth) = project.instances.get_mut(3) {
                fourth.protected = true;
            }
            project
        })
        .await
    }

    /// The key file of an account, as Google gives it.
    pub fn key_file(email: &str) -> String {
        json!({
            "type": "service_account", "project_id": PROJECT, "private_key_id": "k1", "client_email": email,
            "private_key": KeyPair::get().pem, "token_uri": "http://169.254.169.254/steal-it",
        })
        .to_string()
    }

    /// Takes no token any more that was given out so far.
    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    fn add(&mut self, name: &str, order: &Value, zone: &str, status: Slowly<&'static str>) -> u64 {
        self.next += 1;
        let kind = order["machineType"].as_str().unwrap_or("zones/z/machineTypes/e2-1");
        let image = order["disks"][0]["initializeParams"]["sourceImage"].as_str();
        self.instances.push(Instance {
            id: self.next,
            name: name.to_owned(),
            status,
            kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
            image: image.unwrap_or("projects/debian-cloud/global/images/debian-12-1").to_owned(),
            zone: zone.to_owned(),
            labels: BTreeMap::from([("goog-ours".into(), "1".into())]),
            fingerprint: 1,
            protected: false,
        });
        self.next
    }

    /// Gives out a token to who signed for it.
    fn token(&mut self, request: &Request) -> Answer {
        let form: BTreeMap<_, _> = request.form().into_iter().collect();
        let refused =
            |words: &str| Answer::json(400, &json!({"error": "invalid_grant", "error_description": words}));
        let claims = form.get("assertion").and_then(|token| KeyPair::get().verified(token));
        let Some((header, claims)) = claims.filter(|_| form["grant_type"] == GRANT) else {
            return refused("Invalid JWT Signature.");
        };
        let (now, from, until) =
            (Timestamp::now().as_second(), claims["iat"].as_i64(), claims["exp"].as_i64());
        let in_time = from.is_some_and(|from| from <= now)
            && until.is_some_and(|until| until > now && until <= now + 3600);
        if !in_time || claims["aud"] != TOKENS || header["alg"] != "RS256" {
            return refused(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            );
        }
        if claims["iss"] != EMAIL && claims["iss"] != VIEWER {
            return refused("Invalid grant: account not found");
        }
        self.given_out += 1;
        let token = format!("ya29.token-{}", self.given_out);
        self.tokens.insert(token.clone(), claims["iss"] == EMAIL);
        Answer::json(200, &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
    }

    /// From which item on the page that is asked for begins, and how many it holds.
    fn asked(&self, request: &Request) -> (usize, usize) {
        let from = request.query("pageToken").and_then(|token| token.strip_prefix("from-")?.parse().ok());
        (from.unwrap_or(0), request.query_number("maxResults").unwrap_or(500).clamp(1, self.page))
    }

    fn page(&self, request: &Request, items: &[Value]) -> Answer {
        let (from, size) = self.asked(request);
        let shown: Vec<_> = items.iter().skip(from).take(size).cloned().collect();
        let mut body = json!({"kind": "compute#list", "id": "x"});
        // A list of nothing has no items at all.
        if !shown.is_empty() {
            body["items"] = json!(shown);
        }
        self.paged(body, from + size, items.len())
    }

    /// A page of a list over all zones or regions: what is in `scopes`, with a warning for the others.
    fn aggregated(&self, request: &Request, noun: &str, items: &[(String, Value)]) -> Answer {
        let (from, size) = self.asked(request);
        let warning = json!({"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "There are no results."}});
        let mut scopes = BTreeMap::from([("zones/europe-west1-b".to_owned(), warning)]);
        for (scope, item) in items.iter().skip(from).take(size) {
            let of_scope = scopes.entry(scope.clone()).or_insert_with(|| json!({noun: []}));
            if !of_scope[noun].is_array() {
                *of_scope = json!({noun: []});
            }
            of_scope[noun].as_array_mut().into_iter().for_each(|list| list.push(item.clone()));
        }
        self.paged(json!({"kind": "compute#aggregatedList", "items": scopes}), from + size, items.len())
    }

    fn paged(&self, mut body: Value, end: usize, total: usize) -> Answer {
        if end < total {
            body["nextPageToken"] = json!(format!("from-{end}"));
        }
        Answer::json(200, &body)
    }

    /// Only what the page shows counts as looked at.
    fn list_instances(&mut self, request: &Request) -> Answer {
        let (from, size) = self.asked(request);
        let wanted = request.query("filter").and_then(|filter| filter.strip_prefix("id="));
        self.instances.retain(|instance| *instance.status.now() != "gone");
        let mut place = 0;
        let mut items = Vec::new();
        for instance in &mut self.instances {
            if wanted.is_some_and(|id| instance.id.to_string() != id) {
                continue;
            }
            let on_page = (from..from + size).contains(&place);
            let status = if on_page { instance.status.look() } else { instance.status.now() };
            if status != "gone" {
                items.push((format!("zones/{}", instance.zone), instance.shown(status)));
                place += 1;
            }
        }
        self.aggregated(request, "instances", &items)
    }

    fn insert(&mut self, zone: &str, request: &Request) -> Answer {
        let body = request.json();
        self.orders.push(body.clone());
        let id = request.query("requestId").unwrap_or_default().to_owned();
        if let Some(operation) = self.requests.get(&id) {
            return self.operation(&operation.clone());
        }
        let (name, image) =
            (body["name"].as_str().unwrap_or_default(), &body["disks"][0]["initializeParams"]["sourceImage"]);
        let image = image.as_str().unwrap_or_default();
        if !public_images()
            .iter()
            .any(|known| known["selfLink"].as_str().is_some_and(|link| link.ends_with(image)))
        {
            return refusal(404, "notFound", &format!("The resource '{image}' was not found"));
        }
        let kind = body["machineType"].as_str().unwrap_or_default();
        if !(1..10).any(|n| kind == format!("zones/{zone}/machineTypes/e2-{n}")) {
            return refusal(400, "invalid", "Invalid value for field 'resource.machineType'");
        }
        if self.instances.iter().any(|instance| instance.name == name && instance.zone == zone) {
            return refusal(409, "alreadyExists", &format!("The resource '{name}' already exists"));
        }
        let broken = self.breaks.is_some();
        let target = self.add(name, &body, zone, Slowly::towards("PROVISIONING", "RUNNING", LOOKS));
        if broken {
            self.instances.pop();
        }
        let answer = self.begin(zone, "insert", target);
        self.requests.insert(id, format!("operation-{}", self.next));
        answer
    }

    /// Begins an operation, and answers with it.
    fn begin(&mut self, zone: &str, verb: &str, target: u64) -> Answer {
        self.changes.push(format!("{verb} {target}"));
        self.next += 1;
        let name = format!("operation-{}", self.next);
        let zone = format!("{ROOT}/{PROJECT}/zones/{zone}");
        let mut done = json!({"kind": "compute#operation", "name": name, "zone": zone, "status": "RUNNING",
            "operationType": verb, "targetId": target.to_string(), "progress": 0});
        let running = done.clone();
        done["status"] = json!("DONE");
        if let Some((code, message)) = self.breaks.take() {
            done["error"] = json!({"errors": [{"code": code, "message": message}]});
        }
        self.operations.insert(name, Slowly::towards(running.clone(), done, LOOKS));
        Answer::json(200, &running)
    }

    fn operation(&mut self, name: &str) -> Answer {
        let found = self.operations.get_mut(name);
        found.map_or_else(not_found, |operation| Answer::json(200, &operation.look()))
    }

    /// Carries out what an instance is told.
    fn act(&mut self, name: &str, verb: &str, body: &Value) -> Answer {
        let Some(instance) = self.instances.iter_mut().find(|instance| instance.name == name) else {
            return not_found();
        };
        let status = *instance.status.now();
        let not_ready = || refusal(400, "resourceNotReady", &format!("The resource '{name}' is not ready"));
        match (verb, status) {
            ("start", "TERMINATED") => instance.status = Slowly::towards("STAGING", "RUNNING", LOOKS),
            ("resume", "SUSPENDED") => instance.status = Slowly::towards("PROVISIONING", "RUNNING", LOOKS),
            ("stop", "RUNNING") => instance.status = Slowly::towards("STOPPING", "TERMINATED", LOOKS),
            ("start" | "stop" | "reset", "RUNNING" | "TERMINATED") => {}
            ("setName", "TERMINATED") if body["currentName"] == name => {
                instance.name = body["name"].as_str().unwrap_or_default().to_owned();
            }
            ("setMachineType", "TERMINATED") => {
                let kind = body["machineType"].as_str().unwrap_or_default().to_owned();
                if !(1..10).any(|n| kind == format!("zones/{}/machineTypes/e2-{n}", instance.zone)) {
                    return refusal(400, "invalid", "Invalid value for field 'resource.machineType'");
                }
                instance.kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            }
            ("setLabels", _) => {
                if self.meddles > 0 {
                    self.meddles -= 1;
                    instance.fingerprint += 1;
                }
                if body["labelFingerprint"].as_str() != Some(&instance.fingerprint.to_string()) {
                    return refusal(
                        412,
                        "conditionNotMet",
                        "Labels fingerprint either invalid or resource labels have changed",
                    );
                }
                instance.labels = serde_json::from_value(body["labels"].clone()).unwrap_or_default();
                instance.fingerprint += 1;
            }
            ("delete", _) if instance.protected => {
                return refusal(
                    400,
                    "invalidUsage",
                    "Invalid resource usage: 'Resource cannot be deleted if it's protected'",
                );
            }
            ("delete", _) => instance.status = Slowly::towards("STOPPING", "gone", LOOKS),
            _ => return not_ready(),
        }
        let (zone, id) = (instance.zone.clone(), instance.id);
        self.begin(&zone, verb, id)
    }

    /// Answers a call below a project.
    fn project(&mut self, request: &Request, path: &[&str]) -> Answer {
        let instance = |project: &mut Self, name: &str| {
            let found = project.instances.iter_mut().find(|instance| instance.name == name);
            found.map_or_else(not_found, |instance| {
                let status = instance.status.look();
                Answer::json(200, &instance.shown(status))
            })
        };
        match (request.method.as_str(), path) {
            ("GET", ["aggregated", "instances"]) => self.list_instances(request),
            ("GET", ["aggregated", "disks"]) => {
                let disks: Vec<_> = self.instances.iter().map(Instance::disk).collect();
                self.aggregated(request, "disks", &disks)
            }
            ("GET", ["aggregated", "subnetworks"]) => self.aggregated(request, "subnetworks", &subnetworks()),
            ("GET", ["global", "images"]) => self.page(request, &own_images()),
            ("GET", ["global", "networks"]) => self.page(request, &networks()),
            ("GET", ["zones"]) => self.page(request, &zones()),
            ("GET", ["zones", zone, "machineTypes"]) if *zone == ZONE => self.page(request, &machine_types()),
            ("POST", ["zones", zone, "instances"]) => self.insert(zone, request),
            ("GET", ["zones", _, "operations", name]) => self.operation(name),
            ("GET", ["zones", _, "instances", name]) => instance(self, name),
            ("GET", ["zones", _, "instances", name, "serialPort"]) => {
                let lines = format!("[    0.000000] Linux version 6.1\n{name} login: ");
                Answer::json(
                    200,
                    &json!({"kind": "compute#serialPortOutput", "contents": lines, "start": "0"}),
                )
            }
            ("DELETE", ["zones", _, "instances", name]) => self.act(name, "delete", &Value::Null),
            ("POST", ["zones", _, "instances", name, verb]) => self.act(name, verb, &request.json()),
            _ => not_found(),
        }
    }
}

impl Instance {
    fn shown(&self, status: &str) -> Value {
        let octet = self.id % 200;
        let link = |rest: String| json!(format!("{ROOT}/{PROJECT}/{rest}"));
        json!({
            "kind": "compute#instance", "id": self.id.to_string(), "name": self.name, "status": status,
            "creationTimestamp": "2026-07-21T11:37:44.000-07:00", "cpuPlatform": "Intel Broadwell",
            "zone": link(format!("zones/{}", self.zone)),
            "machineType": link(format!("zones/{}/machineTypes/{}", self.zone, self.kind)),
            "networkInterfaces": [{
                "network": link("global/networks/default".into()), "networkIP": format!("10.128.0.{octet}"),
                "subnetwork": link("regions/us-central1/subnetworks/default".into()),
                "accessConfigs": [{"type": "ONE_TO_ONE_NAT", "natIP": format!("203.0.113.{octet}")}],
            }],
            "disks": [{"boot": true, "source": self.disk().1["selfLink"],
                "licenses": [format!("{ROOT}/debian-cloud/global/licenses/debian-12-bookworm")]}],
            "labels": self.labels, "labelFingerprint": self.fingerprint.to_string(),
            "deletionProtection": self.protected, "scheduling": {"provisioningModel": "STANDARD"},
        })
    }

    /// Its boot disk, and where that is. Like others it has an id for a name, so that it stays when the instance is
    /// renamed.
    fn disk(&self) -> (String, Value) {
        let link = format!("{ROOT}/{PROJECT}/zones/{}/disks/boot-{}", self.zone, self.id);
        let image = format!("https://www.googleapis.com/compute/v1/{}", self.image);
        (
            format!("zones/{}", self.zone),
            json!({"name": format!("boot-{}", self.id), "selfLink": link, "sourceImage": image}),
        )
    }
}

impl Service for Project {
    fn answer(&mut self, request: &Request) -> Answer {
        let path = request.segments();
        if request.lacks_length() {
            return Answer::text(411, "text/html", "<html>411. That is an error.</html>");
        }
        if (request.method.as_str(), path.as_slice()) == ("POST", &["token"][..]) {
            return self.token(request);
        }
        let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        let Some(may_write) = token.and_then(|token| self.tokens.get(token).copied()) else {
            return self.refusal(401);
        };
        if !may_write && request.method != "GET" {
            return refusal(
                403,
                "forbidden",
                "Required 'compute.instances.reset' permission for 'projects/roads-123'",
            );
        }
        match path.as_slice() {
            ["compute", "v1", "projects", project, rest @ ..] if *project == PROJECT => {
                let rest: Vec<String> = rest.iter().map(|&segment| segment.to_owned()).collect();
                self.project(request, &rest.iter().map(String::as_str).collect::<Vec<_>>())
            }
            ["compute", "v1", "projects", "debian-cloud", "global", "images"] => {
                self.page(request, &public_images())
            }
            _ => not_found(),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        match status {
            401 => refusal(401, "authError", "Invalid Credentials"),
            403 => refusal(403, "forbidden", "Required permission is missing"),
            404 => not_found(),
            429 => refusal(429, "rateLimitExceeded", "Quota exceeded for quota metric 'Queries'"),
            status => refusal(status, "backendError", "Internal error"),
        }
    }
}

fn refusal(status: u16, reason: &str, message: &str) -> Answer {
    let errors = json!([{"message": message, "domain": "global", "reason": reason}]);
    Answer::json(status, &json!({"error": {"code": status, "message": message, "errors": errors}}))
}

fn not_found() -> Answer {
    refusal(404, "notFound", "The resource was not found")
}

fn image(project: &str, name: &str, deprecated: bool) -> Value {
    let state = if deprecated { json!({"state": "DEPRECATED"}) } else { Value::Null };
    json!({"name": name, "selfLink": format!("{ROOT}/{project}/global/images/{name}"), "status": "READY",
        "description": format!("Image {name}"), "architecture": "X86_64", "diskSizeGb": "10", "deprecated": state})
}

fn own_images() -> Vec<Value> {
    (1..=9).map(|n| image(PROJECT, &format!("golden-{n}"), false)).collect()
}

fn public_images() -> Vec<Value> {
    (1..=9).map(|n| image("debian-cloud", &format!("debian-12-{n}"), n == 9)).collect()
}

fn zones() -> Vec<Value> {
    let names: BTreeSet<_> =
        (b'a'..=b'i').map(|letter| format!("us-central1-{}", char::from(letter))).collect();
    names.into_iter().map(|name| json!({"name": name, "status": "UP"})).collect()
}

fn machine_types() -> Vec<Value> {
    let kind = |n: u64| {
        json!({"name": format!("e2-{n}"), "description": format!("{n} vCPUs"), "guestCpus": n,
            "memoryMb": n * 4096, "isSharedCpu": n == 1, "architecture": "X86_64"})
    };
    (1..=9).map(kind).collect()
}

fn networks() -> Vec<Value> {
    let names = std::iter::once("default".to_owned()).chain((2..=9).map(|n| format!("net-{n}")));
    names.map(|name| json!({"name": name, "autoCreateSubnetworks": name == "default"})).collect()
}

fn subnetworks() -> Vec<(String, Value)> {
    let subnetwork = |n: u64, network: &str, region: &str| {
        let name = if n == 1 { "default".to_owned() } else { format!("sub-{n}") };
        (
            format!("regions/{region}"),
            json!({"name": name, "network": format!("{ROOT}/{PROJECT}/global/networks/{network}"),
            "region": format!("{ROOT}/{PROJECT}/regions/{region}"), "ipCidrRange": format!("10.{n}.0.0/20")}),
        )
    };
    let mut all = vec![subnetwork(1, "default", "us-central1")];
    all.extend(
        (2..=9)
            .map(|n| subnetwork(n, &format!("net-{n}"), if n == 9 { "europe-west1" } else { "us-central1" })),
    );
    all
}
