//! Glance and Neutron: images, networks and their subnets.

use std::sync::Arc;

use roadstead_api::network::{NewNetwork, NewSubnet};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{compute::has_next, identity::Identity};
use crate::{
    error::{Error, Result},
    http::{Base, Call, HttpClient, Page, Repeat, pages},
};

/// Items that a page is asked for. Clouds give fewer if they like.
const LIMIT: u32 = 200;

#[derive(Debug, Deserialize)]
pub(super) struct Image {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) visibility: Option<String>,
    /// In bytes.
    pub(super) size: Option<u64>,
    /// In gibibytes.
    pub(super) min_disk: Option<u64>,
    /// In mebibytes.
    pub(super) min_ram: Option<u64>,
    pub(super) created_at: Option<String>,
    pub(super) os_distro: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Network {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) shared: bool,
    #[serde(default, rename = "router:external")]
    pub(super) external: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Subnet {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) cidr: String,
    pub(super) network_id: String,
}

/// The calls.
pub(super) struct Lists {
    http: HttpClient,
    identity: Arc<Identity>,
}

impl Lists {
    pub(super) fn new(http: HttpClient, identity: Arc<Identity>) -> Self {
        Self { http, identity }
    }

    pub(super) async fn images(&self) -> Result<Vec<Image>> {
        let base = versioned(&self.identity.endpoint("image").await?, "v2")?;
        let call = Call::get(base.at(&["images"])?).query("status", "active");
        self.list(call, "images", |image: &Image| image.id.clone()).await
    }

    pub(super) async fn networks(&self) -> Result<Vec<Network>> {
        let base = self.neutron().await?;
        self.list(Call::get(base.at(&["networks"])?), "networks", |network: &Network| network.id.clone())
            .await
    }

    pub(super) async fn subnets(&self) -> Result<Vec<Subnet>> {
        let base = self.neutron().await?;
        self.list(Call::get(base.at(&["subnets"])?), "subnets", |subnet: &Subnet| subnet.id.clone()).await
    }

    /// Makes a network and then its subnets. If one of those fails, the network goes again.
    pub(super) async fn create_network(&self, new: &NewNetwork) -> Result<(Network, Vec<Subnet>)> {
        #[derive(Deserialize)]
        struct Made {
            network: Network,
        }
        let mut network = json!({"name": new.name, "admin_state_up": true});
        if new.shared {
            // Even to say that it is not takes an operator.
            network["shared"] = json!(true);
        }
        let call = Call::post(self.neutron().await?.at(&["networks"])?).json(&json!({"network": network}))?;
        let Made { network } = self.http.json(call.repeat(Repeat::Never)).await?;
        let mut subnets = Vec::with_capacity(new.subnets.len());
        for subnet in &new.subnets {
            match self.create_subnet(&network.id, subnet).await {
                Ok(made) => subnets.push(made),
                Err(error) => return Err(self.taken_back(&network.id, error).await),
            }
        }
        Ok((network, subnets))
    }

    async fn create_subnet(&self, network: &str, new: &NewSubnet) -> Result<Subnet> {
        #[derive(Deserialize)]
        struct Made {
            subnet: Subnet,
        }
        let mut subnet = json!({
            "network_id": network, "cidr": new.cidr, "ip_version": if new.cidr.contains(':') { 6 } else { 4 },
            "name": new.name.as_deref().unwrap_or_default(), "enable_dhcp": new.dhcp.unwrap_or(true),
        });
        if let Some(gateway) = new.gateway {
            subnet["gateway_ip"] = json!(gateway);
        }
        if !new.pools.is_empty() {
            let pools = new.pools.iter().map(|pool| json!({"start": pool.first, "end": pool.last}));
            subnet["allocation_pools"] = pools.collect();
        }
        let call = Call::post(self.neutron().await?.at(&["subnets"])?).json(&json!({"subnet": subnet}))?;
        Ok(self.http.json::<Made>(call.repeat(Repeat::Never)).await?.subnet)
    }

    /// Deletes a network that was made in vain. The error says so if it stays.
    async fn taken_back(&self, network: &str, error: Error) -> Error {
        match self.delete_network(network).await {
            Ok(()) => error,
            Err(_) => {
                let message = format!("the network {network} was made, and stays without its subnet");
                Error::new(error.kind(), message).caused_by(error)
            }
        }
    }

    pub(super) async fn delete_network(&self, id: &str) -> Result<()> {
        self.http.send(Call::delete(self.neutron().await?.at(&["networks", id])?)).await.map(drop)
    }

    async fn neutron(&self) -> Result<Base> {
        versioned(&self.identity.endpoint("network").await?, "v2.0")
    }

    /// Follows Glance's `next` and Neutron's `NOUN_links`. Either way the next page begins after the last item.
    async fn list<T: DeserializeOwned>(
        &self,
        call: Call,
        noun: &str,
        id: impl Fn(&T) -> String,
    ) -> Result<Vec<T>> {
        let links = format!("{noun}_links");
        pages(None, async |marker: Option<String>| {
            let mut call = call.clone().query("limit", LIMIT);
            if let Some(marker) = &marker {
                call = call.query("marker", marker);
            }
            let reply = self.http.send(call).await?;
            let mut listed: Map<String, Value> = reply.json()?;
            let items = listed.remove(noun).ok_or_else(|| reply.malformed())?;
            let items: Vec<T> = serde_json::from_value(items).map_err(|e| reply.malformed().caused_by(e))?;
            let linked = listed.get(&links).and_then(Value::as_array).is_some_and(|links| has_next(links));
            let more = linked || listed.get("next").is_some_and(Value::is_string);
            let next = items.last().filter(|_| more).map(|last| Some(id(last)));
            Ok(Page { items, next })
        })
        .await
    }
}

/// The address with the version at its end. Catalogues give it with or without.
fn versioned(base: &Base, version: &str) -> Result<Base> {
    let last = base.url().path_segments().and_then(|mut path| path.rfind(|segment| !segment.is_empty()));
    if last.is_some_and(|last| last.starts_with(version)) { Ok(base.clone()) } else { base.below(&[version]) }
}
