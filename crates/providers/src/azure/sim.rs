//! A fake Azure: the Resource Manager and the directory that gives out its tokens, after their published APIs. Machines
//! and work that take their time, pages of four, ids in whatever case, and the refusals of both services.

mod stock;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use serde_json::{Value, json};

use self::stock::{id, known_size, locations, named, networks, skus};
use crate::fake::{Answer, FakeService, KeyPair, Request, Service, Slowly};

/// The subscription.
pub const SUBSCRIPTION: &str = "01234567-89ab-cdef-0123-456789abcdef";
/// The directory.
pub const TENANT: &str = "76543210-89ab-cdef-0123-456789abcdef";
/// The application that may do everything.
pub const CLIENT: &str = "11111111-89ab-cdef-0123-456789abcdef";
/// An application that may only read.
pub const READER: &str = "22222222-89ab-cdef-0123-456789abcdef";
/// The secret of both.
pub const SECRET: &str = "s3cr3t~of-the-application";
/// The location of all that is there.
const LOCATION: &str = "eastus";
/// Items on a page at the most.
const PAGE: usize = 4;
/// Looks at a machine, or at some work, that a change takes.
const LOOKS: u32 = 2;

/// A subscription.
#[derive(Debug)]
pub struct Subscription {
    origin: String,
    machines: Vec<Machine>,
    work: Vec<Slowly<Value>>,
    groups: BTreeSet<String>,
    tokens: BTreeMap<String, bool>,
    next: u64,
    page: usize,
    /// The networks, as their documents.
    pub networks: Vec<Value>,
    /// The security groups that were made, as their documents.
    pub security_groups: Vec<Value>,
    /// Changes that machines were told, as `restart web-1`.
    pub changes: Vec<String>,
    /// The bodies of the orders that came.
    pub orders: Vec<Value>,
    /// The thumbprint of the application's certificate, if it has one.
    pub thumbprint: Option<String>,
    /// The next work ends with this error, as code and message.
    pub breaks: Option<(&'static str, &'static str)>,
}

#[derive(Clone, Debug)]
struct Machine {
    number: u64,
    name: String,
    power: Slowly<&'static str>,
    provisioning: Slowly<&'static str>,
    size: String,
    image: Value,
    tags: Value,
}

impl Subscription {
    /// A subscription of ten machines; the second is deallocated.
    pub async fn start() -> io::Result<FakeService<Self>> {
        Self::with(10, PAGE).await
    }

    /// A subscription of so many machines, in pages of so many.
    pub async fn with(machines: u64, page: usize) -> io::Result<FakeService<Self>> {
        FakeService::start(|address| {
            let mut subscription = Self {
                origin: format!("http://{address}"),
                machines: Vec::new(),
                work: Vec::new(),
                groups: BTreeSet::new(),
                tokens: BTreeMap::new(),
                next: 0,
                page,
                networks: networks(),
                security_groups: Vec::new(),
                changes: Vec::new(),
                orders: Vec::new(),
                thumbprint: None,
                breaks: None,
            };
            for number in 1..=machines {
                let power = if number == 2 { "deallocated" } else { "running" };
                let made = subscription.add(&format!("web-{number}"), &Value::Null);
                (made.power, made.provisioning) = (Slowly::still(power), Slowly::still("Succeeded"));
            }
            subscription
        })
        .await
    }

    /// Takes no token any more that was given out so far.
    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    fn add(&mut self, name: &str, order: &Value) -> &mut Machine {
        self.next += 1;
        let properties = &order["properties"];
        let known = json!({"publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest"});
        let image = &properties["storageProfile"]["imageReference"];
        let made = Machine {
            number: self.next,
            name: name.to_owned(),
            power: Slowly::still("running"),
            provisioning: Slowly::towards("Creating", "Succeeded", LOOKS),
            size: properties["hardwareProfile"]["vmSize"].as_str().unwrap_or("Standard_B1s").to_owned(),
            image: if image.is_object() { image.clone() } else { known },
            tags: if order["tags"].is_object() { order["tags"].clone() } else { json!({}) },
        };
        self.machines.push(made);
        let last = self.machines.len() - 1;
        &mut self.machines[last]
    }

    /// Gives out a token for a secret, or for what a certificate's key signed.
    fn token(&mut self, tenant: &str, request: &Request) -> Answer {
        let form: BTreeMap<_, _> = request.form().into_iter().collect();
        let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let refused = |status, error: &str, words: &str| {
            Answer::json(status, &json!({"error": error, "error_description": words, "error_codes": [1]}))
        };
        if tenant != TENANT {
            return refused(400, "invalid_request", "AADSTS90002: Tenant not found.");
        }
        let client = given("client_id");
        if client != CLIENT && client != READER {
            return refused(
                400,
                "unauthorized_client",
                "AADSTS700016: Application was not found in the directory.",
            );
        }
        if given("scope") != format!("{}/.default", self.origin)
            || given("grant_type") != "client_credentials"
        {
            return refused(400, "invalid_scope", "AADSTS70011: The provided value for scope is not valid.");
        }
        let signed = KeyPair::get().verified(given("client_assertion")).is_some_and(|(header, claims)| {
            let audience = format!("{}/{TENANT}/oauth2/v2.0/token", self.origin);
            let of_it = claims["iss"] == client && claims["sub"] == client && claims["aud"] == audience;
            let thumbprint = header["x5t#S256"].as_str();
            of_it
                && header["alg"] == "PS256"
                && thumbprint.is_some()
                && thumbprint == self.thumbprint.as_deref()
        });
        if given("client_secret") != SECRET && !signed {
            return refused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.");
        }
        self.next += 1;
        let token = format!("eyJ0eXAi.token-{}", self.next);
        self.tokens.insert(token.clone(), client == CLIENT);
        Answer::json(200, &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}))
    }

    /// From which item on the page that is asked for begins.
    fn asked(&self, request: &Request) -> (usize, usize) {
        (request.query_number("$skiptoken").unwrap_or(0), self.page)
    }

    fn page(&self, request: &Request, items: &[Value]) -> Answer {
        let (from, size) = self.asked(request);
        let shown: Vec<_> = items.iter().skip(from).take(size).cloned().collect();
        self.part(request, &shown, items.len())
    }

    /// A page that holds these, out of so many.
    fn part(&self, request: &Request, shown: &[Value], total: usize) -> Answer {
        let (from, size) = self.asked(request);
        let mut body = json!({"value": shown});
        if from + size < total {
            let kept = request.query.iter().filter(|(name, _)| name != "$skiptoken");
            let kept: String =
                kept.map(|(name, value)| format!("{name}={}&", value.replace(' ', "%20"))).collect();
            let path = request.path.join("/");
            body["nextLink"] = json!(format!("{}/{path}?{kept}$skiptoken={}", self.origin, from + size));
        }
        Answer::json(200, &body)
    }

    /// Only what the page shows counts as looked at. What machines do stands in a list of its own.
    fn list(&mut self, request: &Request) -> Answer {
        self.machines.retain(|machine| *machine.provisioning.now() != "gone");
        let ((from, size), total) = (self.asked(request), self.machines.len());
        let only_status = request.query("statusOnly") == Some("true");
        let on_page = self.machines.iter_mut().skip(from).take(size);
        let shown: Vec<_> = on_page
            .map(|machine| match only_status {
                true => json!({"id": machine.id().to_uppercase(), "name": machine.name, "location": LOCATION,
                    "properties": {"instanceView": view(machine.power.look())}}),
                false => machine.look(false),
            })
            .filter(|shown| shown["properties"]["provisioningState"] != "gone")
            .collect();
        self.part(request, &shown, total)
    }

    /// Begins some work; says where to look after it, in one of the two ways that there are.
    fn begin(&mut self, answer: Answer, by_location: bool) -> Answer {
        let (running, mut done) = (json!({"status": "InProgress"}), json!({"status": "Succeeded"}));
        if let Some((code, message)) = self.breaks.take() {
            done = json!({"status": "Failed", "error": {"code": code, "message": message}});
        }
        self.work.push(Slowly::towards(running, done, LOOKS));
        let noun = if by_location { "operationresults" } else { "operations" };
        let header = if by_location { "location" } else { "azure-asyncoperation" };
        let path = format!("subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{LOCATION}");
        let link = format!("{}/{path}/{noun}/{}?api-version=1", self.origin, self.work.len() - 1);
        answer.with(header, link).with("retry-after", "0")
    }

    fn work(&mut self, noun: &str, number: &str) -> Answer {
        let found = number.parse().ok().and_then(|number: usize| self.work.get_mut(number));
        let Some(state) = found.map(Slowly::look) else { return self.refusal(404) };
        match (noun, state["status"] == "InProgress") {
            ("operationresults", true) => Answer::empty(202).with("retry-after", "0"),
            ("operationresults", false) => Answer::empty(200),
            _ => Answer::json(200, &state).with("retry-after", "0"),
        }
    }

    fn put(&mut self, group: &str, name: &str, request: &Request) -> Answer {
        let body = request.json();
        self.orders.push(body.clone());
        if !self.groups.contains(&group.to_lowercase()) {
            return refusal(
                404,
                "ResourceGroupNotFound",
                &format!("Resource group '{group}' could not be found."),
            );
        }
        let there = self.machines.iter().any(|machine| machine.name.eq_ignore_ascii_case(name));
        if there && request.header("if-none-match") == Some("*") {
            return refusal(
                412,
                "PreconditionFailed",
                "The condition 'if-none-match' was not met: it is there.",
            );
        }
        let properties = &body["properties"];
        let nic = &properties["networkProfile"]["networkInterfaceConfigurations"][0]["properties"];
        let subnet = &nic["ipConfigurations"][0]["properties"]["subnet"]["id"];
        let known_subnet =
            self.networks.iter().any(|network| network["properties"]["subnets"][0]["id"] == *subnet);
        let group_of_nic = &nic["networkSecurityGroup"]["id"];
        if !known_subnet || !self.security_groups.iter().any(|group| group["id"] == *group_of_nic) {
            return refusal(
                400,
                "InvalidResourceReference",
                "Resource referenced by the resource was not found.",
            );
        }
        if !known_size(&properties["hardwareProfile"]["vmSize"]) {
            return refusal(400, "InvalidParameter", "The value of parameter vmSize is invalid.");
        }
        if properties["storageProfile"]["imageReference"]["publisher"] != "Debian" {
            return refusal(404, "PlatformImageNotFound", "The platform image is not available.");
        }
        if properties["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"].is_null() {
            return refusal(400, "InvalidParameter", "The value of parameter adminPassword is invalid.");
        }
        let shown = self.add(name, &body).clone().look(false);
        self.begin(Answer::json(201, &shown), false)
    }

    /// Carries out what a machine is told.
    fn act(&mut self, name: &str, verb: &str, body: &Value) -> Answer {
        self.changes.push(format!("{verb} {name}"));
        let Some(machine) = self.machines.iter_mut().find(|machine| machine.name.eq_ignore_ascii_case(name))
        else {
            return self.refusal(404);
        };
        match (verb, *machine.power.now()) {
            ("start", _) => machine.power = Slowly::towards("starting", "running", LOOKS),
            ("deallocate", _) => machine.power = Slowly::towards("deallocating", "deallocated", LOOKS),
            ("restart", "running") => {}
            ("delete", _) => machine.provisioning = Slowly::towards("Deleting", "gone", LOOKS),
            ("resize", _) if known_size(&body["properties"]["hardwareProfile"]["vmSize"]) => {
                let size = &body["properties"]["hardwareProfile"]["vmSize"];
                machine.size = size.as_str().unwrap_or_default().to_owned();
            }
            ("resize", _) => {
                return refusal(400, "InvalidParameter", "The value of parameter vmSize is invalid.");
            }
            _ => {
                return refusal(
                    409,
                    "OperationNotAllowed",
                    "The machine is not in a state for this operation.",
                );
            }
        }
        self.begin(Answer::empty(202), verb == "restart")
    }

    /// Puts a document where there is none, or shows the one that is there.
    fn document(&mut self, noun: &str, path: &[String], request: &Request) -> Answer {
        let id = format!("/{}", path.join("/"));
        let list = if noun == "virtualNetworks" { &mut self.networks } else { &mut self.security_groups };
        let found = list.iter().find(|known| known["id"] == id.as_str());
        if let (Some(found), "GET") = (found, request.method.as_str()) {
            return Answer::json(200, found);
        }
        if request.method != "PUT" {
            return self.refusal(404);
        }
        let mut document = request.json();
        (document["id"], document["name"]) = (json!(id), json!(path.last()));
        for subnet in document["properties"]["subnets"].as_array_mut().into_iter().flatten() {
            subnet["id"] = json!(format!("{id}/subnets/{}", subnet["name"].as_str().unwrap_or_default()));
        }
        list.push(document.clone());
        self.begin(Answer::json(201, &document), false)
    }

    /// Answers a call about a machine.
    fn machine(&mut self, group: &str, name: &str, rest: &[&str], request: &Request) -> Answer {
        match (request.method.as_str(), rest) {
            ("PUT", []) => self.put(group, name, request),
            ("PATCH", []) => self.act(name, "resize", &request.json()),
            ("DELETE", []) => self.act(name, "delete", &Value::Null),
            ("POST", ["retrieveBootDiagnosticsData"]) => {
                let link = format!("{}/blobs/{name}.log?sig=secret", self.origin);
                Answer::json(200, &json!({"serialConsoleLogBlobUri": link}))
            }
            ("POST", [verb]) => self.act(name, verb, &Value::Null),
            (method, rest) => {
                let found = self.machines.iter_mut().find(|machine| machine.name.eq_ignore_ascii_case(name));
                match (method, rest, found) {
                    ("GET", [], Some(machine)) => Answer::json(200, &machine.look(true)),
                    ("PUT", [.., "Microsoft.Resources", "tags", "default"], Some(machine)) => {
                        machine.tags = request.json()["properties"]["tags"].clone();
                        Answer::json(200, &request.json())
                    }
                    _ => self.refusal(404),
                }
            }
        }
    }

    /// Answers a call below the subscription.
    fn subscription(&mut self, request: &Request, path: &[&str]) -> Answer {
        let method = request.method.as_str();
        match path {
            ["locations"] => Answer::json(200, &json!({"value": locations()})),
            ["resourcegroups", group] => {
                if method == "PUT" {
                    self.groups.insert(group.to_lowercase());
                } else if !self.groups.contains(&group.to_lowercase()) {
                    return refusal(404, "ResourceGroupNotFound", "Resource group could not be found.");
                }
                Answer::json(
                    200,
                    &json!({"id": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}")}),
                )
            }
            [
                "providers",
                "Microsoft.Compute",
                "locations",
                _,
                noun @ ("operations" | "operationresults"),
                number,
            ] => self.work(noun, number),
            [
                "providers",
                "Microsoft.Compute",
                "locations",
                LOCATION,
                "publishers",
                "Debian",
                ..,
                "debian-12",
                "skus",
            ] => Answer::json(200, &json!([{"name": "12"}, {"name": "12-gen2"}, {"name": "12-arm64"}])),
            ["providers", "Microsoft.Compute", "virtualMachines"] => self.list(request),
            ["providers", "Microsoft.Compute", "images"] => self.page(request, &named("images", 9)),
            ["providers", "Microsoft.Compute", "galleries"] => self.page(request, &named("galleries", 1)),
            ["providers", "Microsoft.Compute", "skus"] => self.page(request, &skus()),
            ["providers", "Microsoft.Network", "virtualNetworks"] => self.page(request, &self.networks),
            ["providers", "Microsoft.Network", "networkInterfaces"] => {
                self.page(request, &self.machines.iter().map(Machine::nic).collect::<Vec<_>>())
            }
            ["providers", "Microsoft.Network", "publicIPAddresses"] => {
                self.page(request, &self.machines.iter().map(Machine::public_ip).collect::<Vec<_>>())
            }
            [_, _, "providers", "Microsoft.Compute", "galleries", _, "images"] => {
                self.page(request, &named("galleryImages", 1))
            }
            [_, group, "providers", "Microsoft.Compute", "virtualMachines", name, rest @ ..]
            | [_, group, "PROVIDERS", "MICROSOFT.COMPUTE", "VIRTUALMACHINES", name, rest @ ..] => {
                self.machine(group, name, rest, request)
            }
            [_, _, "providers", "Microsoft.Network", noun, _] => self.document(noun, &request.path, request),
            _ => self.refusal(404),
        }
    }
}

impl Machine {
    fn id(&self) -> String {
        id("Microsoft.Compute/virtualMachines", &self.name)
    }

    /// The machine, as it is seen now; what it is doing only where that is asked for.
    fn look(&mut self, whole: bool) -> Value {
        let mut properties = json!({
            "vmId": format!("{:08X}-0000-4000-8000-{:012X}", self.number, self.number),
            "provisioningState": self.provisioning.look(), "timeCreated": "2026-07-21T18:37:44Z",
            "hardwareProfile": {"vmSize": self.size},
            "storageProfile": {"imageReference": self.image, "osDisk": {"osType": "Linux"}},
            "networkProfile": {"networkInterfaces": [{"id": self.nic()["id"].as_str().map(str::to_uppercase)}]},
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": true}},
        });
        if whole {
            properties["instanceView"] = view(self.power.look());
        }
        json!({"id": self.id(), "name": self.name, "location": LOCATION, "tags": self.tags, "properties": properties})
    }

    fn nic(&self) -> Value {
        let octet = self.number % 200;
        json!({"id": id("Microsoft.Network/networkInterfaces", &format!("nic-{}", self.number)), "properties": {
            "ipConfigurations": [{"properties": {"privateIPAddress": format!("10.0.0.{octet}"),
                "publicIPAddress": {"id": self.public_ip()["id"].as_str().map(str::to_lowercase)}}}]}})
    }

    fn public_ip(&self) -> Value {
        let id = id("Microsoft.Network/publicIPAddresses", &format!("ip-{}", self.number));
        json!({"id": id, "properties": {"ipAddress": format!("203.0.113.{}", self.number % 200)}})
    }
}

impl Service for Subscription {
    fn answer(&mut self, request: &Request) -> Answer {
        let path = request.segments();
        if request.lacks_length() {
            return Answer::text(411, "text/html", "<h2>Length Required</h2>");
        }
        match path.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] => return self.token(tenant, request),
            ["blobs", _]
                if request.query("sig") == Some("secret") && request.header("authorization").is_none() =>
            {
                return Answer::text(200, "text/plain", "[    0.000000] Linux version 6.1\nlogin: ");
            }
            _ => {}
        }
        let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        let Some(may_write) = token.and_then(|token| self.tokens.get(token).copied()) else {
            return self.refusal(401);
        };
        if !may_write && request.method != "GET" {
            return self.refusal(403);
        }
        match path.as_slice() {
            [_, subscription, rest @ ..] if subscription.eq_ignore_ascii_case(SUBSCRIPTION) => {
                self.subscription(request, rest)
            }
            _ => refusal(404, "SubscriptionNotFound", "The subscription could not be found."),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        match status {
            401 => refusal(401, "InvalidAuthenticationToken", "The access token is invalid."),
            403 => refusal(
                403,
                "AuthorizationFailed",
                "The client does not have authorization to perform the action.",
            ),
            404 => refusal(404, "ResourceNotFound", "The Resource was not found."),
            429 => refusal(429, "TooManyRequests", "The request is being throttled."),
            status => refusal(status, "InternalServerError", "Encountered internal server error."),
        }
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"code": code, "message": message}}))
}

fn view(power: &str) -> Value {
    json!({"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": format!("PowerState/{power}")}]})
}
