//! Notification channels: where it is told that a run has ended or an alarm was opened.

use roadstead_api::{
    PageQuery,
    id::NotificationChannelId,
    notification_channel::{
        NewNotificationChannel, NotificationChannel, NotificationChannelCreate, NotificationChannelDelete,
        NotificationChannelList, NotificationChannelShow, NotificationChannelTest,
        NotificationChannelWithSecret, NotificationTest,
    },
};

use crate::{Client, error::Result};

impl Client {
    /// Makes a channel; the answer holds its secret, this once. Talks to the server.
    pub async fn create_notification_channel(
        &self,
        new: &NewNotificationChannel,
    ) -> Result<NotificationChannelWithSecret> {
        self.call::<NotificationChannelCreate>(&(), &(), new).await
    }

    /// Lists the channels, oldest first. Talks to the server.
    pub async fn notification_channels(&self) -> Result<Vec<NotificationChannel>> {
        self.list_all::<NotificationChannelList, _>((), PageQuery::default()).await
    }

    /// Reads one channel. Talks to the server.
    pub async fn get_notification_channel(&self, id: NotificationChannelId) -> Result<NotificationChannel> {
        self.call::<NotificationChannelShow>(&id, &(), &()).await
    }

    /// Deletes a channel, with what waits for it. Talks to the server.
    pub async fn delete_notification_channel(&self, id: NotificationChannelId) -> Result<()> {
        self.call::<NotificationChannelDelete>(&id, &(), &()).await
    }

    /// Has the server send a test, and waits for how it goes. Talks to the server.
    pub async fn test_notification_channel(&self, id: NotificationChannelId) -> Result<NotificationTest> {
        self.call::<NotificationChannelTest>(&id, &(), &()).await
    }
}
