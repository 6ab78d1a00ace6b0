//! The one HTTP client of all drivers that speak REST.
//!
//! ```text
//!   Base  --at-->  Call  --HttpClient::send-->  Reply  --json-->  the driver's types
//!                            |   ^
//!                  Auth::sign|   |again: 429, 5xx, broken connections; a renewed token after 401
//!                            v   |
//!                 guarded connections, at most eight calls at once
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`ENDPOINT`], [`CA`] | the fields that every REST driver has |
//! | [`Base`] | the far side's address; makes URLs in which ids cannot become paths |
//! | [`Call`], [`Repeat`] | one call, and when it may be made again |
//! | [`HttpClient`], [`Reply`] | sends calls; bounds, retries, classifies |
//! | [`Auth`] | puts onto a request what proves who asks |
//! | [`OAuth`], [`JwtSigner`] | tokens that expire, and what they are asked for with |
//! | [`Service`] | the far side's name and how it words its refusals |
//! | [`pages()`] | follows pages to the end, or to a bound |
//! | [`poll()`] | looks after work that goes on at the far side |
//!
//! Invariants: an address is checked by the [`AddressGuard`](crate::AddressGuard) whenever a connection is made, after
//! its name was resolved. Redirects are followed by nobody but [`HttpClient`], on reads, within one origin, so
//! credentials never go elsewhere. No error quotes a secret, and none quotes more than a few hundred characters.

mod auth;
mod base;
mod call;
mod client;
mod date;
mod failure;
mod fields;
mod jwt;
mod oauth;
mod pages;
mod patience;
mod poll;
mod redact;
mod resolver;
mod tls;

pub(crate) use auth::{Auth, Bearer, set_secret};
pub(crate) use base::Base;
pub(crate) use call::{Call, Repeat};
pub(crate) use client::{HttpClient, Reply};
pub(crate) use failure::{Complaint, Service};
pub(crate) use fields::{CA, ENDPOINT};
pub(crate) use jwt::{Algorithm, JwtSigner};
pub(crate) use oauth::OAuth;
pub(crate) use pages::{NumberedPage, Page, numbered_pages, pages};
pub(crate) use poll::{Look, poll};
