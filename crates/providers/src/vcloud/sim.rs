//! A fake Director, after the published API: versions, both logins, the query service in pages of four, actions with
//! tasks. VMs take their time.

use std::io;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::fake::{Answer, FakeService, Request, Service, Slowly};

/// The login that the fake takes, user and organization.
pub const LOGIN: [&str; 2] = ["demo", "acme"];
/// The password that it takes.
pub const PASSWORD: &str = "correct horse battery staple";
/// The template that there is a VM in.
pub const TEMPLATE: &str = "vappTemplate-00000000-0000-0000-0000-000000000001";
/// Items on a page at the most.
const PAGE: usize = 4;
/// Looks at a VM, or at a task, that a change takes.
const LOOKS: u32 = 2;

/// Which age a Director is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// The newer login only.
    Today,
    /// The old login only, and an old version.
    Old,
}

/// A Director.
#[derive(Debug)]
pub struct Director {
    age: Age,
    origin: String,
    vms: Vec<Vm>,
    next: u32,
    session: u32,
    task: Slowly<&'static str>,
    /// Reboots that were asked for.
    pub reboots: usize,
    /// The documents of the orders that came.
    pub orders: Vec<String>,
    /// Logins that came.
    pub logins: usize,
}

#[derive(Debug)]
struct Vm {
    number: u32,
    vapp: u32,
    name: String,
    status: Slowly<&'static str>,
    cpus: u32,
    memory_mib: u32,
    tags: String,
}

impl Director {
    /// A Director with ten VMs; the second is off, and the last two are in one vApp.
    pub async fn start(age: Age) -> io::Result<FakeService<Self>> {
        FakeService::start(|address| {
            let vm = |number: u32| Vm {
                number,
                vapp: number.min(9),
                name: format!("web-{number}"),
                status: Slowly::still(if number == 2 { "POWERED_OFF" } else { "POWERED_ON" }),
                cpus: 1,
                memory_mib: 1024,
                tags: String::new(),
            };
            Self {
                age,
                origin: format!("http://{address}"),
                vms: (1..=10).map(vm).collect(),
                next: 10,
                session: 1,
                task: Slowly::still("success"),
                reboots: 0,
                orders: Vec::new(),
                logins: 0,
            }
        })
        .await
    }

    /// Takes no session any more that it gave so far.
    pub fn expire_sessions(&mut self) {
        self.session += 1;
    }

    fn token(&self) -> String {
        format!("session-token-number-{}", self.session)
    }

    fn version(&self) -> &'static str {
        if self.age == Age::Old { "5.1" } else { "38.0" }
    }

    fn versions(&self) -> Answer {
        let numbers: &[&str] = if self.age == Age::Old {
            &["1.5", "5.1"]
        } else {
            &["36.3", "37.2", "38.0", "99.0", "99.0.0-alpha"]
        };
        let info = |number: &&str| {
            format!(
                "<VersionInfo deprecated=\"false\"><Version>{number}</Version><LoginUrl>x</LoginUrl></VersionInfo>"
            )
        };
        let all: String = numbers.iter().map(info).collect();
        xml(
            200,
            &format!(
                "<SupportedVersions xmlns=\"http://www.vmware.com/vcloud/versions\">{all}</SupportedVersions>"
            ),
        )
    }

    fn log_in(&mut self, request: &Request) -> Answer {
        self.logins += 1;
        let [user, organization] = LOGIN;
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}@{organization}:{PASSWORD}")));
        if request.header("authorization") != Some(basic.as_str()) {
            return self.refusal(401);
        }
        if self.age == Age::Old {
            return xml(200, "<Session user=\"demo\" org=\"acme\"/>")
                .with("x-vcloud-authorization", self.token());
        }
        let answer = Answer::json(200, &json!({"user": {"name": "demo"}, "org": {"name": "acme"}}));
        answer.with("x-vmware-vcloud-access-token", self.token()).with("x-vmware-vcloud-token-type", "Bearer")
    }

    fn is_logged_in(&self, request: &Request) -> bool {
        let accept = format!("application/*+xml;version={}", self.version());
        let token = match self.age {
            Age::Old => request.header("x-vcloud-authorization") == Some(self.token().as_str()),
            Age::Today => {
                request.header("authorization") == Some(format!("Bearer {}", self.token()).as_str())
            }
        };
        token && request.header("accept") == Some(accept.as_str())
    }

    fn query(&mut self, request: &Request) -> Answer {
        let records: Vec<String> = match request.query("type") {
            Some("vm") if request.query("fields") == Some("name,metadata:roadstead.tags") => {
                self.vms.iter().map(|vm| vm.tagged(&self.origin)).collect()
            }
            Some("vm") => {
                for vm in &mut self.vms {
                    vm.status.look();
                }
                self.vms.iter().map(|vm| vm.record(&self.origin)).collect()
            }
            Some("vAppTemplate") => {
                self.others("VAppTemplateRecord", "vAppTemplate/vappTemplate", "catalogName=\"public\"")
            }
            Some("orgVdc") => self.others("OrgVdcRecord", "vdc/", ""),
            Some("orgVdcNetwork") if self.age == Age::Today => self.others(
                "OrgVdcNetworkRecord",
                "network/",
                "defaultGateway=\"10.1.2.1\" netmask=\"255.255.255.0\"",
            ),
            Some("orgNetwork") if self.age == Age::Old => {
                self.others("OrgNetworkRecord", "network/", "gateway=\"10.1.2.1\" netmask=\"255.255.255.0\"")
            }
            _ => return error(400, "BAD_REQUEST", "The query type is not valid."),
        };
        let size = request.query_number("pageSize").unwrap_or(25).clamp(1, PAGE);
        let page = request.query_number("page").unwrap_or(1).max(1);
        let shown: String = records.iter().skip((page - 1) * size).take(size).map(String::as_str).collect();
        xml(
            200,
            &format!(
                "<QueryResultRecords xmlns=\"http://www.vmware.com/vcloud/v1.5\" total=\"{}\" pageSize=\"{size}\" \
             page=\"{page}\"><Link rel=\"alternate\" href=\"x\"/>{shown}</QueryResultRecords>",
                records.len()
            ),
        )
    }

    fn others(&self, element: &str, path: &str, attributes: &str) -> Vec<String> {
        let dash = if path.ends_with('/') { "" } else { "-" };
        let record = |number: u32| {
            format!(
                "<{element} href=\"{}/api/{path}{dash}00000000-0000-0000-0000-{number:012}\" name=\"thing {number}\" {attributes}/>",
                self.origin
            )
        };
        (1..=9).map(record).collect()
    }

    fn compose(&mut self, request: &Request) -> Answer {
        let order = String::from_utf8_lossy(&request.body).into_owned();
        let name = order.split(" name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        if !order.contains("/api/vApp/vm-template\"") || name.is_empty() {
            return error(400, "BAD_REQUEST", "The order names no source.");
        }
        self.next += 1;
        let made = if order.contains(" powerOn=\"false\"") { "POWERED_OFF" } else { "POWERED_ON" };
        let status = Slowly::towards("UNRESOLVED", made, LOOKS);
        let (number, name) = (self.next, name.to_owned());
        let tags = String::new();
        self.vms.push(Vm {
            number,
            vapp: number,
            name: name.clone(),
            status,
            cpus: 1,
            memory_mib: 1024,
            tags,
        });
        self.orders.push(order.clone());
        xml(
            201,
            &format!(
                "<VApp href=\"{}/api/vApp/vapp-{}\" name=\"{name}\" status=\"0\"/>",
                self.origin, self.next
            ),
        )
    }

    fn vapp(&mut self, request: &Request, id: &str, action: &[&str]) -> Answer {
        let is_it = |vm: &Vm| vm.id() == id || format!("vapp-{}", vm.vapp) == id;
        let Some(index) = self.vms.iter().position(is_it) else {
            return error(
                403,
                "ACCESS_TO_RESOURCE_IS_FORBIDDEN",
                "No access to entity com.vmware.vcloud.entity.vm",
            );
        };
        let vm = &mut self.vms[index];
        match (request.method.as_str(), action, *vm.status.now()) {
            ("POST", ["power", "action", "powerOn"], "POWERED_OFF") => {
                vm.status = Slowly::towards("POWERED_OFF", "POWERED_ON", LOOKS);
            }
            ("POST", ["power", "action", "shutdown"], "POWERED_ON") => {
                vm.status = Slowly::towards("POWERED_ON", "POWERED_OFF", LOOKS);
            }
            ("POST", ["power", "action", "reboot"], "POWERED_ON") => self.reboots += 1,
            ("POST", ["action", "undeploy"], _) => {
                vm.status = Slowly::still("POWERED_OFF");
                self.task = Slowly::towards("running", "success", LOOKS);
            }
            ("POST", ["action", "reconfigureVm"], _) => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                let name = body.split(" name=\"").nth(1).and_then(|rest| rest.split('"').next());
                vm.name = name.unwrap_or_default().to_owned();
            }
            ("PUT", ["virtualHardwareSection", piece], "POWERED_OFF") => {
                let item = String::from_utf8_lossy(&request.body).into_owned();
                let quantity = between(&item, "<rasd:VirtualQuantity>").parse().unwrap_or_default();
                match (*piece, between(&item, "<rasd:ResourceType>")) {
                    ("cpu", "3") => vm.cpus = quantity,
                    ("memory", "4") => vm.memory_mib = quantity,
                    _ => return error(400, "BAD_REQUEST", "The item is of another kind."),
                }
                self.task = Slowly::towards("running", "success", LOOKS);
            }
            ("POST", ["metadata"], _) => {
                let document = String::from_utf8_lossy(&request.body).into_owned();
                if between(&document, "<Key>") != "roadstead.tags" {
                    return error(400, "BAD_REQUEST", "The metadata has no key.");
                }
                between(&document, "<Value>").clone_into(&mut vm.tags);
                self.task = Slowly::towards("running", "success", LOOKS);
            }
            ("DELETE", [], "POWERED_OFF") => self.vms.retain(|vm| !is_it(vm)),
            (_, _, status) => {
                return error(400, "BAD_REQUEST", &format!("It is {status}, which does not allow this."));
            }
        }
        xml(202, &format!("<Task href=\"{}/api/task/7\" status=\"running\"/>", self.origin))
    }
}

impl Vm {
    fn id(&self) -> String {
        format!("vm-00000000-0000-0000-0000-{:012}", self.number)
    }

    fn record(&self, origin: &str) -> String {
        let status = self.status.now();
        format!(
            "<VMRecord href=\"{origin}/api/vApp/{}\" name=\"{}\" status=\"{status}\" isDeployed=\"{}\" \
             container=\"{origin}/api/vApp/vapp-{}\" containerName=\"vapp\" guestOs=\"Debian GNU/Linux 12\" \
             ipAddress=\"10.1.2.{}\" numberOfCpus=\"{}\" memoryMB=\"{}\" isVAppTemplate=\"false\" \
             vdc=\"{origin}/api/vdc/00000000-0000-0000-0000-000000000001\"/>",
            self.id(),
            self.name,
            *status != "POWERED_OFF",
            self.vapp,
            self.number,
            self.cpus,
            self.memory_mib,
        )
    }

    /// The record of a query that asks for nothing but the name and the tags, which are escaped as they came.
    fn tagged(&self, origin: &str) -> String {
        let entry = match self.tags.as_str() {
            "" => String::new(),
            tags => format!(
                "<Metadata href=\"x\"><MetadataEntry><Key>roadstead.tags</Key><TypedValue type=\"MetadataStringValue\">\
                 <Value>{tags}</Value></TypedValue></MetadataEntry></Metadata>"
            ),
        };
        let (id, name) = (self.id(), &self.name);
        format!("<VMRecord href=\"{origin}/api/vApp/{id}\" name=\"{name}\">{entry}</VMRecord>")
    }
}

impl Service for Director {
    fn answer(&mut self, request: &Request) -> Answer {
        let old = self.age == Age::Old;
        let segments = request.segments();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["api", "versions"]) => return self.versions(),
            ("POST", ["cloudapi", "1.0.0", "sessions"]) if !old => return self.log_in(request),
            ("POST", ["api", "sessions"]) if old => return self.log_in(request),
            _ if !self.is_logged_in(request) => return self.refusal(401),
            _ => {}
        }
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["api", "query"]) => self.query(request),
            ("GET", ["api", "vAppTemplate", TEMPLATE]) => xml(
                200,
                &format!(
                    "<VAppTemplate name=\"debian\"><Children><Vm href=\"{}/api/vApp/vm-template\" name=\"debian\"/></Children>\
                 </VAppTemplate>",
                    self.origin
                ),
            ),
            ("GET", ["api", "task", _]) => {
                let status = self.task.look();
                xml(200, &format!("<Task href=\"{}/api/task/7\" status=\"{status}\"/>", self.origin))
            }
            ("POST", ["api", "vdc", _, "action", "composeVApp"]) => self.compose(request),
            (_, ["api", "vApp", id, action @ ..]) => self.vapp(request, id, action),
            _ => self.refusal(404),
        }
    }

    fn refusal(&self, status: u16) -> Answer {
        let code = match status {
            401 => "UNAUTHORIZED",
            403 => "ACCESS_TO_RESOURCE_IS_FORBIDDEN",
            404 => "NOT_FOUND",
            _ => "INTERNAL_SERVER_ERROR",
        };
        error(status, code, "The operation failed.")
    }
}

/// What stands after this tag, up to the next.
fn between<'a>(document: &'a str, tag: &str) -> &'a str {
    document.split(tag).nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default()
}

fn xml(status: u16, body: &str) -> Answer {
    let whole = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    Answer::text(status, "application/vnd.vmware.vcloud+xml", whole)
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    xml(
        status,
        &format!(
            "<Error xmlns=\"http://www.vmware.com/vcloud/v1.5\" majorErrorCode=\"{status}\" minorErrorCode=\"{code}\" \
         message=\"{message}\"/>"
        ),
    )
}
