//! The guard where connections are made: names are resolved here, and only addresses that may be connected to come out.
//!
//! The HTTP library connects to the very addresses that it is handed, so a name that resolves to something else a
//! moment later changes nothing. Hosts that are addresses already never get here: the client checks them itself.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard::AddressGuard;

/// Resolves names by way of a guard.
#[derive(Clone, Copy, Debug)]
pub(super) struct GuardedResolver(pub(super) AddressGuard);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0;
        Box::pin(async move {
            // The library puts the port of the URL in the place of this one.
            let addresses: Vec<SocketAddr> = guard.resolve(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
