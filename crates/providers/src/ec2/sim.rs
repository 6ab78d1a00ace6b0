//! A fake Amazon EC2, after the published query API of 2016-11-15: signed calls, instances that take their time, small
//! pages, orders known again by their token, and the refusals that the service is known for.

pub mod metadata;

use std::{
    collections::BTreeMap,
    io,
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{keys::keys, sign::Signature};
use crate::fake::{Answer, FakeService, Request, Service, Slowly};

/// The id of the access key that the fake takes.
pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// The id of an access key that may only read.
pub const READ_ONLY: &str = "AKIAI44QH8DHBEXAMPLE";
/// The id of the temporary access key of the role that the account trusts.
pub const ROLE_KEY: &str = "ASIAIOSFODNN7EXAMPLE";
/// The secret of all three.
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The region that calls have to be signed for.
const REGION: &str = "us-east-1";
/// Items on a page at the most, whatever a caller asks for.
const PAGE: usize = 4;
/// Looks at an instance that a change takes.
const LOOKS: u32 = 2;
/// How far a caller's clock may be off.
const MAX_SKEW: Duration = Duration::from_secs(5 * 60);

/// The parameters of a call.
type Parameters = BTreeMap<String, String>;

/// An account.
#[derive(Debug)]
pub struct Account {
    instances: Vec<Instance>,
    keys: BTreeMap<String, String>,
    orders_by_token: BTreeMap<String, (Parameters, Vec<String>)>,
    next_id: u64,
    page: usize,
    /// Which of the role's session tokens is the one that has not expired.
    pub session: u32,
    /// By how many seconds its clock is ahead.
    pub ahead: i64,
    /// Changes that instances were told, as `RebootInstances i-0000000000000001`.
    pub changes: Vec<String>,
    /// The parameters of the orders that came.
    pub orders: Vec<Parameters>,
}

#[derive(Clone, Debug)]
struct Instance {
    id: String,
    state: Slowly<&'static str>,
    image: String,
    kind: String,
    zone: String,
    tags: BTreeMap<String, String>,
    octet: u64,
}

impl Account {
    /// An account of ten instances; the second is stopped.
    pub async fn start() -> io::Result<FakeService<Self>> {
        Self::with(10, PAGE).await
    }

    /// An account of so many instances, in pages of so many.
    pub async fn with(instances: u64, page: usize) -> io::Result<FakeService<Self>> {
        FakeService::start(|_| {
            let mut account = Self {
                instances: Vec::new(),
                keys: BTreeMap::new(),
                orders_by_token: BTreeMap::new(),
                next_id: 0,
                page,
                session: 1,
                ahead: 0,
                changes: Vec::new(),
                orders: Vec::new(),
            };
            for number in 1..=instances {
                let state = Slowly::still(if number == 2 { "stopped" } else { "running" });
                let tags = BTreeMap::from([("Name".into(), format!("web-{number}"))]);
                account.add(&Parameters::new(), tags, state);
            }
            account
        })
        .await
    }

    fn add(
        &mut self,
        order: &Parameters,
        tags: BTreeMap<String, String>,
        state: Slowly<&'static str>,
    ) -> String {
        self.next_id += 1;
        let given = |name: &str, default: &str| order.get(name).map_or(default, String::as_str).to_owned();
        let id = format!("i-{:017x}", self.next_id);
        self.instances.push(Instance {
            id: id.clone(),
            state,
            image: given("ImageId", "ami-0000000000000001"),
            kind: given("InstanceType", "t3.1large"),
            zone: given("Placement.AvailabilityZone", "us-east-1a"),
            tags,
            octet: self.next_id % 200,
        });
        id
    }

    /// One page of these, where `what` names the call and `set` the list.
    fn page(&self, parameters: &Parameters, what: &str, set: &str, items: &[String]) -> Answer {
        let number = |name: &str| parameters.get(name).and_then(|text| text.parse::<usize>().ok());
        let from = number("NextToken").unwrap_or(0);
        let size = number("MaxResults").unwrap_or(self.page).clamp(1, self.page);
        let shown: String =
            items.iter().skip(from).take(size).map(|item| format!("<item>{item}</item>")).collect();
        let end = from + size;
        let next = if end < items.len() { format!("<nextToken>{end}</nextToken>") } else { String::new() };
        answer(what, &format!("<{set}>{shown}</{set}>{next}"))
    }

    fn describe_instances(&mut self, parameters: &Parameters) -> Answer {
        let reservation = |instance: &String| format!("<instancesSet><item>{instance}</item></instancesSet>");
        if let Some(id) = parameters.get("InstanceId.1") {
            let Some(instance) = self.instances.iter_mut().find(|instance| instance.id == *id) else {
                return no_such_instance(id);
            };
            let shown = reservation(&instance.look());
            return self.page(parameters, "DescribeInstances", "reservationSet", &[shown]);
        }
        let shown: Vec<_> = self.instances.iter_mut().map(|instance| reservation(&instance.look())).collect();
        self.page(parameters, "DescribeInstances", "reservationSet", &shown)
    }

    fn describe_images(&self, parameters: &Parameters) -> Answer {
        let value = parameters.get("Filter.1.Value.1").map(String::as_str);
        let wanted = match parameters.get("Filter.1.Name").map(String::as_str) {
            Some("name") => images()
                .filter(|(_, name)| value.is_some_and(|v| name.contains(v.trim_matches('*'))))
                .collect(),
            Some(_) => images().filter(|(id, _)| Some(id.as_str()) == value).collect::<Vec<_>>(),
            None => images().collect(),
        };
        let shown: Vec<_> = wanted
            .iter()
            .map(|(id, name)| {
                format!(
                    "<imageId>{id}</imageId><imageState>available</imageState><name>{name}</name>\
                     <imageOwnerId>136693071363</imageOwnerId><isPublic>true</isPublic>\
                     <architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType>\
                     <creationDate>2026-01-0{}T00:00:00.000Z</creationDate>",
                    id.len() % 9 + 1
                )
            })
            .collect();
        self.page(parameters, "DescribeImages", "imagesSet", &shown)
    }

    fn run(&mut self, parameters: &Parameters) -> Answer {
        let given = |name: &str| parameters.get(name).map_or("", String::as_str);
        if !images().any(|(id, _)| id == given("ImageId")) {
            let message = format!("The image id '[{}]' does not exist", given("ImageId"));
            return refusal(400, "InvalidAMIID.NotFound", &message);
        }
        if !(1..=9).any(|number| kind(number) == given("InstanceType")) {
            return refusal(400, "InvalidParameterValue", "Invalid value for InstanceType");
        }
        if !given("KeyName").is_empty() && !self.keys.contains_key(given("KeyName")) {
            return refusal(400, "InvalidKeyPair.NotFound", "The key pair does not exist");
        }
        if let Some((order, ids)) = self.orders_by_token.get(given("ClientToken")) {
            if order != parameters {
                return refusal(
                    400,
                    "IdempotentParameterMismatch",
                    "The token was used with other parameters",
                );
            }
            let ids = ids.clone();
            return self.shown("RunInstances", &ids);
        }
        self.orders.push(parameters.clone());
        let count = given("MaxCount").parse().unwrap_or(0);
        let tags = BTreeMap::from([(
            given("TagSpecification.1.Tag.1.Key").to_owned(),
            given("TagSpecification.1.Tag.1.Value").to_owned(),
        )]);
        let slow = || Slowly::towards("pending", "running", LOOKS);
        let ids: Vec<_> = (0..count).map(|_| self.add(parameters, tags.clone(), slow())).collect();
        self.orders_by_token.insert(given("ClientToken").to_owned(), (parameters.clone(), ids.clone()));
        self.shown("RunInstances", &ids)
    }

    fn shown(&self, what: &str, ids: &[String]) -> Answer {
        let made = self.instances.iter().filter(|instance| ids.contains(&instance.id));
        let items: String = made.map(|instance| format!("<item>{}</item>", instance.shown())).collect();
        answer(what, &format!("<reservationId>r-1</reservationId><instancesSet>{items}</instancesSet>"))
    }

    fn act(&mut self, action: &str, id: &str) -> Answer {
        let Some(instance) = self.instances.iter_mut().find(|instance| instance.id == id) else {
            return no_such_instance(id);
        };
        instance.state = match (action, *instance.state.now()) {
            ("StartInstances", "stopped") => Slowly::towards("pending", "running", LOOKS),
            ("StopInstances", "running") => Slowly::towards("stopping", "stopped", LOOKS),
            ("RebootInstances", "running") => Slowly::still("running"),
            ("TerminateInstances", "terminated") => Slowly::still("terminated"),
            ("TerminateInstances", _) => Slowly::towards("shutting-down", "terminated", LOOKS),
            (_, state) => return wrong_state(id, state),
        };
        self.changes.push(format!("{action} {id}"));
        answer(action, "<instancesSet/>")
    }

    fn resize(&mut self, parameters: &Parameters) -> Answer {
        let (id, size) = (text(parameters, "InstanceId"), text(parameters, "InstanceType.Value"));
        let Some(instance) = self.instances.iter_mut().find(|instance| instance.id == id) else {
            return no_such_instance(id);
        };
        match *instance.state.now() {
            "stopped" if (1..=9).any(|number| kind(number) == size) => size.clone_into(&mut instance.kind),
            "stopped" => return refusal(400, "InvalidParameterValue", "Invalid value for InstanceType"),
            state => return wrong_state(id, state),
        }
        answer("ModifyInstanceAttribute", "<return>true</return>")
    }

    fn tag(&mut self, action: &str, parameters: &Parameters) -> Answer {
        let id = text(parameters, "ResourceId.1");
        let Some(instance) = self.instances.iter_mut().find(|instance| instance.id == id) else {
            return no_such_instance(id);
        };
        for number in 1..=50 {
            let Some(key) = parameters.get(&format!("Tag.{number}.Key")) else { break };
            let value = parameters.get(&format!("Tag.{number}.Value"));
            if action == "CreateTags" {
                instance.tags.insert(key.clone(), value.cloned().unwrap_or_default());
            } else if value.is_none() || instance.tags.get(key) == value {
                instance.tags.remove(key);
            }
        }
        answer(action, "<return>true</return>")
    }

    fn import_key(&mut self, parameters: &Parameters) -> Answer {
        let name = text(parameters, "KeyName").to_owned();
        if self.keys.contains_key(&name) {
            return refusal(400, "InvalidKeyPair.Duplicate", "The keypair already exists");
        }
        self.keys.insert(name, text(parameters, "PublicKeyMaterial").to_owned());
        answer("ImportKeyPair", "<keyPairId>key-1</keyPairId>")
    }

    fn console(&self, id: &str) -> Answer {
        if !self.instances.iter().any(|instance| instance.id == id) {
            return no_such_instance(id);
        }
        // "[    0.000000] Linux\n", as the service sends it: in base64, on lines.
        answer("GetConsoleOutput", "<output>WyAgICAwLjAwMDAwMF0g\nTGludXgK</output>")
    }

    fn read(&mut self, action: &str, parameters: &Parameters) -> Option<Answer> {
        let list = |what: &str, set: &str, item: fn(u32) -> String| {
            self.page(parameters, what, set, &(1..=9).map(item).collect::<Vec<_>>())
        };
        Some(match action {
            "DescribeInstances" => self.describe_instances(parameters),
            "DescribeImages" => self.describe_images(parameters),
            "DescribeInstanceTypes" => list(action, "instanceTypeSet", |number| {
                format!(
                    "<instanceType>{}</instanceType><currentGeneration>true</currentGeneration><vCpuInfo>\
                     <defaultVCpus>{number}</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>{}</sizeInMiB></memoryInfo>\
                     <processorInfo><supportedArchitectures><item>x86_64</item></supportedArchitectures></processorInfo>",
                    kind(number),
                    number * 1024
                )
            }),
            "DescribeInstanceTypeOfferings" => list(action, "instanceTypeOfferingSet", |number| {
                format!(
                    "<instanceType>{}</instanceType><locationType>availability-zone</locationType>\
                     <location>us-east-1a</location>",
                    kind(number)
                )
            }),
            "DescribeVpcs" => list(action, "vpcSet", |number| {
                format!(
                    "<vpcId>vpc-{number}</vpcId><cidrBlock>10.{number}.0.0/16</cidrBlock>\
                     <isDefault>{}</isDefault><tagSet><item><key>Name</key><value>net-{number}</value></item></tagSet>",
                    number == 1
                )
            }),
            "DescribeSubnets" => list(action, "subnetSet", |number| {
                format!(
                    "<subnetId>subnet-{number}</subnetId><vpcId>vpc-{number}</vpcId>\
                     <cidrBlock>10.{number}.1.0/24</cidrBlock><availabilityZone>us-east-1a</availabilityZone>"
                )
            }),
            "DescribeAvailabilityZones" => answer(action, ZONES),
            "GetConsoleOutput" => self.console(text(parameters, "InstanceId")),
            _ => return None,
        })
    }

    fn write(&mut self, action: &str, parameters: &Parameters) -> Answer {
        match action {
            "RunInstances" => self.run(parameters),
            "StartInstances" | "StopInstances" | "RebootInstances" | "TerminateInstances" => {
                self.act(action, text(parameters, "InstanceId.1"))
            }
            "ModifyInstanceAttribute" => self.resize(parameters),
            "CreateTags" | "DeleteTags" => self.tag(action, parameters),
            "ImportKeyPair" => self.import_key(parameters),
            _ => refusal(400, "InvalidAction", "The action is not valid for this web service"),
        }
    }
}

const ZONES: &str = "<availabilityZoneInfo>\
    <item><zoneName>us-east-1a</zoneName><zoneState>available</zoneState><zoneId>use1-az1</zoneId></item>\
    <item><zoneName>us-east-1b</zoneName><zoneState>available</zoneState><zoneId>use1-az2</zoneId></item>\
    <item><zoneName>us-east-1c</zoneName><zoneState>impaired</zoneState><zoneId>use1-az3</zoneId></item>\
    </availabilityZoneInfo>";

impl Instance {
    fn look(&mut self) -> String {
        self.state.look();
        self.shown()
    }

    fn shown(&self) -> String {
        let tag = |(key, value): (&String, &String)| {
            format!("<item><key>{}</key><value>{}</value></item>", escaped(key), escaped(value))
        };
        let tags: String = self.tags.iter().map(tag).collect();
        let Self { id, image, kind, zone, octet, .. } = self;
        format!(
            "<instanceId>{id}</instanceId><imageId>{image}</imageId>\
             <instanceState><code>16</code><name>{}</name></instanceState><privateDnsName/><dnsName/><reason/>\
             <instanceType>{kind}</instanceType><launchTime>2026-07-21T18:37:44.000Z</launchTime>\
             <placement><availabilityZone>{zone}</availabilityZone><tenancy>default</tenancy></placement>\
             <subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><privateIpAddress>10.1.1.{octet}</privateIpAddress>\
             <ipAddress>203.0.113.{octet}</ipAddress><architecture>x86_64</architecture>\
             <rootDeviceType>ebs</rootDeviceType><tagSet>{tags}</tagSet><networkInterfaceSet><item>\
             <ipv6AddressesSet><item><ipv6Address>2600:1f18::{octet:x}</ipv6Address></item></ipv6AddressesSet>\
             <privateIpAddressesSet><item><privateIpAddress>10.1.1.{octet}</privateIpAddress>\
             <association><publicIp>203.0.113.{octet}</publicIp></association></item></privateIpAddressesSet>\
             </item></networkInterfaceSet>",
            self.state.now()
        )
    }
}

impl Service for Account {
    fn title(&self, request: &Request) -> Option<String> {
        parameters(request).remove("Action")
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let now = Timestamp::now().saturating_add(SignedDuration::from_secs(self.ahead)).unwrap_or_default();
        let may_write = match caller(request, &session_token(self.session), now) {
            Ok(KEY | ROLE_KEY) => true,
            Ok(_) => false,
            Err(refused) => {
                return refused.with("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
            }
        };
        let parameters = parameters(request);
        if text(&parameters, "Version") != "2016-11-15" {
            return refusal(400, "NoSuchVersion", "The requested version does not exist");
        }
        let action = text(&parameters, "Action").to_owned();
        match self.read(&action, &parameters) {
            Some(answer) => answer,
            None if may_write => self.write(&action, &parameters),
            None => self.refusal(403),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        match status {
            401 => auth_failure(),
            403 => refusal(403, "UnauthorizedOperation", "You are not authorized to perform this operation."),
            404 => no_such_instance("i-00000000"),
            // Too many calls are a 503 here.
            429 => refusal(503, "RequestLimitExceeded", "Request limit exceeded."),
            500 => refusal(500, "InternalError", "An internal error has occurred"),
            status => refusal(status, "Unavailable", "The service is unavailable. Please try again shortly."),
        }
    }
}

fn parameters(request: &Request) -> Parameters {
    request.form().into_iter().collect()
}

fn text<'a>(parameters: &'a Parameters, name: &str) -> &'a str {
    parameters.get(name).map_or("", String::as_str)
}

/// Whose call it is, if its signature is right and fresh.
fn caller(request: &Request, session: &str, now: Timestamp) -> Result<&'static str, Answer> {
    let authorization = request.header("authorization").unwrap_or_default();
    let scoped = |key: &str| authorization.starts_with(&format!("AWS4-HMAC-SHA256 Credential={key}/"));
    let key = [KEY, READ_ONLY, ROLE_KEY].into_iter().find(|key| scoped(key)).ok_or_else(auth_failure)?;
    let date = request.header("x-amz-date").unwrap_or_default();
    let then = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .and_then(|date| date.to_zoned(TimeZone::UTC))
        .map_err(|_| auth_failure())?;
    let then = SystemTime::from(then.timestamp());
    let skew = then.duration_since(now.into()).unwrap_or_else(|earlier| earlier.duration());
    if skew > MAX_SKEW {
        return Err(refusal(400, "RequestExpired", "Request has expired."));
    }
    let shown = request.header("x-amz-security-token");
    if key == ROLE_KEY && shown != Some(session) {
        return Err(refusal(400, "RequestExpired", "Request has expired."));
    }
    let right = expected(request, key, then).is_some_and(|right| right == authorization);
    if right { Ok(key) } else { Err(auth_failure()) }
}

/// The header that a call like this has, when it is signed with the secret.
fn expected(request: &Request, key: &str, then: SystemTime) -> Option<String> {
    let url = format!("http://{}/{}", request.header("host")?, request.path.join("/"));
    let mut same = reqwest::Request::new(request.method.parse().ok()?, url.parse().ok()?);
    if let Some(content_type) = request.header("content-type") {
        same.headers_mut().insert("content-type", content_type.parse().ok()?);
    }
    *same.body_mut() = Some(request.body.clone().into());
    let session = request.header("x-amz-security-token").map(str::to_owned);
    let headers = Signature::new(keys(key, SECRET, session), REGION).headers(&same, then).ok()?;
    headers.into_iter().find(|(name, _)| name == "authorization").map(|(_, value)| value)
}

/// The session tokens of the role, one after the other.
fn session_token(number: u32) -> String {
    format!("session-token-of-the-role-{number}")
}

fn answer(what: &str, body: &str) -> Answer {
    let whole = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <{what}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>{body}</{what}Response>"
    );
    Answer::text(200, "text/xml;charset=UTF-8", whole)
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{}</Message>\
         </Error></Errors><RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>",
        escaped(message)
    );
    Answer::text(status, "text/xml;charset=UTF-8", body)
}

fn auth_failure() -> Answer {
    refusal(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
}

fn no_such_instance(id: &str) -> Answer {
    refusal(400, "InvalidInstanceID.NotFound", &format!("The instance ID '{id}' does not exist"))
}

fn wrong_state(id: &str, state: &str) -> Answer {
    let message = format!("The instance '{id}' is not in a state from which it can do that: {state}");
    refusal(400, "IncorrectInstanceState", &message)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn kind(number: u32) -> String {
    format!("t3.{number}large")
}

/// Id and name of every image.
fn images() -> impl Iterator<Item = (String, String)> {
    (1..=9).map(|number| (format!("ami-{number:016x}"), format!("debian-12-amd64-2026010{number}")))
}
