//! `roadstead notification-channels`: where it is told that a run has ended or an alarm was opened.

use clap::Subcommand;
use roadstead_client::api::{
    PageQuery,
    id::NotificationChannelId,
    notification_channel::{
        NewNotificationChannel, NotificationChannel, NotificationChannelList, Topic, usual,
    },
};

use crate::{
    confirm::DeleteArgs,
    error::{Exit, Result},
    list::{self, ListArgs},
    secret,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum NotificationChannelCommand {
    /// Make a webhook, and print the secret that its notifications are signed with, this once.
    #[command(
        after_help = "Each notification is a POST of JSON. The header roadstead-signature is v1= and the HMAC-SHA256, in \
                      hexadecimal, of the header roadstead-timestamp, a full stop and the body.\n\nExample:\n  roadstead \
                      notification-channels create --name chat --webhook @hook-url --on failure --on alarm"
    )]
    Create {
        /// What it is called.
        #[arg(long)]
        name: String,
        /// The webhook's URL; @FILE reads it from a file, - from standard input.
        #[arg(long, value_name = "URL")]
        webhook: String,
        /// What it is told of: success, failure or alarm; failure and alarm when absent. May be given more than once.
        #[arg(long = "on", value_name = "TOPIC")]
        topics: Vec<Topic>,
    },
    /// List the channels, oldest first.
    #[command(after_help = "Example:\n  roadstead notification-channels list")]
    List(ListArgs),
    /// Show a channel, and how its last try went.
    #[command(after_help = "Example:\n  roadstead notification-channels show 1")]
    Show {
        /// The channel's id.
        channel: NotificationChannelId,
    },
    /// Send a test at once, and say how that went.
    #[command(
        after_help = "Exit status: 0 it was taken, 1 it was not.\n\nExample:\n  roadstead notification-channels test 1"
    )]
    Test {
        /// The channel's id.
        channel: NotificationChannelId,
    },
    /// Delete a channel, with what waits for it.
    #[command(after_help = "Example:\n  roadstead notification-channels delete 1 --yes")]
    Delete {
        /// The channel's id.
        channel: NotificationChannelId,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

impl Row for NotificationChannel {
    const COLUMNS: &'static [&'static str] = &["id", "name", "to", "on", "delivered", "waiting", "error"];
    fn cells(&self) -> Vec<String> {
        let topics: Vec<_> = self.topics.iter().map(|topic| topic.as_str()).collect();
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.origin.clone(),
            topics.join(", "),
            table::age(self.delivered_at),
            self.waiting.to_string(),
            self.error.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: NotificationChannelCommand, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    match command {
        NotificationChannelCommand::Create { name, webhook, topics } => {
            let url = secret::value_of("the webhook's URL", &webhook)?;
            let topics = if topics.is_empty() { usual() } else { topics };
            let new = NewNotificationChannel { name, url, topics };
            output.object(&client.create_notification_channel(&new).await?)?;
        }
        NotificationChannelCommand::List(which) => {
            return list::print::<NotificationChannelList, _>(session, (), PageQuery::default(), which).await;
        }
        NotificationChannelCommand::Show { channel } => {
            output.object(&client.get_notification_channel(channel).await?)?;
        }
        NotificationChannelCommand::Test { channel } => {
            let test = client.test_notification_channel(channel).await?;
            output.object(&test)?;
            return Ok(if test.delivered { Exit::Done } else { Exit::NotDone });
        }
        NotificationChannelCommand::Delete { channel, delete } => {
            return remove(session, channel, delete).await;
        }
    }
    Ok(Exit::Done)
}

async fn remove(session: &Session, id: NotificationChannelId, delete: DeleteArgs) -> Result<Exit> {
    if delete.dry_run {
        let channel = session.client.get_notification_channel(id).await?;
        session.output.say("This would be deleted, with what waits for it:");
        session.output.object(&channel)?;
        return Ok(Exit::Done);
    }
    if !delete.confirm(&format!("the notification channel {id}"))? {
        return Ok(Exit::NotDone);
    }
    session.client.delete_notification_channel(id).await?;
    session.output.say("Deleted.");
    Ok(Exit::Done)
}
