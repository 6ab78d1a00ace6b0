//! `roadstead mail-settings`: the SMTP server that mail goes through, and who gets alarms and the digest.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use roadstead_client::api::mail_settings::{MailSecurity, MailSettings, MailTest, NewMailSettings};

use crate::{
    confirm::DeleteArgs,
    error::{Error, Exit, Result},
    secret,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum MailSettingsCommand {
    /// Show the mail settings; the password is not shown.
    #[command(after_help = "Example:\n  roadstead mail-settings show")]
    Show,
    /// Set the mail settings, in place of those before.
    #[command(
        after_help = "Mail of runs goes to the addresses of their configurations (backup-configurations create --notify); \
                      alarms and the digest go to the addresses here.\n\nExample:\n  roadstead mail-settings set --host \
                      mail.example.com --username roadstead --password @/etc/roadstead/mail-password --sender \
                      roadstead@example.com --to ops@example.com --digest-at 07:30 --timezone Europe/Paris\n  roadstead \
                      mail-settings set --host 127.0.0.1 --port 25 --security none --sender roadstead@example.com"
    )]
    Set(Box<SetArgs>),
    /// Send a test mail, and say how that went.
    #[command(
        after_help = "Exit status: 0 when the SMTP server took it, 1 when not.\n\nExample:\n  roadstead \
                            mail-settings test ops@example.com"
    )]
    Test {
        /// Who is to get it.
        to: String,
    },
    /// Delete the mail settings, with what waits to be sent: no more mail.
    #[command(after_help = "Example:\n  roadstead mail-settings delete --yes")]
    Delete {
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

/// Settings to be kept.
#[derive(Args, Debug)]
pub struct SetArgs {
    /// The SMTP server: a name or an address.
    #[arg(long)]
    host: String,
    /// Its port; 465, 587 or 25 when absent, as the protection has it.
    #[arg(long)]
    port: Option<u16>,
    /// How the connection is protected: tls (from the start), starttls or none.
    #[arg(long, default_value = "tls")]
    security: MailSecurity,
    /// The user to sign in as; without one, nobody signs in.
    #[arg(long)]
    username: Option<String>,
    /// The password: @FILE or - for standard input. Without it the one before stays, if server and user do.
    #[arg(long, value_name = "SECRET", requires = "username")]
    password: Option<String>,
    /// A CA to be trusted beside the public ones: a file with its certificate in PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The address that mail comes from.
    #[arg(long, value_name = "MAIL")]
    sender: String,
    /// Who gets alarms and the digest.
    #[arg(long, num_args = 1.., value_name = "MAIL")]
    to: Vec<String>,
    /// When the daily digest comes, such as 07:30; without it there is none.
    #[arg(long, value_name = "HH:MM")]
    digest_at: Option<String>,
    /// The time zone whose clocks that goes by, such as Europe/Paris.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    timezone: String,
}

impl Row for MailSettings {
    const COLUMNS: &'static [&'static str] =
        &["server", "security", "user", "sender", "to", "digest", "delivered", "waiting", "error"];
    fn cells(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            format!("{}:{}", self.host, self.port),
            self.security.as_str().to_owned(),
            self.username.clone().unwrap_or_else(dash),
            self.sender.clone(),
            self.recipients.join("\n"),
            self.digest_at.as_ref().map_or_else(dash, |at| format!("{at} {}", self.timezone)),
            table::age(self.delivered_at),
            self.waiting.to_string(),
            self.error.clone().unwrap_or_else(dash),
        ]
    }
}

impl Row for MailTest {
    const COLUMNS: &'static [&'static str] = &["delivered", "error"];
    fn cells(&self) -> Vec<String> {
        vec![table::yes(self.delivered), self.error.clone().unwrap_or_else(|| "-".to_owned())]
    }
}

/// Carries out a verb.
pub async fn run(command: MailSettingsCommand, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    match command {
        MailSettingsCommand::Show => output.object(&client.mail_settings().await?)?,
        MailSettingsCommand::Set(args) => {
            let new = settings(*args)?;
            output.object(&client.set_mail_settings(&new).await?)?;
        }
        MailSettingsCommand::Test { to } => {
            let test = client.test_mail_settings(&to).await?;
            output.object(&test)?;
            return Ok(if test.delivered { Exit::Done } else { Exit::NotDone });
        }
        MailSettingsCommand::Delete { delete } => return remove(session, delete).await,
    }
    Ok(Exit::Done)
}

fn settings(args: SetArgs) -> Result<NewMailSettings> {
    let password = args.password.map(|argument| secret::unseen("the password", &argument)).transpose()?;
    let read = |path: PathBuf| {
        fs::read_to_string(&path)
            .map_err(|e| Error::local(format!("cannot read {}", path.display())).caused_by(e))
    };
    Ok(NewMailSettings {
        port: args.port,
        security: args.security,
        username: args.username,
        password,
        ca: args.ca.map(read).transpose()?,
        recipients: args.to,
        digest_at: args.digest_at,
        timezone: args.timezone,
        ..NewMailSettings::new(args.host, args.sender)
    })
}

async fn remove(session: &Session, delete: DeleteArgs) -> Result<Exit> {
    if delete.dry_run {
        let settings = session.client.mail_settings().await?;
        session.output.say("These would be deleted, with what waits to be sent:");
        session.output.object(&settings)?;
        return Ok(Exit::Done);
    }
    if !delete.confirm("the mail settings")? {
        return Ok(Exit::NotDone);
    }
    session.client.delete_mail_settings().await?;
    session.output.say("Deleted.");
    Ok(Exit::Done)
}
