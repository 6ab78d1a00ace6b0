//! How people are told, by mail and by webhooks, blocking.

use std::sync::Arc;

use roadstead_api::{
    id::NotificationChannelId,
    mail_settings::{MailSettings, MailTest, NewMailSettings},
    notification_channel::{
        NewNotificationChannel, NotificationChannel, NotificationChannelWithSecret, NotificationTest,
    },
};
use tokio::runtime::Runtime;

use super::{Client, IntoBlocking, refuse_async};
use crate::error::Result;

answers!(MailSettings, MailTest, NotificationChannel, NotificationChannelWithSecret, NotificationTest);

namesakes! { Client:
    fn mail_settings(&self) -> MailSettings;
    fn set_mail_settings(&self, new: &NewMailSettings) -> MailSettings;
    fn delete_mail_settings(&self) -> ();
    fn test_mail_settings(&self, to: &str) -> MailTest;
    fn create_notification_channel(&self, new: &NewNotificationChannel) -> NotificationChannelWithSecret;
    fn notification_channels(&self) -> Vec<NotificationChannel>;
    fn get_notification_channel(&self, id: NotificationChannelId) -> NotificationChannel;
    fn delete_notification_channel(&self, id: NotificationChannelId) -> ();
    fn test_notification_channel(&self, id: NotificationChannelId) -> NotificationTest;
}
