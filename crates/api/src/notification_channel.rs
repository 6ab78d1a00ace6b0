//! Notification channels: where it is told that a run has ended or an alarm was opened.
//!
//! A webhook gets each notification as a `POST` of JSON ([`Notification`]) with three headers: [`DELIVERY`], the
//! notification's number, the same at each try; [`TIMESTAMP`], the time of this try in seconds since 1970; and
//! [`SIGNATURE`], `v1=` and the HMAC-SHA256 in hexadecimal, with the channel's secret, over the timestamp, a full stop
//! and the body. Whoever gets one checks the signature, and that the timestamp is of late. Any status from 200 to 299
//! is success; anything else is tried again for about ten hours, but for 410, which says: never again.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, PageQuery, endpoint::endpoints, id::NotificationChannelId};

/// The header with the notification's number.
pub const DELIVERY: &str = "roadstead-delivery";
/// The header with the time of the try.
pub const TIMESTAMP: &str = "roadstead-timestamp";
/// The header with the signature.
pub const SIGNATURE: &str = "roadstead-signature";

/// What a channel is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Backups and restores that ended well.
    Success,
    /// Backups and restores that failed, or had errors.
    Failure,
    /// Alarms that were opened or closed.
    Alarm,
}

impl Topic {
    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Alarm => "alarm",
        }
    }
}

impl std::str::FromStr for Topic {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found =
            [Self::Success, Self::Failure, Self::Alarm].into_iter().find(|topic| topic.as_str() == text);
        found.ok_or_else(|| format!("{text:.50?} is none of success, failure and alarm"))
    }
}

/// What a channel is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// Why.
    pub topic: Topic,
    /// What kind of thing it is about: `backup`, `restore` or `alarm`.
    pub noun: String,
    /// The id of that thing, as text also where it is a number.
    pub id: String,
    /// Its state: that of a run; `open` or `closed` of an alarm; `test` of a test.
    pub state: String,
    /// What happened and what to do, in a sentence or two.
    pub message: String,
    /// When it happened.
    pub at: Timestamp,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationChannel {
    /// The channel's id.
    pub id: NotificationChannelId,
    /// Its name.
    pub name: String,
    /// Where it goes: scheme, host and port of the URL. The rest may hold a secret, and is not shown.
    pub origin: String,
    /// What it is told of.
    pub topics: Vec<Topic>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something was last delivered.
    pub delivered_at: Option<Timestamp>,
    /// Why the last try failed; nothing where it did not.
    pub error: Option<String>,
    /// How many notifications wait to be delivered.
    pub waiting: u64,
}

/// A channel to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNotificationChannel {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The webhook's URL: http or https, up to 2000 characters.
    pub url: String,
    /// What it is to be told of; failures and alarms when absent.
    #[serde(default = "usual")]
    pub topics: Vec<Topic>,
}

/// What a channel is told of when nobody says.
pub fn usual() -> Vec<Topic> {
    vec![Topic::Failure, Topic::Alarm]
}

/// A channel that was just made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationChannelWithSecret {
    /// The channel.
    pub channel: NotificationChannel,
    /// What its notifications are signed with. It is shown this once.
    pub secret: String,
}

/// How a test went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationTest {
    /// Whether it was taken.
    pub delivered: bool,
    /// Why not.
    pub error: Option<String>,
}

endpoints! {
    /// Makes a channel, and shows its secret, this once.
    NotificationChannelCreate = "notification_channel_create": Post "/notification-channels", Admin, (()) ? (), NewNotificationChannel => 201 NotificationChannelWithSecret;
    /// Lists the channels, oldest first.
    NotificationChannelList = "notification_channel_list": Get "/notification-channels", Admin, (()) ? PageQuery, () => 200 Page<NotificationChannel>;
    /// Shows one channel.
    NotificationChannelShow = "notification_channel_show": Get "/notification-channels/{id}", Admin, (NotificationChannelId) ? (), () => 200 NotificationChannel;
    /// Deletes a channel, with what waits for it.
    NotificationChannelDelete = "notification_channel_delete": Delete "/notification-channels/{id}", Admin, (NotificationChannelId) ? (), () => 204 ();
    /// Sends a test to a channel at once, and says how that went.
    NotificationChannelTest = "notification_channel_test": Post "/notification-channels/{id}/test", Admin, (NotificationChannelId) ? (), () => 200 NotificationTest;
}
