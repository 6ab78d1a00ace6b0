//! The kinds of backend that Roadstead knows: the catalogue, and (with the drivers) a folder for each.

mod catalogue;

pub use catalogue::{provider, providers};
