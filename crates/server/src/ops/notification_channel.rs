//! Notification channels: making, testing and deleting them.

use roadstead_api::{
    Page, PageQuery,
    id::{AccountId, NotificationChannelId},
    notification_channel::{
        NewNotificationChannel, Notification, NotificationChannel, NotificationChannelCreate,
        NotificationChannelDelete, NotificationChannelList, NotificationChannelShow, NotificationChannelTest,
        NotificationChannelWithSecret, NotificationTest, Topic,
    },
};

use super::{Context, page, validate};
use crate::{
    Error, Result,
    app::App,
    db::{
        self,
        notification_channel::NewChannel,
        row::{json, timestamp},
    },
    delivery::Refusal,
    random,
    webhook::{self, Target},
};

/// How many channels an account may have.
const MAX_CHANNELS: usize = 100;
/// What a channel's secret begins with.
const SECRET_PREFIX: &str = "rdw_";

/// Makes a channel.
pub async fn create(context: &Context, new: NewNotificationChannel) -> Result<NotificationChannelWithSecret> {
    context.authorize::<NotificationChannelCreate>()?;
    validate::name("name", &new.name)?;
    let origin = webhook::origin(&new.url)?;
    let mut topics = new.topics;
    topics.sort_unstable();
    topics.dedup();
    if topics.is_empty() {
        return Err(Error::invalid("topics is empty; give success, failure or alarm."));
    }
    let secret = random::secret(SECRET_PREFIX)?;
    let key = context.account_key(context.account()).await?;
    let mut change = context.change::<NotificationChannelCreate>().await?;
    let there =
        db::notification_channel::list(&mut change, context.account(), 0, page::fetch(MAX_CHANNELS)).await?;
    if there.len() >= MAX_CHANNELS {
        return Err(Error::conflict(format!(
            "An account has up to {MAX_CHANNELS} channels; delete one first."
        )));
    }
    let row = NewChannel {
        account_id: context.account(),
        name: &new.name,
        origin: &origin,
        topics: &topics,
        now_ms: context.now_ms(),
    };
    let id = db::notification_channel::insert(&mut change, &row).await?;
    let target = json(&Target { url: new.url, secret: secret.clone() })?;
    db::notification_channel::set_target(&mut change, id, &key.seal(&place(id), &target)?).await?;
    change.commit(id).await?;
    Ok(NotificationChannelWithSecret { channel: get(context, id).await?, secret })
}

/// Lists the channels.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<NotificationChannel>> {
    context.authorize::<NotificationChannelList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let found =
        db::notification_channel::list(&mut read, context.account(), after, page::fetch(limit)).await?;
    Ok(page::page(found, limit, |channel| channel.id.to_string()))
}

/// Shows one channel.
pub async fn show(context: &Context, id: NotificationChannelId) -> Result<NotificationChannel> {
    context.authorize::<NotificationChannelShow>()?;
    get(context, id).await
}

/// Deletes a channel.
pub async fn delete(context: &Context, id: NotificationChannelId) -> Result<()> {
    let mut change = context.change::<NotificationChannelDelete>().await?;
    if !db::notification_channel::delete(&mut change, context.account(), id).await? {
        return Err(not_found(id));
    }
    change.commit(id).await
}

/// Sends a test, and waits for how it goes.
pub async fn test(context: &Context, id: NotificationChannelId) -> Result<NotificationTest> {
    context.authorize::<NotificationChannelTest>()?;
    let channel = get(context, id).await?;
    let notification = Notification {
        topic: Topic::Alarm,
        noun: "notification_channel".to_owned(),
        id: id.to_string(),
        state: "test".to_owned(),
        message: format!("This is a test of the channel {}. Nothing has happened.", channel.name),
        at: timestamp(context.now_ms())?,
    };
    context.change::<NotificationChannelTest>().await?.commit(id).await?;
    let error = deliver(context, id, &format!("test-{}", random::id()?), json(&notification)?).await?;
    Ok(NotificationTest { delivered: error.is_none(), error: error.map(|refusal| refusal.why) })
}

/// Delivers a body to a channel, and notes how that went; returns why it was not taken.
pub async fn deliver(
    app: &App,
    id: NotificationChannelId,
    number: &str,
    body: String,
) -> Result<Option<Refusal>> {
    let found = db::notification_channel::target(&mut *app.db.read().await?, id).await?;
    let (account, sealed) = found.ok_or_else(|| not_found(id))?;
    let target = open(app, account, id, &sealed).await?;
    let refusal = webhook::deliver(app.drivers.guard, &target, number, body, app.now_ms()).await.err();
    let mut write = app.db.write().await?;
    let error = refusal.as_ref().map(|refusal| refusal.why.as_str());
    db::notification_channel::set_outcome(&mut write, id, error, app.now_ms()).await?;
    write.commit().await?;
    Ok(refusal)
}

async fn open(app: &App, account: AccountId, id: NotificationChannelId, sealed: &str) -> Result<Target> {
    let text = app.account_key(account).await?.open(&place(id), sealed)?;
    serde_json::from_str(&text)
        .map_err(|e| Error::internal("A channel's target has another shape.").caused_by(e))
}

fn place(id: NotificationChannelId) -> String {
    format!("notification_channels/{id}/sealed_target")
}

async fn get(context: &Context, id: NotificationChannelId) -> Result<NotificationChannel> {
    let found = db::notification_channel::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| not_found(id))
}

fn not_found(id: NotificationChannelId) -> Error {
    Error::not_found(format!("There is no notification channel {id}."))
}
