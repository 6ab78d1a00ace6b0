//! Mail settings: the SMTP server that an account's mail goes through, who gets its alarms, and when the digest comes.
//!
//! Mail is sent to the addresses of a backup or restore configuration when one of its runs has ended, as
//! `notify_success` and `notify_failure` say; to [`MailSettings::recipients`] and to the configuration's addresses when
//! an alarm was opened, once each; and to the recipients once a day, if there is a digest.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::endpoint::endpoints;

/// How the connection to the SMTP server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS from the first byte on, usually at port 465 (RFC 8314).
    #[default]
    Tls,
    /// TLS after STARTTLS, usually at port 587 (RFC 3207). A server that does not offer it gets no mail.
    Starttls,
    /// None, usually at port 25. No password is sent so but to the machine itself.
    None,
}

impl MailSecurity {
    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Starttls => "starttls",
            Self::None => "none",
        }
    }

    /// The port where servers usually are.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::Starttls => 587,
            Self::None => 25,
        }
    }
}

impl std::str::FromStr for MailSecurity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = [Self::Tls, Self::Starttls, Self::None].into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| format!("{text:.50?} is none of tls, starttls and none"))
    }
}

/// An account's mail settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MailSettings {
    /// The SMTP server: a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// The user to sign in as; nobody where absent.
    pub username: Option<String>,
    /// Whether a password is kept. It is not shown.
    pub has_password: bool,
    /// The certificate of a CA, in PEM, that is trusted beside the public ones.
    pub ca: Option<String>,
    /// The address that mail comes from.
    pub sender: String,
    /// Who gets alarms and the digest.
    pub recipients: Vec<String>,
    /// When the daily digest comes, such as `07:30`; never where absent.
    pub digest_at: Option<String>,
    /// The IANA time zone whose clocks that goes by.
    pub timezone: String,
    /// When a mail was last taken by the server.
    pub delivered_at: Option<Timestamp>,
    /// Why the last try failed; nothing where it did not.
    pub error: Option<String>,
    /// How many mails wait to be taken.
    pub waiting: u64,
}

/// Mail settings to be kept in place of those before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMailSettings {
    /// The SMTP server: a name or an address, 1 to 255 characters.
    pub host: String,
    /// Its port; the usual one of the protection when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: MailSecurity,
    /// The user to sign in as; nobody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password. When absent, the one before stays, if server and user do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The certificate of a CA, in PEM, to be trusted beside the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The address that mail comes from.
    pub sender: String,
    /// Who gets alarms and the digest, up to 20 addresses.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// When the daily digest comes, such as `07:30`; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_at: Option<String>,
    /// The IANA time zone whose clocks that goes by; `UTC` when absent.
    #[serde(default = "utc")]
    pub timezone: String,
}

impl NewMailSettings {
    /// Settings for a server that is spoken to by TLS, without a user; alarms go to nobody yet.
    pub fn new(host: impl Into<String>, sender: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            security: MailSecurity::default(),
            username: None,
            password: None,
            ca: None,
            sender: sender.into(),
            recipients: Vec::new(),
            digest_at: None,
            timezone: utc(),
        }
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A test to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMailTest {
    /// Who is to get it.
    pub to: String,
}

/// How a test went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MailTest {
    /// Whether the server took it.
    pub delivered: bool,
    /// Why not.
    pub error: Option<String>,
}

endpoints! {
    /// Shows the mail settings.
    MailSettingsShow = "mail_settings_show": Get "/mail-settings", Admin, (()) ? (), () => 200 MailSettings;
    /// Sets the mail settings, in place of those before.
    MailSettingsSet = "mail_settings_set": Post "/mail-settings", Admin, (()) ? (), NewMailSettings => 200 MailSettings;
    /// Deletes the mail settings, with what waits to be sent: no more mail.
    MailSettingsDelete = "mail_settings_delete": Delete "/mail-settings", Admin, (()) ? (), () => 204 ();
    /// Sends a test at once, and says how that went.
    MailSettingsTest = "mail_settings_test": Post "/mail-settings/test", Admin, (()) ? (), NewMailTest => 200 MailTest;
}
