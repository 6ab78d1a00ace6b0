//! The API v4: its calls and the types they carry.

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Base, Bearer, Call, HttpClient, NumberedPage, Repeat, Service, numbered_pages},
    machine::MachineOrder,
};

const SERVICE: Service = Service::json("Linode");

/// The most that a page holds, and the least.
const PAGE_SIZE: u32 = 500;
const SMALLEST_PAGE_SIZE: u32 = 25;

/// Bytes of chance in the password of root, which nobody is told.
const PASSWORD_BYTES: usize = 32;

#[derive(Debug, Deserialize)]
pub(super) struct Linode {
    pub(super) id: u64,
    pub(super) label: String,
    pub(super) status: String,
    pub(super) region: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) image: Option<String>,
    #[serde(default)]
    pub(super) ipv4: Vec<IpAddr>,
    /// With the length of its prefix behind it.
    pub(super) ipv6: Option<String>,
    pub(super) created: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) specs: Specs,
    pub(super) host_uuid: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Specs {
    pub(super) vcpus: Option<u32>,
    pub(super) memory: Option<u64>,
    pub(super) disk: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Image {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) vendor: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) is_public: bool,
    #[serde(default)]
    pub(super) deprecated: bool,
    /// In megabytes.
    pub(super) size: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Type {
    pub(super) id: String,
    pub(super) label: String,
    /// In megabytes.
    pub(super) disk: u64,
    /// In megabytes.
    pub(super) memory: u64,
    pub(super) vcpus: u32,
    pub(super) price: Option<Price>,
    pub(super) class: Option<String>,
    pub(super) gpus: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Price {
    pub(super) hourly: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Region {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) country: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vpc {
    pub(super) id: u64,
    pub(super) label: String,
    pub(super) region: Option<String>,
    #[serde(default)]
    pub(super) subnets: Vec<Subnet>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Subnet {
    pub(super) id: u64,
    pub(super) label: String,
    pub(super) ipv4: Option<String>,
}

/// A Linode to be made.
#[derive(Serialize)]
pub(super) struct NewLinode<'a> {
    label: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    region: &'a str,
    image: &'a str,
    root_pass: String,
    booted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorized_keys: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interfaces: Option<Value>,
}

impl<'a> NewLinode<'a> {
    pub(super) fn of(
        order: &'a MachineOrder,
        name: &'a str,
        region: &'a str,
        subnet: Option<u64>,
    ) -> Result<Self> {
        let user_data = order.user_data.as_deref();
        Ok(Self {
            label: name,
            kind: &order.size,
            region,
            image: &order.image,
            root_pass: password()?,
            booted: true,
            authorized_keys: order.public_key.as_deref().map(|key| [key]),
            metadata: user_data.map(|text| json!({"user_data": BASE64_STANDARD.encode(text)})),
            interfaces: subnet
                .map(|subnet| json!([{"purpose": "public"}, {"purpose": "vpc", "subnet_id": subnet}])),
        })
    }
}

/// The API wants a password for root with every image. Nobody gets to know this one.
fn password() -> Result<String> {
    let mut bytes = [0; PASSWORD_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Failed, "this system gives no random numbers").caused_by(e))?;
    // A mark, for rules that count kinds of characters.
    Ok(format!("{}-aA1", BASE64_STANDARD.encode(bytes)))
}

#[derive(Deserialize)]
struct Listed<T> {
    data: Vec<T>,
    pages: usize,
}

/// The calls.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    base: Base,
}

impl Api {
    pub(super) fn new(setup: &Setup, endpoint: &str) -> Result<Self> {
        let token = setup.credentials.required_secret("api_key")?.clone();
        let http = HttpClient::new(setup, SERVICE)?.signed_by(Arc::new(Bearer(token)));
        Ok(Self { http, base: Base::parse("endpoint", endpoint)?.below(&["v4"])? })
    }

    pub(super) async fn try_linodes(&self) -> Result<()> {
        let call = Call::get(self.base.at(&["linode", "instances"])?).query("page_size", SMALLEST_PAGE_SIZE);
        self.http.json::<Listed<Linode>>(call).await.map(drop)
    }

    pub(super) async fn linodes(&self) -> Result<Vec<Linode>> {
        self.list(&["linode", "instances"]).await
    }

    pub(super) async fn images(&self) -> Result<Vec<Image>> {
        self.list(&["images"]).await
    }

    pub(super) async fn types(&self) -> Result<Vec<Type>> {
        self.list(&["linode", "types"]).await
    }

    pub(super) async fn regions(&self) -> Result<Vec<Region>> {
        self.list(&["regions"]).await
    }

    pub(super) async fn vpcs(&self) -> Result<Vec<Vpc>> {
        self.list(&["vpcs"]).await
    }

    pub(super) async fn create(&self, linode: &NewLinode<'_>) -> Result<Linode> {
        let call = Call::post(self.base.at(&["linode", "instances"])?).json(linode)?.repeat(Repeat::Never);
        self.http.json(call).await
    }

    pub(super) async fn act(&self, id: u64, action: &str, body: &Value) -> Result<()> {
        let url = self.base.at(&["linode", "instances", &id.to_string(), action])?;
        self.http.send(Call::post(url).json(body)?).await.map(drop)
    }

    pub(super) async fn update(&self, id: u64, body: &Value) -> Result<()> {
        let call = Call::put(self.base.at(&["linode", "instances", &id.to_string()])?).repeat(Repeat::Always);
        self.http.send(call.json(body)?).await.map(drop)
    }

    pub(super) async fn destroy(&self, id: u64) -> Result<()> {
        let call = Call::delete(self.base.at(&["linode", "instances", &id.to_string()])?);
        self.http.send(call).await.map(drop)
    }

    async fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>> {
        let url = self.base.at(path)?;
        numbered_pages(async |page: usize| {
            let call = Call::get(url.clone()).query("page_size", PAGE_SIZE).query("page", page);
            let listed: Listed<T> = self.http.json(call).await?;
            Ok(NumberedPage { items: listed.data, last: listed.pages })
        })
        .await
    }
}
