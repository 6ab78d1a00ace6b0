//! The REST API 3.1: its calls and the types they carry.
//!
//! A method of a service is a path, `SERVICE/ID/METHOD.json`; parameters travel as a list. Answers hold what the object
//! mask asks for. Errors come with a code of more meaning than the status, which is mostly 500.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use reqwest::{Request, StatusCode, header::AUTHORIZATION};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    credentials::Secret,
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Auth, Base, Call, Complaint, HttpClient, Page, Repeat, Service, pages, set_secret},
};

const SERVICE: Service = Service { name: "SoftLayer", complaint };

/// Items that a page is asked for.
const LIMIT: usize = 200;

const GUEST: &str = "SoftLayer_Virtual_Guest";
const ACCOUNT: &str = "SoftLayer_Account";
const PACKAGES: &str = "SoftLayer_Product_Package";
const TEMPLATES: &str = "SoftLayer_Virtual_Guest_Block_Device_Template_Group";

/// The package that flavors belong to, and the order that changes one.
const PACKAGE: &str = "PUBLIC_CLOUD_SERVER";
const UPGRADE: &str = "SoftLayer_Container_Product_Order_Virtual_Guest_Upgrade";

/// What is asked of a virtual server. Its passwords are not.
const GUEST_MASK: &str = "mask[id,hostname,domain,fullyQualifiedDomainName,primaryIpAddress,\
    primaryBackendIpAddress,maxCpu,maxMemory,createDate,provisionDate,status[keyName],powerState[keyName],\
    activeTransaction[transactionStatus[name]],datacenter[name],tagReferences[tag[name]],\
    blockDeviceTemplateGroup[globalIdentifier,name],billingItem[orderItem[preset[keyName]]],\
    operatingSystem[softwareLicense[softwareDescription[referenceCode,longDescription]]]]";
const TEMPLATE_MASK: &str = "mask[id,name,globalIdentifier,summary,createDate]";
const VLAN_MASK: &str = "mask[id,name,vlanNumber,networkSpace,primaryRouter[datacenter[name]],subnets[id,networkIdentifier,cidr]]";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Guest {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) hostname: String,
    pub(super) fully_qualified_domain_name: Option<String>,
    pub(super) primary_ip_address: Option<IpAddr>,
    pub(super) primary_backend_ip_address: Option<IpAddr>,
    pub(super) max_cpu: Option<u32>,
    pub(super) max_memory: Option<u64>,
    pub(super) create_date: Option<String>,
    pub(super) provision_date: Option<String>,
    pub(super) status: Option<KeyName>,
    pub(super) power_state: Option<KeyName>,
    pub(super) active_transaction: Option<Value>,
    pub(super) datacenter: Option<Datacenter>,
    #[serde(default)]
    pub(super) tag_references: Vec<TagReference>,
    pub(super) block_device_template_group: Option<Template>,
    #[serde(default)]
    pub(super) billing_item: Value,
    #[serde(default)]
    pub(super) operating_system: Value,
    #[serde(default)]
    pub(super) supplemental_create_object_options: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyName {
    pub(super) key_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Datacenter {
    pub(super) name: String,
    pub(super) long_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TagReference {
    pub(super) tag: Tag,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Template {
    pub(super) global_identifier: Option<String>,
    pub(super) name: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) create_date: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vlan {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    pub(super) vlan_number: Option<u32>,
    /// `PUBLIC` or `PRIVATE`.
    pub(super) network_space: Option<String>,
    #[serde(default)]
    pub(super) primary_router: Value,
    #[serde(default)]
    pub(super) subnets: Vec<Subnet>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subnet {
    pub(super) id: u64,
    pub(super) network_identifier: String,
    pub(super) cidr: u8,
}

#[derive(Debug, Deserialize)]
pub(super) struct Key {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) key: String,
}

/// What an order may ask for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Options {
    #[serde(default)]
    pub(super) flavors: Vec<Value>,
    #[serde(default)]
    pub(super) operating_systems: Vec<Value>,
}

/// A flavor, as orders name it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Preset {
    pub(super) id: u64,
    pub(super) key_name: String,
}

struct Basic(Secret);

#[async_trait]
impl Auth for Basic {
    async fn sign(&self, request: &mut Request) -> Result<()> {
        set_secret(request, AUTHORIZATION, self.0.expose())
    }
}

/// The calls.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    base: Base,
}

impl Api {
    pub(super) fn new(setup: &Setup, endpoint: &str) -> Result<Self> {
        let given = &setup.credentials;
        let (user, key) = (given.required_text("username")?, given.required_secret("api_key")?.expose());
        let basic = Secret::new(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{key}"))));
        let http = HttpClient::new(setup, SERVICE)?;
        http.redactor().hide(basic.expose());
        let base = Base::parse("endpoint", endpoint)?.below(&["rest", "v3.1"])?;
        Ok(Self { http: http.signed_by(Arc::new(Basic(basic))), base })
    }

    pub(super) async fn try_guests(&self) -> Result<()> {
        let call = Call::get(self.base.at(&[ACCOUNT, "getVirtualGuests.json"])?);
        let call = call.query("objectMask", GUEST_MASK).query("resultLimit", "0,1");
        self.http.json::<Vec<Guest>>(call).await.map(drop)
    }

    pub(super) async fn guests(&self) -> Result<Vec<Guest>> {
        self.list(ACCOUNT, "getVirtualGuests", GUEST_MASK).await
    }

    pub(super) async fn private_templates(&self) -> Result<Vec<Template>> {
        self.list(ACCOUNT, "getPrivateBlockDeviceTemplateGroups", TEMPLATE_MASK).await
    }

    pub(super) async fn public_templates(&self) -> Result<Vec<Template>> {
        self.list(TEMPLATES, "getPublicImages", TEMPLATE_MASK).await
    }

    pub(super) async fn datacenters(&self) -> Result<Vec<Datacenter>> {
        self.list("SoftLayer_Location", "getDatacenters", "mask[name,longName]").await
    }

    pub(super) async fn vlans(&self) -> Result<Vec<Vlan>> {
        self.list(ACCOUNT, "getNetworkVlans", VLAN_MASK).await
    }

    pub(super) async fn keys(&self) -> Result<Vec<Key>> {
        self.list(ACCOUNT, "getSshKeys", "mask[id,key]").await
    }

    pub(super) async fn options(&self) -> Result<Options> {
        self.http.json(Call::get(self.base.at(&[GUEST, "getCreateObjectOptions.json"])?)).await
    }

    pub(super) async fn add_key(&self, label: &str, key: &str) -> Result<u64> {
        let call = Call::post(self.base.at(&["SoftLayer_Security_Ssh_Key", "createObject.json"])?);
        let made: Key =
            self.http.json(call.json(&json!({"parameters": [{"label": label, "key": key}]}))?).await?;
        Ok(made.id)
    }

    pub(super) async fn create(&self, guests: &[Value]) -> Result<Vec<Guest>> {
        let call = Call::post(self.base.at(&[GUEST, "createObjects.json"])?);
        let call = call.json(&json!({"parameters": [guests]}))?.repeat(Repeat::Never);
        self.http.json(call).await
    }

    /// Calls a method without parameters, which this API does by GET; that makes it no read.
    pub(super) async fn tell(&self, id: u64, method: &str) -> Result<()> {
        let url = self.base.at(&[GUEST, &id.to_string(), &format!("{method}.json")])?;
        self.http.send(Call::get(url).repeat(Repeat::Refused)).await.map(drop)
    }

    pub(super) async fn destroy(&self, id: u64) -> Result<()> {
        self.http.send(Call::delete(self.base.at(&[GUEST, &format!("{id}.json")])?)).await.map(drop)
    }

    pub(super) async fn edit(&self, id: u64, guest: &Value) -> Result<()> {
        let call = Call::put(self.base.at(&[GUEST, &format!("{id}.json")])?).repeat(Repeat::Always);
        self.http.send(call.json(&json!({"parameters": [guest]}))?).await.map(drop)
    }

    /// The flavors that are sold now.
    pub(super) async fn presets(&self) -> Result<Vec<Preset>> {
        #[derive(Deserialize)]
        struct Package {
            id: u64,
        }
        let filter = json!({"keyName": {"operation": PACKAGE}}).to_string();
        let call =
            Call::get(self.base.at(&[PACKAGES, "getAllObjects.json"])?).query("objectMask", "mask[id]");
        let found: Vec<Package> = self.http.json(call.query("objectFilter", filter)).await?;
        let none = || Error::new(ErrorKind::Failed, "SoftLayer sells no virtual servers to this account");
        let package = found.first().ok_or_else(none)?.id.to_string();
        self.list(&format!("{PACKAGES}/{package}"), "getActivePresets", "mask[id,keyName]").await
    }

    /// Orders another flavor for a virtual server, from now on.
    pub(super) async fn upgrade(&self, id: u64, preset: u64) -> Result<()> {
        let order = json!({
            "complexType": UPGRADE,
            "virtualGuests": [{"id": id}],
            "presetId": preset,
            "prices": [],
            "properties": [{"name": "MAINTENANCE_WINDOW", "value": Timestamp::now().to_string()}],
        });
        let call = Call::post(self.base.at(&["SoftLayer_Product_Order", "placeOrder.json"])?);
        let call = call.json(&json!({"parameters": [order]}))?.repeat(Repeat::Never);
        self.http.send(call).await.map(drop)
    }

    pub(super) async fn set_tags(&self, id: u64, tags: &str) -> Result<()> {
        let call =
            Call::post(self.base.at(&[GUEST, &id.to_string(), "setTags.json"])?).repeat(Repeat::Always);
        self.http.send(call.json(&json!({"parameters": [tags]}))?).await.map(drop)
    }

    /// A page tells by a header how many items there are in all; without it, a short page is the last.
    async fn list<T: DeserializeOwned>(&self, service: &str, method: &str, mask: &str) -> Result<Vec<T>> {
        let method = format!("{method}.json");
        let path: Vec<_> = service.split('/').chain([method.as_str()]).collect();
        let url = self.base.at(&path)?;
        pages(0, async |offset: usize| {
            let limit = format!("{offset},{LIMIT}");
            let call = Call::get(url.clone()).query("objectMask", mask).query("resultLimit", limit);
            let reply = self.http.send(call).await?;
            let items: Vec<T> = reply.json()?;
            let total = reply.header("softlayer-total-items").and_then(|total| total.parse().ok());
            let end = offset + items.len();
            let more = total.map_or(items.len() >= LIMIT, |total: usize| end < total) && !items.is_empty();
            Ok(Page { items, next: more.then_some(end) })
        })
        .await
    }
}

/// Reads `{"error": "...", "code": "SoftLayer_Exception_..."}`.
fn complaint(status: StatusCode, body: &[u8]) -> Complaint {
    #[derive(Default, Deserialize)]
    struct Refusal {
        error: Option<String>,
        #[serde(default)]
        code: String,
    }
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|word| refusal.code.contains(word));
    let kind = if says(&["ObjectNotFound"]) {
        Some(ErrorKind::NotFound)
    } else if says(&["InvalidLegacyToken", "InvalidUserLogin", "Unauthorized", "InvalidCredentials"]) {
        Some(ErrorKind::WrongCredentials)
    } else if says(&["AccessDenied", "PermissionDenied", "NotAllowed"]) {
        Some(ErrorKind::MissingRights)
    } else if says(&["RateLimitExceeded"]) {
        Some(ErrorKind::RateLimited)
    } else if status == StatusCode::INTERNAL_SERVER_ERROR && says(&["Exception_Public", "InvalidValue"]) {
        Some(ErrorKind::Invalid)
    } else {
        None
    };
    Complaint { message: refusal.error, kind }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::complaint;
    use crate::ErrorKind;

    #[test]
    fn the_code_tells_more_than_the_status() {
        let kind = |status: u16, code: &str| {
            let body = format!(r#"{{"error": "no", "code": "SoftLayer_Exception{code}"}}"#);
            complaint(StatusCode::from_u16(status).unwrap(), body.as_bytes()).kind
        };
        assert_eq!(kind(500, "_ObjectNotFound"), Some(ErrorKind::NotFound));
        assert_eq!(kind(401, "_InvalidLegacyToken"), Some(ErrorKind::WrongCredentials));
        assert_eq!(kind(500, "_User_Permission_AccessDenied"), Some(ErrorKind::MissingRights));
        assert_eq!(kind(500, "_Public"), Some(ErrorKind::Invalid));
        assert_eq!(kind(500, ""), None);
        assert_eq!(complaint(StatusCode::BAD_GATEWAY, b"<html>").kind, None);
    }
}
