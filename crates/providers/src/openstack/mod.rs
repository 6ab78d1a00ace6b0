//! `openstack`: servers of an OpenStack cloud, by Keystone, Nova, Glance and Neutron; and what `rackspace` and `hpcloud`
//! are made of.
//!
//! | part | what it is |
//! |---|---|
//! | [`settings`] | the fields, and what they say |
//! | [`identity`] | who asks: Keystone's tokens, and the catalogue of services |
//! | [`compute`], [`lists`] | Nova; Glance and Neutron |
//! | [`shape`] | what their words mean to us |
//! | [`driver`] | the `Driver` of the three providers |
//!
//! Orders are not repeated when they fail, for Nova has no token by which it would know one again.
//!
//! Sources: <https://docs.openstack.org/api-ref/identity/v3/>, `.../identity/v2-ext/`, `.../compute/`, `.../image/v2/`,
//! `.../network/v2/`.

mod compute;
mod driver;
mod identity;
mod lists;
mod settings;
mod shape;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
pub mod sim_servers;

use std::sync::Arc;

pub(crate) use self::{
    driver::{Dialect, OpenStack},
    settings::{ENDPOINT_KINDS, Login, Project, Settings},
};
use crate::driver::Registration;

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: settings::FIELDS,
    capabilities: driver::CAPABILITIES,
    connect: |setup| {
        let settings = Settings::read(&setup)?;
        Ok(Arc::new(OpenStack::new(&setup, settings, &DIALECT)?))
    },
};

const DIALECT: Dialect =
    Dialect { provider: "openstack", service: "OpenStack", capabilities: driver::CAPABILITIES };
