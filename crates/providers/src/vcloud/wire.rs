//! The calls: the query service, actions, tasks.

use std::{net::IpAddr, sync::Arc};

use reqwest::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};

use super::{session::Sessions, shape::TAGS};
use crate::{
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Base, Call, Complaint, HttpClient, NumberedPage, Repeat, Reply, Service, numbered_pages},
};

const SERVICE: Service = Service { name: "The Director", complaint };

/// The most that a page holds.
const PAGE_SIZE: usize = 128;

const COMPOSE: &str = "application/vnd.vmware.vcloud.composeVAppParams+xml";
const UNDEPLOY: &str = "application/vnd.vmware.vcloud.undeployVAppParams+xml";
const VM: &str = "application/vnd.vmware.vcloud.vm+xml";
const ITEM: &str = "application/vnd.vmware.vcloud.rasdItem+xml";
const METADATA: &str = "application/vnd.vmware.vcloud.metadata+xml";

/// A record of the query service. Each type has some of these attributes.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Record {
    #[serde(rename = "@href")]
    pub(super) href: String,
    #[serde(default, rename = "@name")]
    pub(super) name: String,
    #[serde(rename = "@status")]
    pub(super) status: Option<String>,
    /// The address of the vApp.
    #[serde(rename = "@container")]
    pub(super) container: Option<String>,
    #[serde(rename = "@containerName")]
    pub(super) container_name: Option<String>,
    #[serde(rename = "@vdc")]
    pub(super) vdc: Option<String>,
    #[serde(rename = "@ipAddress")]
    pub(super) ip_address: Option<IpAddr>,
    #[serde(rename = "@numberOfCpus")]
    pub(super) cpus: Option<u32>,
    #[serde(rename = "@memoryMB")]
    pub(super) memory_mib: Option<u64>,
    #[serde(rename = "@guestOs")]
    pub(super) guest_os: Option<String>,
    #[serde(rename = "@isDeployed")]
    pub(super) deployed: Option<bool>,
    #[serde(rename = "@dateCreated", alias = "@creationDate")]
    pub(super) created: Option<String>,
    #[serde(rename = "@catalogName")]
    pub(super) catalog: Option<String>,
    #[serde(rename = "@defaultGateway", alias = "@gateway")]
    pub(super) gateway: Option<IpAddr>,
    #[serde(rename = "@netmask")]
    pub(super) netmask: Option<IpAddr>,
    /// What was asked for of what people wrote down about it.
    #[serde(default, rename = "Metadata")]
    metadata: Metadata,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "MetadataEntry")]
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
struct Entry {
    #[serde(default, rename = "Key")]
    key: String,
    #[serde(default, rename = "TypedValue")]
    typed: Typed,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Typed {
    #[serde(default, rename = "Value")]
    value: String,
}

impl Record {
    /// The end of its address.
    pub(super) fn id(&self) -> &str {
        end_of(&self.href)
    }

    /// The id of the vApp that it is in.
    pub(super) fn container_id(&self) -> Option<&str> {
        self.container.as_deref().map(end_of)
    }

    /// What was written down about it under this name.
    pub(super) fn value_of(&self, name: &str) -> Option<&str> {
        let entry = self.metadata.entries.iter().find(|entry| entry.key == name);
        entry.map(|entry| entry.typed.value.as_str())
    }

    /// Whether it holds resources, which it has to give back before it goes.
    pub(super) fn is_deployed(&self) -> bool {
        self.deployed.unwrap_or_else(|| self.status.as_deref() != Some("POWERED_OFF"))
    }
}

/// The last segment of an address.
pub(super) fn end_of(href: &str) -> &str {
    href.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Where something is.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reference {
    #[serde(rename = "@href")]
    pub(super) href: String,
    #[serde(default, rename = "@name")]
    pub(super) name: String,
    #[serde(rename = "@status")]
    status: Option<String>,
}

#[derive(Deserialize)]
struct Records {
    /// Always there, so that another document is not taken for an empty list.
    #[serde(rename = "@total")]
    total: usize,
    #[serde(rename = "@pageSize")]
    page_size: Option<usize>,
    #[serde(
        default,
        rename = "VMRecord",
        alias = "VAppTemplateRecord",
        alias = "OrgVdcRecord",
        alias = "OrgVdcNetworkRecord",
        alias = "OrgNetworkRecord"
    )]
    all: Vec<Record>,
}

#[derive(Deserialize)]
struct Template {
    #[serde(default, rename = "Children")]
    children: Children,
}

#[derive(Default, Deserialize)]
struct Children {
    #[serde(default, rename = "Vm")]
    vms: Vec<Reference>,
}

/// The calls.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    base: Base,
}

impl Api {
    pub(super) fn new(setup: &Setup, host: &str) -> Result<Self> {
        let given = &setup.credentials;
        let (user, password) = (given.required_text("username")?, given.required_secret("password")?);
        let login = match given.text("organization") {
            Some(organization) if !user.contains('@') => format!("{user}@{organization}"),
            _ if user.contains('@') => user.to_owned(),
            _ => return Err(Error::invalid("organization", "is missing")),
        };
        // People give the address of the portal, which has a path of its own.
        let given_url = Base::parse("host", host)?;
        let base = Base::parse("host", &given_url.url().origin().ascii_serialization())?;
        let http = HttpClient::new(setup, SERVICE)?;
        let sessions = Sessions::new(http.clone(), base.clone(), &login, password.expose());
        Ok(Self { http: http.signed_by(Arc::new(sessions)), base })
    }

    pub(super) async fn try_vms(&self) -> Result<()> {
        self.page("vm", 1, 1, None).await.map(drop)
    }

    /// Every VM that is none of a template.
    pub(super) async fn vms(&self) -> Result<Vec<Record>> {
        self.records("vm").await
    }

    /// Every VM once more, with its tags. They are asked for apart: a query that asks for metadata shows only what it
    /// names, and not all that there is to see of a VM can be named. A Director too old to have tags has none.
    pub(super) async fn tagged(&self) -> Result<Vec<Record>> {
        let fields = format!("name,metadata:{TAGS}");
        match self.list("vm", Some(&fields)).await {
            Err(error) if error.kind() == ErrorKind::Invalid => Ok(Vec::new()),
            outcome => outcome,
        }
    }

    /// The networks of the organization. Before version 5.1 they had another name.
    pub(super) async fn networks(&self) -> Result<Vec<Record>> {
        match self.records("orgVdcNetwork").await {
            Err(error) if error.kind() == ErrorKind::Invalid => self.records("orgNetwork").await,
            outcome => outcome,
        }
    }

    /// Every record of this type.
    pub(super) async fn records(&self, kind: &str) -> Result<Vec<Record>> {
        self.list(kind, None).await
    }

    /// Every record of this type, with all that it has or only these fields.
    async fn list(&self, kind: &str, fields: Option<&str>) -> Result<Vec<Record>> {
        numbered_pages(async |number: usize| {
            let page = self.page(kind, number, PAGE_SIZE, fields).await?;
            let size = page.page_size.unwrap_or(PAGE_SIZE).max(1);
            let last = if page.all.is_empty() { number } else { page.total.div_ceil(size) };
            Ok(NumberedPage { items: page.all, last })
        })
        .await
    }

    async fn page(&self, kind: &str, number: usize, size: usize, fields: Option<&str>) -> Result<Records> {
        let call = Call::get(self.base.at(&["api", "query"])?).query("type", kind).query("format", "records");
        let call = call.query("page", number).query("pageSize", size);
        let call = if kind == "vm" { call.query("filter", "isVAppTemplate==false") } else { call };
        let call = if let Some(fields) = fields { call.query("fields", fields) } else { call };
        xml(&self.http.send(call).await?)
    }

    /// The VM of a template that has one.
    pub(super) async fn template_vm(&self, template: &str) -> Result<Reference> {
        let call = Call::get(self.base.at(&["api", "vAppTemplate", template])?);
        let outcome = self.http.send(call).await;
        let reply = outcome.map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::invalid("image", "names no template").caused_by(error),
            _ => error,
        })?;
        let mut vms = xml::<Template>(&reply)?.children.vms;
        if vms.len() != 1 {
            return Err(Error::invalid("image", "names a template that is not of one machine"));
        }
        Ok(vms.remove(0))
    }

    /// Has a vApp made; returns its id.
    pub(super) async fn compose(&self, vdc: &str, document: &str) -> Result<String> {
        let call = Call::post(self.base.at(&["api", "vdc", vdc, "action", "composeVApp"])?);
        let reply = self.http.send(call.body(COMPOSE, document).repeat(Repeat::Never)).await?;
        Ok(end_of(&xml::<Reference>(&reply)?.href).to_owned())
    }

    pub(super) async fn power(&self, id: &str, action: &str) -> Result<Reply> {
        let call = Call::post(self.base.at(&["api", "vApp", id, "power", "action", action])?);
        self.http.send(call).await
    }

    /// Has resources given back; returns the id of the task.
    pub(super) async fn undeploy(&self, id: &str) -> Result<String> {
        let call = Call::post(self.base.at(&["api", "vApp", id, "action", "undeploy"])?);
        self.task_of(call.body(UNDEPLOY, super::params::undeploy())).await
    }

    pub(super) async fn delete(&self, id: &str) -> Result<()> {
        self.http.send(Call::delete(self.base.at(&["api", "vApp", id])?)).await.map(drop)
    }

    pub(super) async fn reconfigure(&self, id: &str, document: &str) -> Result<()> {
        let call = Call::post(self.base.at(&["api", "vApp", id, "action", "reconfigureVm"])?);
        self.http.send(call.body(VM, document)).await.map(drop)
    }

    /// Gives a machine another piece of hardware, `cpu` or `memory`; returns the id of the task.
    pub(super) async fn set_hardware(&self, id: &str, piece: &str, document: &str) -> Result<String> {
        let call = Call::put(self.base.at(&["api", "vApp", id, "virtualHardwareSection", piece])?);
        self.task_of(call.body(ITEM, document)).await
    }

    /// Writes something down about a machine; returns the id of the task.
    pub(super) async fn set_metadata(&self, id: &str, document: &str) -> Result<String> {
        let call = Call::post(self.base.at(&["api", "vApp", id, "metadata"])?);
        self.task_of(call.body(METADATA, document)).await
    }

    async fn task_of(&self, call: Call) -> Result<String> {
        let reply = self.http.send(call).await?;
        Ok(end_of(&xml::<Reference>(&reply)?.href).to_owned())
    }

    /// How far a task is: `queued`, `running`, `success`, `error` and the like.
    pub(super) async fn task(&self, id: &str) -> Result<String> {
        let reply = self.http.send(Call::get(self.base.at(&["api", "task", id])?)).await?;
        xml::<Reference>(&reply)?.status.ok_or_else(|| reply.malformed())
    }
}

fn xml<T: DeserializeOwned>(reply: &Reply) -> Result<T> {
    let text = str::from_utf8(&reply.body).map_err(|e| reply.malformed().caused_by(e))?;
    quick_xml::de::from_str(text).map_err(|e| reply.malformed().caused_by(e))
}

/// Reads a refusal, in XML or, from the newer API, in JSON.
fn complaint(_: StatusCode, body: &[u8]) -> Complaint {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Refusal {
        #[serde(rename = "@message", alias = "message")]
        message: Option<String>,
        #[serde(rename = "@minorErrorCode", alias = "minorErrorCode")]
        code: Option<String>,
    }
    let text = String::from_utf8_lossy(body);
    let refusal: Option<Refusal> = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).ok()
    } else {
        quick_xml::de::from_str(&text).ok()
    };
    let Refusal { message, code } = refusal.unwrap_or_default();
    let says = |words: &str| message.as_deref().is_some_and(|message| message.contains(words));
    let kind = match code.as_deref() {
        Some("BUSY_ENTITY" | "OPERATION_DENIED" | "INVALID_STATE") => Some(ErrorKind::Conflict),
        // What is not there and what is somebody else's are answered alike.
        Some("ACCESS_TO_RESOURCE_IS_FORBIDDEN") if says("No access to entity") => Some(ErrorKind::NotFound),
        _ => None,
    };
    Complaint { message, kind }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use reqwest::StatusCode;

    use super::{Records, complaint};
    use crate::ErrorKind;

    #[test]
    fn refusals_are_read_in_both_languages() {
        let xml =
            br#"<?xml version="1.0"?><Error xmlns="http://www.vmware.com/vcloud/v1.5" majorErrorCode="403"
            minorErrorCode="ACCESS_TO_RESOURCE_IS_FORBIDDEN" message="No access to entity x"/>"#;
        assert_eq!(complaint(StatusCode::FORBIDDEN, xml).kind, Some(ErrorKind::NotFound));
        let json = br#"{"minorErrorCode": "BUSY_ENTITY", "message": "busy", "stackTrace": null}"#;
        let found = complaint(StatusCode::BAD_REQUEST, json);
        assert_eq!((found.kind, found.message.as_deref()), (Some(ErrorKind::Conflict), Some("busy")));
    }

    proptest! {
        #[test]
        fn no_document_makes_it_panic(text in any::<String>(), tags in "(<[a-zA-Z/ =\"@]{0,12}>){0,20}") {
            let _ = quick_xml::de::from_str::<Records>(&text);
            let _ = quick_xml::de::from_str::<Records>(&tags);
            let _ = complaint(StatusCode::BAD_REQUEST, tags.as_bytes());
        }
    }
}
