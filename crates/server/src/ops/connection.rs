//! The way from a backend's fields to its driver.
//!
//! Fields are kept under their own names, whatever alias they were given by, without those that say nothing; defaults
//! are left out, so that a later version may have better ones. A field that takes an SSH key is kept as it was given, the
//! key itself or the id of one of the account's: the driver gets the private key.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use roadstead_api::{
    backend::{Backend, OfferQuery},
    id::{AccountId, KeyId, ProviderId},
};
use roadstead_providers::{
    Driver, ErrorKind as ProviderErrorKind, Field, FieldKind, Pins, SeenMachine, Setup, Timeouts,
    check_fields, connect, provider, registration,
};
use serde_json::Value;

use super::key;
use crate::{
    Error, ErrorKind, Result,
    app::{App, backend_fields_place},
    db::{self, backend::BackendRow},
};

/// How long a backend has to list its machines.
const LIST_WITHIN: Duration = Duration::from_secs(100);

/// The values of a backend's fields, by name.
pub type FieldValues = BTreeMap<String, Value>;

/// What a driver is made of.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The account, whose keys may be named.
    pub account: AccountId,
    /// The kind of backend.
    pub provider: &'a ProviderId,
    /// Its name for people.
    pub title: &'a str,
    /// Its region.
    pub region: Option<&'a str>,
    /// The values of its fields.
    pub fields: &'a FieldValues,
    /// The host keys known so far.
    pub pins: Pins,
}

/// The values that were given, each under the name of its field; refuses those that the provider does not take.
pub fn named(id: &ProviderId, given: &FieldValues) -> Result<FieldValues> {
    if provider(id).is_none() {
        let message =
            format!("There is no provider {:.100?}; `roadstead providers list` shows those that are.", id.0);
        return Err(Error::invalid(message));
    }
    let fields = registration(id)?.fields;
    let mut values = FieldValues::new();
    for (name, value) in given {
        let unknown = || {
            Error::invalid(format!("`{name:.100}` is no field of the provider {id}; {}.", names(fields.0)))
        };
        let field = fields.get(name).ok_or_else(unknown)?;
        if values.insert(field.name.to_owned(), value.clone()).is_some() {
            let message = format!("`{}` is given twice, under two of its names.", field.name);
            return Err(Error::invalid(message));
        }
    }
    Ok(values)
}

fn names(fields: &[Field]) -> String {
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    format!("it takes {}", names.join(", "))
}

/// Whether a value counts as not given.
pub fn is_absent(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// A text that is equal for equal credentials: every field with its value, given or by default.
pub fn identity(id: &ProviderId, region: Option<&str>, values: &FieldValues) -> Result<String> {
    let told = registration(id)?.fields.0.iter().map(|field| {
        let given = values.get(field.name).map(|value| match value {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        });
        (field.name, given.or_else(|| field.default.map(str::to_owned)))
    });
    db::row::json(&(region, told.collect::<Vec<_>>()))
}

/// Makes a driver. Talks to nobody.
pub async fn make(app: &App, wanted: Wanted<'_>) -> Result<Arc<dyn Driver>> {
    let fields = with_keys(app, &wanted).await?;
    let setup = Setup {
        title: wanted.title.to_owned(),
        region: wanted.region.map(str::to_owned),
        credentials: check_fields(wanted.provider, &fields)?,
        pins: wanted.pins,
        guard: app.drivers.guard,
        timeouts: Timeouts::default(),
        local: app.drivers.local.clone(),
    };
    Ok(connect(wanted.provider, setup)?)
}

/// The values with private keys in place of the ids of keys. What was given as a private key stays one.
async fn with_keys(app: &App, wanted: &Wanted<'_>) -> Result<FieldValues> {
    let fields = registration(wanted.provider)?.fields;
    let mut values = wanted.fields.clone();
    for (name, value) in &mut values {
        let is_key = fields.get(name).is_some_and(|field| field.kind == FieldKind::Key);
        let Some(given) = value.as_str().map(str::trim).filter(|_| is_key) else { continue };
        if given.is_empty() || given.starts_with("-----BEGIN") {
            continue;
        }
        let unknown = |error: Error| match error.kind {
            ErrorKind::NotFound => Error::invalid(format!(
                "`{name}` is neither a private key nor the id of a key; {name}=@FILE reads one from a file."
            )),
            _ => error,
        };
        let id = KeyId(given.to_owned());
        *value = key::private_of(app, wanted.account, &id).await.map_err(unknown)?.into();
    }
    Ok(values)
}

/// The values of a backend's fields.
pub async fn fields(app: &App, row: &BackendRow) -> Result<FieldValues> {
    let key = app.account_key(row.account_id).await?;
    let opened = key.open(&backend_fields_place(&row.backend.id.0), &row.sealed_fields)?;
    serde_json::from_str(&opened)
        .map_err(|e| Error::internal("The fields of a backend are of another shape.").caused_by(e))
}

/// The driver of a backend: the one that is there, or a new one.
pub async fn driver(app: &App, row: &BackendRow) -> Result<Arc<dyn Driver>> {
    let Backend { id, provider, title, region, .. } = &row.backend;
    if let Some(driver) = app.drivers.get(id, row.generation) {
        return Ok(driver);
    }
    let wanted = Wanted {
        account: row.account_id,
        provider,
        title,
        region: region.as_deref(),
        fields: &fields(app, row).await?,
        pins: pins(&row.pins)?,
    };
    let driver = make(app, wanted).await?;
    app.drivers.keep(id, row.generation, driver.clone());
    Ok(driver)
}

/// Lists a backend's machines, within bounds.
pub async fn machines(driver: &dyn Driver) -> Result<Vec<SeenMachine>, roadstead_providers::Error> {
    match tokio::time::timeout(LIST_WITHIN, driver.machines()).await {
        Ok(seen) => seen,
        Err(_) => {
            let message = format!("the backend did not list its machines in {} s", LIST_WITHIN.as_secs());
            Err(roadstead_providers::Error::new(ProviderErrorKind::Timeout, message))
        }
    }
}

/// Whether one of these texts is what somebody searches for.
pub fn matches(query: &OfferQuery, texts: [&String; 2]) -> bool {
    let word = query.search.as_deref().unwrap_or_default().trim().to_lowercase();
    texts.iter().any(|text| text.to_lowercase().contains(&word))
}

/// The host keys of a row.
pub fn pins(json: &str) -> Result<Pins> {
    serde_json::from_str(json)
        .map_err(|e| Error::internal("The host keys of a backend are of another shape.").caused_by(e))
}

/// Keeps the host keys that a driver has met since.
pub async fn keep_pins(app: &App, row: &BackendRow, driver: &dyn Driver) -> Result<()> {
    let met = db::row::json(&driver.pins())?;
    if met == row.pins {
        return Ok(());
    }
    let mut write = app.db.write().await?;
    db::backend::set_pins(&mut write, &row.backend.id, row.generation, &met).await?;
    write.commit().await
}
