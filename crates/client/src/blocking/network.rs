//! Networks that are made and deleted, for programs that are not async.

use roadstead_api::network::{Network, NewNetwork};

use super::{Backend, IntoBlocking, refuse_async};
use crate::error::Result;

namesakes! { Backend:
    fn create_network(&self, new: &NewNetwork) -> Network;
    fn delete_network(&self, id: &str) -> ();
}
