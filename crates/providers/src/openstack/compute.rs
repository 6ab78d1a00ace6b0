//! Nova: servers, flavors, availability zones and key pairs.
//!
//! Where the service has microversions and reaches 2.26, that one is spoken: servers have tags from there on, and
//! flavors still have ids (2.47 takes them away). Elsewhere, as on Rackspace, tags are kept in a server's metadata.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::identity::Identity;
use crate::{
    error::{ErrorKind, Result},
    http::{Call, HttpClient, Page, Repeat, pages},
    machine::MachineOrder,
};

/// The least microversion with tags, and the one that is spoken.
const WITH_TAGS: (u32, u32) = (2, 26);
/// Where tags are kept where there are none: a list with commas.
const TAGS_KEY: &str = "roadstead_tags";
/// Items that a page is asked for. Clouds give fewer if they like.
const LIMIT: u32 = 200;
/// Lines of the console that are read.
const CONSOLE_LINES: u32 = 1000;

#[derive(Debug, Deserialize)]
pub(super) struct Server {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) status: String,
    #[serde(rename = "OS-EXT-STS:task_state")]
    pub(super) task: Option<String>,
    #[serde(rename = "OS-EXT-AZ:availability_zone")]
    pub(super) zone: Option<String>,
    #[serde(default)]
    pub(super) addresses: BTreeMap<String, Vec<Address>>,
    /// An empty text for servers that boot from a volume.
    #[serde(default)]
    pub(super) image: Value,
    #[serde(default)]
    pub(super) flavor: Value,
    pub(super) created: Option<String>,
    pub(super) key_name: Option<String>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, Value>,
    /// Only with microversions.
    pub(super) tags: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Address {
    pub(super) addr: IpAddr,
    /// `fixed` or `floating`.
    #[serde(rename = "OS-EXT-IPS:type")]
    pub(super) kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Flavor {
    pub(super) id: String,
    pub(super) name: String,
    /// In mebibytes.
    pub(super) ram: u64,
    /// In gibibytes.
    pub(super) disk: u64,
    pub(super) vcpus: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Zone {
    #[serde(rename = "zoneName")]
    pub(super) name: String,
    #[serde(rename = "zoneState")]
    pub(super) state: ZoneState,
}

#[derive(Debug, Deserialize)]
pub(super) struct ZoneState {
    pub(super) available: bool,
}

/// A list: its items under their noun, and links under the noun and `_links`.
type Listed = Map<String, Value>;

impl Server {
    /// Its tags, wherever they are kept.
    pub(super) fn all_tags(&self) -> Vec<String> {
        let kept = || {
            let text = self.metadata.get(TAGS_KEY).and_then(Value::as_str).unwrap_or_default();
            text.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
        };
        self.tags.clone().unwrap_or_else(kept)
    }
}

/// The calls.
pub(super) struct Compute {
    http: HttpClient,
    identity: Arc<Identity>,
    has_tags: OnceCell<bool>,
}

impl Compute {
    pub(super) fn new(http: HttpClient, identity: Arc<Identity>) -> Self {
        Self { http, identity, has_tags: OnceCell::new() }
    }

    pub(super) async fn try_servers(&self) -> Result<()> {
        let call = Call::get(self.url(&["servers"]).await?).query("limit", 1);
        self.http.json::<Listed>(call).await.map(drop)
    }

    pub(super) async fn servers(&self) -> Result<Vec<Server>> {
        let found = self.list(&["servers", "detail"], "servers", |server: &Server| server.id.clone()).await?;
        Ok(found.into_iter().filter(|server| server.status != "DELETED").collect())
    }

    pub(super) async fn server(&self, id: &str) -> Result<Server> {
        #[derive(Deserialize)]
        struct Shown {
            server: Server,
        }
        let call = self.versioned(Call::get(self.url(&["servers", id]).await?)).await?;
        Ok(self.http.json::<Shown>(call).await?.server)
    }

    pub(super) async fn flavors(&self) -> Result<Vec<Flavor>> {
        self.list(&["flavors", "detail"], "flavors", |flavor: &Flavor| flavor.id.clone()).await
    }

    pub(super) async fn zones(&self) -> Result<Vec<Zone>> {
        #[derive(Deserialize)]
        struct Zones {
            #[serde(rename = "availabilityZoneInfo")]
            zones: Vec<Zone>,
        }
        let call = Call::get(self.url(&["os-availability-zone"]).await?);
        Ok(self.http.json::<Zones>(call).await?.zones)
    }

    /// Makes a server, and returns its id. The password of its administrator, which the answer holds, is dropped.
    pub(super) async fn create(&self, order: &MachineOrder, name: &str, key: Option<&str>) -> Result<String> {
        #[derive(Deserialize)]
        struct Made {
            server: Id,
        }
        #[derive(Deserialize)]
        struct Id {
            id: String,
        }
        let mut server = json!({"name": name, "imageRef": order.image, "flavorRef": order.size});
        if !order.networks.is_empty() {
            let join = |network: &String| json!({"uuid": network});
            server["networks"] = order.networks.iter().map(join).collect();
        }
        for (place, text) in [("key_name", key), ("availability_zone", order.location.as_deref())] {
            if let Some(text) = text {
                server[place] = json!(text);
            }
        }
        if let Some(user_data) = &order.user_data {
            server["user_data"] = json!(BASE64_STANDARD.encode(user_data));
            // Not every cloud has a metadata service; cloud-init looks in both places.
            server["config_drive"] = json!(true);
        }
        let call = Call::post(self.url(&["servers"]).await?).json(&json!({"server": server}))?;
        Ok(self.http.json::<Made>(call.repeat(Repeat::Never)).await?.server.id)
    }

    pub(super) async fn act(&self, id: &str, action: &Value) -> Result<()> {
        let call = Call::post(self.url(&["servers", id, "action"]).await?).json(action)?;
        self.http.send(call).await.map(drop)
    }

    pub(super) async fn console(&self, id: &str) -> Result<String> {
        #[derive(Deserialize)]
        struct Console {
            output: String,
        }
        let call = Call::post(self.url(&["servers", id, "action"]).await?).repeat(Repeat::Always);
        let body = json!({"os-getConsoleOutput": {"length": CONSOLE_LINES}});
        Ok(self.http.json::<Console>(call.json(&body)?).await?.output)
    }

    pub(super) async fn destroy(&self, id: &str) -> Result<()> {
        self.http.send(Call::delete(self.url(&["servers", id]).await?)).await.map(drop)
    }

    pub(super) async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let call = Call::put(self.url(&["servers", id]).await?).repeat(Repeat::Always);
        self.http.send(call.json(&json!({"server": {"name": name}}))?).await.map(drop)
    }

    pub(super) async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let call = if self.has_tags().await? {
            let call = Call::put(self.url(&["servers", id, "tags"]).await?);
            self.versioned(call.json(&json!({"tags": tags}))?).await?
        } else {
            let call = Call::post(self.url(&["servers", id, "metadata"]).await?);
            call.json(&json!({"metadata": {TAGS_KEY: tags.join(",")}}))?
        };
        self.http.send(call.repeat(Repeat::Always)).await.map(drop)
    }

    /// The name of the key pair with this key. It is added where it is not there.
    pub(super) async fn key(&self, public_key: &str) -> Result<String> {
        #[derive(Deserialize)]
        struct Pairs {
            keypairs: Vec<Pair>,
        }
        #[derive(Deserialize)]
        struct Pair {
            keypair: Key,
        }
        #[derive(Deserialize)]
        struct Key {
            name: String,
            #[serde(default)]
            public_key: String,
        }
        let url = self.url(&["os-keypairs"]).await?;
        let pairs: Pairs = self.http.json(Call::get(url.clone())).await?;
        let material = |key: &str| key.split_whitespace().nth(1).map(str::to_owned);
        let wanted = material(public_key);
        let known = pairs.keypairs.into_iter().find(|pair| material(&pair.keypair.public_key) == wanted);
        if let Some(pair) = known {
            return Ok(pair.keypair.name);
        }
        // Named after the key's own end, so that two keys do not meet under one name.
        let tail: String =
            wanted.unwrap_or_default().chars().rev().filter(char::is_ascii_alphanumeric).take(12).collect();
        let name = format!("roadstead-{tail}");
        let body = json!({"keypair": {"name": name, "public_key": public_key.trim()}});
        self.http.send(Call::post(url).json(&body)?).await?;
        Ok(name)
    }

    async fn url(&self, path: &[&str]) -> Result<reqwest::Url> {
        self.identity.endpoint("compute").await?.at(path)
    }

    async fn versioned(&self, call: Call) -> Result<Call> {
        if !self.has_tags().await? {
            return Ok(call);
        }
        let version = format!("{}.{}", WITH_TAGS.0, WITH_TAGS.1);
        let named = format!("compute {version}");
        // The second is the older name of the first, and the only one that Nova of this age knows.
        Ok(call.header("openstack-api-version", named).header("x-openstack-nova-api-version", version))
    }

    /// Whether the service reaches the microversion with tags. It tells at the root of its version 2.1.
    async fn has_tags(&self) -> Result<bool> {
        let ask = async || {
            let base = self.identity.endpoint("compute").await?;
            let path: Vec<_> = base.url().path_segments().into_iter().flatten().collect();
            let Some(root) = path.iter().position(|segment| *segment == "v2.1") else { return Ok(false) };
            let mut url = base.url().clone();
            url.set_path(&format!("{}/", path[..=root].join("/")));
            match self.http.json::<Value>(Call::get(url)).await {
                Ok(version) => Ok(reaches(version["version"]["version"].as_str().unwrap_or_default())),
                // Some clouds show the API and hide its root.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::MissingRights) => {
                    Ok(false)
                }
                Err(error) => Err(error),
            }
        };
        self.has_tags.get_or_try_init(ask).await.copied()
    }

    async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        noun: &str,
        id: impl Fn(&T) -> String,
    ) -> Result<Vec<T>> {
        let url = self.url(path).await?;
        let links = format!("{noun}_links");
        pages(None, async |marker: Option<String>| {
            let mut call = Call::get(url.clone()).query("limit", LIMIT);
            if let Some(marker) = &marker {
                call = call.query("marker", marker);
            }
            let reply = self.http.send(self.versioned(call).await?).await?;
            let mut listed: Listed = reply.json()?;
            let items = listed.remove(noun).ok_or_else(|| reply.malformed())?;
            let items: Vec<T> = serde_json::from_value(items).map_err(|e| reply.malformed().caused_by(e))?;
            let more = listed.get(&links).and_then(Value::as_array).is_some_and(|links| has_next(links));
            let next = items.last().filter(|_| more).map(|last| Some(id(last)));
            Ok(Page { items, next })
        })
        .await
    }
}

/// Whether there is a page after this one.
pub(super) fn has_next(links: &[Value]) -> bool {
    links.iter().any(|link| link["rel"] == "next")
}

/// Whether a microversion is at least the one with tags.
fn reaches(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= WITH_TAGS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::reaches;

    #[test]
    fn microversions_are_numbers_and_not_text() {
        assert!(reaches("2.26") && reaches("2.100") && reaches("3.1"));
        assert!(
            !reaches("2.9") && !reaches("2.25") && !reaches("") && !reaches("2") && !reaches("two.three")
        );
    }
}
