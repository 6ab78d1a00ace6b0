//! Backends. One is added, or gets other credentials, only after it has been asked with them.

use std::sync::Arc;

use roadstead_api::{
    Endpoint, Page,
    backend::{
        Backend, BackendChange, BackendCreate, BackendDelete, BackendDisable, BackendEnable, BackendList,
        BackendQuery, BackendRefresh, BackendShow, BackendUpdate, NewBackend,
    },
    id::BackendId,
};
use roadstead_providers::{Capability, Driver, Pins, SeenMachine};

use super::{
    Context,
    connection::{self, FieldValues, Wanted},
    page, refresh, validate,
};
use crate::{
    Error, Result,
    app::backend_fields_place,
    db::{
        self,
        backend::{BackendRow, Reach},
    },
    random,
};

/// Adds a backend, with the machines that it lists.
pub async fn create(context: &Context, new: NewBackend) -> Result<Backend> {
    context.authorize::<BackendCreate>()?;
    validate::name("title", &new.title)?;
    let region = checked_region(new.region.as_deref())?;
    let mut fields = connection::named(&new.provider, &new.fields)?;
    fields.retain(|_, value| !connection::is_absent(value));
    let wanted = Wanted {
        account: context.account(),
        provider: &new.provider,
        title: &new.title,
        region,
        fields: &fields,
        pins: Pins::default(),
    };
    let id = BackendId(random::id()?);
    let sealed = Sealed::of(context, &id, &wanted).await?;
    refuse_twice(context, &wanted, &sealed, None).await?;
    let asked_ms = context.now_ms();
    let (driver, seen) = ask(context, wanted).await?;
    let pins = db::row::json(&driver.pins())?;
    let reach = sealed.reach(&new.title, &new.provider, region, &pins);
    let mut change = context.change::<BackendCreate>().await?;
    if !db::backend::insert(&mut change, context.account(), &id, &reach, context.now_ms()).await? {
        return Err(twice(&new.title));
    }
    change.commit(&id).await?;
    let row = get(context, &id).await?;
    context.drivers.keep(&id, row.generation, driver);
    let turn = context.drivers.turn(&id);
    let held = turn.lock().await;
    refresh::store(&context.app, &row, asked_ms, seen).await?;
    drop(held);
    context.live.refresh.notify_one();
    Ok(get(context, &id).await?.backend)
}

/// Lists backends.
pub async fn list(context: &Context, query: BackendQuery) -> Result<Page<Backend>> {
    context.authorize::<BackendList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let rows = db::backend::list(&mut read, context.account(), &query, after, page::fetch(limit)).await?;
    let Page { items, next } = page::page(rows, limit, |row| row.number.to_string());
    Ok(Page { items: items.into_iter().map(|row| row.backend).collect(), next })
}

/// Shows one backend.
pub async fn show(context: &Context, id: &BackendId) -> Result<Backend> {
    context.authorize::<BackendShow>()?;
    Ok(get(context, id).await?.backend)
}

/// Changes a backend. Where more than its title changes, it is asked first.
pub async fn update(context: &Context, id: &BackendId, wanted: BackendChange) -> Result<Backend> {
    context.authorize::<BackendUpdate>()?;
    let row = get(context, id).await?;
    let title = wanted.title.as_deref().unwrap_or(&row.backend.title);
    validate::name("title", title)?;
    let region = checked_region(wanted.region.as_deref().or(row.backend.region.as_deref()))?;
    let fields = merged(context, &row, &wanted.fields).await?;
    let known = if wanted.forget_host_keys { Pins::default() } else { connection::pins(&row.pins)? };
    let provider = &row.backend.provider;
    let reached =
        Wanted { account: context.account(), provider, title, region, fields: &fields, pins: known };
    let sealed = Sealed::of(context, id, &reached).await?;
    refuse_twice(context, &reached, &sealed, Some(id)).await?;
    let only_title = wanted.region.is_none() && wanted.fields.is_empty() && !wanted.forget_host_keys;
    let pins = if only_title {
        row.pins.clone()
    } else {
        let (driver, _) = ask(context, reached).await?;
        db::row::json(&driver.pins())?
    };
    let reach = sealed.reach(title, provider, region, &pins);
    let mut change = context.change::<BackendUpdate>().await?;
    if !db::backend::set_reach(&mut change, id, row.generation, &reach, context.now_ms()).await? {
        return Err(Error::conflict("The backend was changed or deleted in the meantime; look at it again."));
    }
    change.commit(id).await?;
    context.drivers.forget(id);
    if row.backend.enabled {
        refresh::logged(&context.app, id).await;
    }
    Ok(get(context, id).await?.backend)
}

/// Lets a backend be asked again, which is done at once.
pub async fn enable(context: &Context, id: &BackendId) -> Result<Backend> {
    set_enabled::<BackendEnable>(context, id, true).await?;
    refresh::now(&context.app, id).await?;
    Ok(get(context, id).await?.backend)
}

/// Keeps a backend from being asked.
pub async fn disable(context: &Context, id: &BackendId) -> Result<Backend> {
    set_enabled::<BackendDisable>(context, id, false).await?;
    context.drivers.forget(id);
    Ok(get(context, id).await?.backend)
}

/// Asks a backend for its machines; whether it answered is in what comes back.
pub async fn refresh(context: &Context, id: &BackendId) -> Result<Backend> {
    context.authorize::<BackendRefresh>()?;
    require_enabled(&get(context, id).await?)?;
    refresh::now(&context.app, id).await?;
    Ok(get(context, id).await?.backend)
}

/// Deletes a backend with the rows of its machines.
pub async fn delete(context: &Context, id: &BackendId) -> Result<()> {
    let mut change = context.change::<BackendDelete>().await?;
    if !db::backend::delete(&mut change, context.account(), id).await? {
        return Err(not_found(id));
    }
    change.commit(id).await?;
    context.drivers.forget(id);
    Ok(())
}

/// A backend of the caller's account.
pub async fn get(context: &Context, id: &BackendId) -> Result<BackendRow> {
    let found = db::backend::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| not_found(id))
}

/// The driver of an enabled backend of the caller's account that can do this.
pub async fn driver(context: &Context, id: &BackendId, capability: Capability) -> Result<Arc<dyn Driver>> {
    let row = get(context, id).await?;
    require_enabled(&row)?;
    let driver = connection::driver(context, &row).await?;
    if driver.capabilities().contains(capability) {
        return Ok(driver);
    }
    Err(roadstead_providers::Error::unsupported(driver.provider(), capability).into())
}

/// Refuses to talk to a backend that is disabled.
pub fn require_enabled(row: &BackendRow) -> Result<()> {
    if row.backend.enabled {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "The backend {} is disabled; `roadstead backends enable {}` enables it.",
        row.backend.title, row.backend.id
    )))
}

fn not_found(id: &BackendId) -> Error {
    Error::not_found(format!("There is no backend {:.100?}.", id.0))
}

fn twice(title: &str) -> Error {
    Error::conflict(format!("The same credentials were added already, as the backend {title}."))
}

/// A backend's credentials as they are kept.
struct Sealed {
    fields: String,
    fingerprint: String,
}

impl Sealed {
    async fn of(context: &Context, id: &BackendId, wanted: &Wanted<'_>) -> Result<Self> {
        let key = context.account_key(context.account()).await?;
        let identity = connection::identity(wanted.provider, wanted.region, wanted.fields)?;
        Ok(Self {
            fields: key.seal(&backend_fields_place(&id.0), &db::row::json(wanted.fields)?)?,
            fingerprint: key.fingerprint("backends/fingerprint", &identity),
        })
    }

    fn reach<'a>(
        &'a self,
        title: &'a str,
        provider: &'a roadstead_api::id::ProviderId,
        region: Option<&'a str>,
        pins: &'a str,
    ) -> Reach<'a> {
        Reach { title, provider, region, sealed_fields: &self.fields, fingerprint: &self.fingerprint, pins }
    }
}

fn checked_region(region: Option<&str>) -> Result<Option<&str>> {
    match region.map(str::trim).filter(|region| !region.is_empty()) {
        Some(region) => validate::name("region", region).map(|()| Some(region)),
        None => Ok(None),
    }
}

/// The fields of a backend with some of them changed; a null takes a value away.
async fn merged(context: &Context, row: &BackendRow, changed: &FieldValues) -> Result<FieldValues> {
    let mut fields = connection::fields(context, row).await?;
    fields.extend(connection::named(&row.backend.provider, changed)?);
    fields.retain(|_, value| !connection::is_absent(value));
    Ok(fields)
}

/// Refuses credentials that another backend of the account has.
async fn refuse_twice(
    context: &Context,
    wanted: &Wanted<'_>,
    sealed: &Sealed,
    own: Option<&BackendId>,
) -> Result<()> {
    let mut read = context.db.read().await?;
    let account = context.account();
    let other =
        db::backend::with_fingerprint(&mut read, account, wanted.provider, &sealed.fingerprint).await?;
    match other {
        Some(other) if Some(&other.backend.id) != own => Err(twice(&other.backend.title)),
        _ => Ok(()),
    }
}

/// Makes sure that a backend is there, takes the credentials, and lists its machines.
async fn ask(context: &Context, wanted: Wanted<'_>) -> Result<(Arc<dyn Driver>, Vec<SeenMachine>)> {
    let driver = connection::make(context, wanted).await?;
    driver.validate().await?;
    let seen = connection::machines(&*driver).await?;
    Ok((driver, seen))
}

async fn set_enabled<E: Endpoint>(context: &Context, id: &BackendId, enabled: bool) -> Result<()> {
    let mut change = context.change::<E>().await?;
    let found = db::backend::get(&mut change, context.account(), id).await?;
    found.ok_or_else(|| not_found(id))?;
    db::backend::set_enabled(&mut change, id, enabled, context.now_ms()).await?;
    change.commit(id).await
}
