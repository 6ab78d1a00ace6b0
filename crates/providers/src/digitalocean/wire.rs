//! The API v2: its calls and the types they carry.

use std::net::IpAddr;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Base, Bearer, Call, HttpClient, NumberedPage, Repeat, Service, numbered_pages},
    machine::MachineOrder,
};

const SERVICE: Service = Service::json("DigitalOcean");

/// The most that a page holds.
const PER_PAGE: u32 = 200;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Droplet {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) locked: bool,
    pub(super) memory: Option<u64>,
    pub(super) vcpus: Option<u32>,
    pub(super) disk: Option<u64>,
    pub(super) created_at: Option<String>,
    pub(super) image: Option<Image>,
    pub(super) size_slug: Option<String>,
    pub(super) region: Option<Region>,
    #[serde(default)]
    pub(super) networks: Networks,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    pub(super) vpc_uuid: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Networks {
    #[serde(default)]
    pub(super) v4: Vec<Address>,
    #[serde(default)]
    pub(super) v6: Vec<Address>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Address {
    pub(super) ip_address: IpAddr,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Image {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: String,
    pub(super) distribution: Option<String>,
    pub(super) slug: Option<String>,
    #[serde(default)]
    pub(super) public: bool,
    #[serde(default)]
    pub(super) regions: Vec<String>,
    pub(super) min_disk_size: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Size {
    pub(super) slug: String,
    pub(super) memory: u64,
    pub(super) vcpus: u32,
    pub(super) disk: u64,
    pub(super) price_hourly: Option<f64>,
    #[serde(default)]
    pub(super) regions: Vec<String>,
    #[serde(default)]
    pub(super) available: bool,
    pub(super) description: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Region {
    pub(super) slug: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) available: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vpc {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) region: Option<String>,
    pub(super) ip_range: Option<String>,
    #[serde(default)]
    pub(super) default: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Key {
    pub(super) id: u64,
    pub(super) public_key: String,
}

/// Droplets to be made: as many as there are names.
#[derive(Debug, Serialize)]
pub(super) struct NewDroplets<'a> {
    names: &'a [String],
    size: &'a str,
    image: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssh_keys: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_uuid: Option<&'a str>,
}

impl<'a> NewDroplets<'a> {
    pub(super) fn of(order: &'a MachineOrder, names: &'a [String], key: Option<u64>) -> Self {
        Self {
            names,
            size: &order.size,
            // Snapshots have a number, public images a word.
            image: order.image.parse::<u64>().map_or_else(|_| json!(order.image), |number| json!(number)),
            region: order.location.as_deref(),
            ssh_keys: key.into_iter().collect(),
            user_data: order.user_data.as_deref(),
            vpc_uuid: order.networks.first().map(String::as_str),
        }
    }
}

/// One page: a list under its noun's name, and links.
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    links: Links,
    #[serde(flatten)]
    nouns: Map<String, Value>,
}

#[derive(Default, Deserialize)]
struct Links {
    #[serde(default)]
    pages: PageLinks,
}

#[derive(Default, Deserialize)]
struct PageLinks {
    next: Option<String>,
    last: Option<String>,
}

impl PageLinks {
    /// The number of the last page, where these links stand on this one. They are not followed: what they say is enough.
    fn last_page(&self, page: usize) -> usize {
        if self.next.is_none() {
            return page;
        }
        let query = self.last.as_deref().and_then(|last| last.split_once('?')).map_or("", |(_, query)| query);
        let number = query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse().ok());
        number.unwrap_or(0).max(page + 1)
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
        let token = setup.credentials.required_secret("token")?.clone();
        let http = HttpClient::new(setup, SERVICE)?.signed_by(std::sync::Arc::new(Bearer(token)));
        Ok(Self { http, base: Base::parse("endpoint", endpoint)?.below(&["v2"])? })
    }

    pub(super) async fn try_droplets(&self) -> Result<()> {
        let call = Call::get(self.base.at(&["droplets"])?).query("per_page", 1);
        let page: Listed = self.http.json(call).await?;
        items::<Droplet>(page.nouns, "droplets").map(drop)
    }

    pub(super) async fn droplets(&self) -> Result<Vec<Droplet>> {
        self.list(&["droplets"], "droplets").await
    }

    pub(super) async fn images(&self) -> Result<Vec<Image>> {
        self.list(&["images"], "images").await
    }

    pub(super) async fn sizes(&self) -> Result<Vec<Size>> {
        self.list(&["sizes"], "sizes").await
    }

    pub(super) async fn regions(&self) -> Result<Vec<Region>> {
        self.list(&["regions"], "regions").await
    }

    pub(super) async fn vpcs(&self) -> Result<Vec<Vpc>> {
        self.list(&["vpcs"], "vpcs").await
    }

    pub(super) async fn keys(&self) -> Result<Vec<Key>> {
        self.list(&["account", "keys"], "ssh_keys").await
    }

    pub(super) async fn add_key(&self, name: &str, public_key: &str) -> Result<u64> {
        #[derive(Deserialize)]
        struct Made {
            ssh_key: Key,
        }
        let call = Call::post(self.base.at(&["account", "keys"])?);
        let made: Made = self.http.json(call.json(&json!({"name": name, "public_key": public_key}))?).await?;
        Ok(made.ssh_key.id)
    }

    pub(super) async fn droplet(&self, id: u64) -> Result<Droplet> {
        #[derive(Deserialize)]
        struct Shown {
            droplet: Droplet,
        }
        let call = Call::get(self.base.at(&["droplets", &id.to_string()])?);
        Ok(self.http.json::<Shown>(call).await?.droplet)
    }

    pub(super) async fn create(&self, droplets: &NewDroplets<'_>) -> Result<Vec<Droplet>> {
        #[derive(Deserialize)]
        struct Made {
            droplets: Vec<Droplet>,
        }
        let call = Call::post(self.base.at(&["droplets"])?).json(droplets)?.repeat(Repeat::Never);
        Ok(self.http.json::<Made>(call).await?.droplets)
    }

    pub(super) async fn act(&self, id: u64, action: &str, with: &[(&str, &str)]) -> Result<()> {
        let mut body = Map::from_iter([("type".to_owned(), json!(action))]);
        body.extend(with.iter().map(|&(name, value)| (name.to_owned(), json!(value))));
        let call = Call::post(self.base.at(&["droplets", &id.to_string(), "actions"])?).json(&body)?;
        self.http.send(call).await.map(drop)
    }

    pub(super) async fn destroy(&self, id: u64) -> Result<()> {
        self.http.send(Call::delete(self.base.at(&["droplets", &id.to_string()])?)).await.map(drop)
    }

    pub(super) async fn tag(&self, id: u64, tag: &str) -> Result<()> {
        let call = Call::post(self.base.at(&["tags"])?).json(&json!({"name": tag}))?.repeat(Repeat::Always);
        match self.http.send(call).await {
            // It may be there already. Whether it is, the next call tells.
            Err(error) if !matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Conflict) => Err(error),
            _ => self.tag_resource(Call::post, id, tag).await,
        }
    }

    pub(super) async fn untag(&self, id: u64, tag: &str) -> Result<()> {
        self.tag_resource(Call::delete, id, tag).await
    }

    async fn tag_resource(&self, method: fn(reqwest::Url) -> Call, id: u64, tag: &str) -> Result<()> {
        let resource = json!({"resource_id": id.to_string(), "resource_type": "droplet"});
        let call = method(self.base.at(&["tags", tag, "resources"])?).repeat(Repeat::Always);
        self.http.send(call.json(&json!({"resources": [resource]}))?).await.map(drop)
    }

    async fn list<T: DeserializeOwned>(&self, path: &[&str], noun: &str) -> Result<Vec<T>> {
        let url = self.base.at(path)?;
        numbered_pages(async |page: usize| {
            let call = Call::get(url.clone()).query("per_page", PER_PAGE).query("page", page);
            let listed: Listed = self.http.json(call).await?;
            Ok(NumberedPage { items: items(listed.nouns, noun)?, last: listed.links.pages.last_page(page) })
        })
        .await
    }
}

fn items<T: DeserializeOwned>(mut nouns: Map<String, Value>, noun: &str) -> Result<Vec<T>> {
    let malformed =
        || Error::new(ErrorKind::Malformed, format!("DigitalOcean's list of {noun} cannot be understood"));
    let items = nouns.remove(noun).ok_or_else(malformed)?;
    serde_json::from_value(items).map_err(|source| malformed().caused_by(source))
}

#[cfg(test)]
mod tests {
    use super::PageLinks;

    #[test]
    fn the_last_page_is_read_from_its_link() {
        let links = |last: Option<&str>| PageLinks { next: Some("x".into()), last: last.map(str::to_owned) };
        let base = "https://api.digitalocean.com/v2/droplets?";
        assert_eq!(links(Some(&format!("{base}page=9&per_page=200"))).last_page(1), 9);
        assert_eq!(links(Some(&format!("{base}per_page=200&page=9"))).last_page(1), 9);
        for odd in [None, Some("x"), Some("?page=x"), Some("?page=1"), Some("?page=99999999999999999999999")]
        {
            assert_eq!(links(odd).last_page(3), 4, "{odd:?}");
        }
        assert_eq!(PageLinks::default().last_page(3), 3);
    }
}
