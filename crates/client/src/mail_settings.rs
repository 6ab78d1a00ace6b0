//! Mail settings: the SMTP server that mail goes through, and who gets alarms and the digest.

use roadstead_api::mail_settings::{
    MailSettings, MailSettingsDelete, MailSettingsSet, MailSettingsShow, MailSettingsTest, MailTest,
    NewMailSettings, NewMailTest,
};

use crate::{Client, error::Result};

impl Client {
    /// Reads the mail settings. Talks to the server.
    pub async fn mail_settings(&self) -> Result<MailSettings> {
        self.call::<MailSettingsShow>(&(), &(), &()).await
    }

    /// Sets the mail settings, in place of those before. Talks to the server.
    pub async fn set_mail_settings(&self, new: &NewMailSettings) -> Result<MailSettings> {
        self.call::<MailSettingsSet>(&(), &(), new).await
    }

    /// Deletes the mail settings, with what waits to be sent. Talks to the server.
    pub async fn delete_mail_settings(&self) -> Result<()> {
        self.call::<MailSettingsDelete>(&(), &(), &()).await
    }

    /// Has the server send a test mail to an address, and waits for how it goes. Talks to the server.
    pub async fn test_mail_settings(&self, to: &str) -> Result<MailTest> {
        self.call::<MailSettingsTest>(&(), &(), &NewMailTest { to: to.to_owned() }).await
    }
}
