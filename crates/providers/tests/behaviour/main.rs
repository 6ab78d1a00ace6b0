//! The behaviour suite: what the contract of `Driver` promises, tried on every driver, on its fake and, where it can run
//! here, on the real thing.
//!
//! A *stage* sets up one far side and says how to get at it; the cases in `suite` are picked by capability. What only
//! one kind of backend does stands in a file of its own.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod azure;
mod bare_metal;
mod bare_metal_faults;
mod digitalocean;
mod docker;
mod docker_engine;
mod ec2;
mod ec2_moto;
mod gce;
mod http_kit;
mod libvirt;
mod libvirt_hypervisor;
mod life;
mod linode;
mod nephoscale;
mod openstack;
mod rest;
mod softlayer;
mod sshd;
mod stage;
mod suite;
mod vcloud;
