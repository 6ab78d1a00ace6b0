//! Mail settings: setting, testing and deleting them, and sending by them.

use jiff::{Timestamp, ToSpan};
use roadstead_api::{
    id::AccountId,
    mail_settings::{
        MailSecurity, MailSettings, MailSettingsDelete, MailSettingsSet, MailSettingsShow, MailSettingsTest,
        MailTest, NewMailSettings, NewMailTest,
    },
    schedule::TimeOfDay,
};

use super::{Context, validate};
use crate::{
    Error, Result,
    app::App,
    db::{self, mail::Waiting, mail_settings::SettingsRow},
    delivery::Refusal,
    mail::{self, Mail, MailServer, text},
    random,
    schedule::zone,
};

/// How many recipients an account may have.
const MAX_RECIPIENTS: usize = 20;
/// How long a host's name is at the most, in bytes (RFC 1035), and user and password with it.
const MAX_TEXT: usize = 255;
/// How long a CA's certificate is at the most, in bytes.
const MAX_CA: usize = 20_000;

/// Shows the settings.
pub async fn show(context: &Context) -> Result<MailSettings> {
    context.authorize::<MailSettingsShow>()?;
    Ok(get(context, context.account()).await?.shown)
}

/// Sets them, in place of those before.
pub async fn set(context: &Context, new: NewMailSettings) -> Result<MailSettings> {
    context.authorize::<MailSettingsSet>()?;
    check(&new)?;
    let account = context.account();
    let key = context.account_key(account).await?;
    let mut change = context.change::<MailSettingsSet>().await?;
    let before = db::mail_settings::get(&mut change, account).await?;
    let sealed_password = match (&new.password, before) {
        (Some(password), _) => Some(key.seal(&place(account), password)?),
        // A password goes to no other server than the one that it was given for.
        (None, Some(before)) if before.shown.host == new.host && before.shown.username == new.username => {
            before.sealed_password
        }
        (None, _) => None,
    };
    if new.username.is_some() != sealed_password.is_some() {
        return Err(Error::invalid("username and password go together; give both, or neither."));
    }
    let row = row(new, sealed_password, context.now_ms())?;
    db::mail_settings::set(&mut change, account, &row).await?;
    // What waited for better settings need not wait longer.
    db::mail::hurry(&mut change, account, context.now_ms()).await?;
    change.commit(account).await?;
    Ok(get(context, account).await?.shown)
}

fn row(new: NewMailSettings, sealed_password: Option<String>, now_ms: i64) -> Result<SettingsRow> {
    let digest_due_ms =
        new.digest_at.as_deref().map(|at| next_digest(at, &new.timezone, now_ms)).transpose()?;
    let shown = MailSettings {
        port: new.port.unwrap_or(new.security.usual_port()),
        host: new.host,
        security: new.security,
        username: new.username,
        has_password: sealed_password.is_some(),
        ca: new.ca,
        sender: new.sender,
        recipients: new.recipients,
        digest_at: new.digest_at,
        timezone: new.timezone,
        delivered_at: None,
        error: None,
        waiting: 0,
    };
    Ok(SettingsRow { shown, sealed_password, digest_due_ms })
}

/// Deletes the settings, with what waits.
pub async fn delete(context: &Context) -> Result<()> {
    let mut change = context.change::<MailSettingsDelete>().await?;
    if !db::mail_settings::delete(&mut change, context.account()).await? {
        return Err(not_found());
    }
    change.commit(context.account()).await
}

/// Sends a test, and waits for how it goes.
pub async fn test(context: &Context, new: NewMailTest) -> Result<MailTest> {
    context.authorize::<MailSettingsTest>()?;
    address("to", &new.to)?;
    get(context, context.account()).await?;
    context.change::<MailSettingsTest>().await?.commit(context.account()).await?;
    let waiting =
        Waiting { id: 0, recipient: new.to, letter: text::test(), created_ms: context.now_ms(), attempts: 1 };
    let number = format!("test.{}", random::id()?);
    let refusal = send(context, context.account(), &number, &waiting).await?;
    Ok(MailTest { delivered: refusal.is_none(), error: refusal.map(|refusal| refusal.why) })
}

/// Sends a mail by an account's settings, and notes how that went; returns why it was not taken.
pub async fn send(app: &App, account: AccountId, number: &str, waiting: &Waiting) -> Result<Option<Refusal>> {
    let SettingsRow { shown, sealed_password, .. } = get(app, account).await?;
    let password = match sealed_password {
        Some(sealed) => Some(app.account_key(account).await?.open(&place(account), &sealed)?),
        None => None,
    };
    let server = MailServer {
        host: shown.host,
        port: shown.port,
        security: shown.security,
        credentials: shown.username.zip(password),
        ca: shown.ca,
        sender: shown.sender,
    };
    let Waiting { recipient: to, letter, .. } = waiting;
    let mail = Mail { number, to, letter, public_url: &app.public_url };
    let refusal = mail::send(app.drivers.guard, &server, &mail).await.err();
    let mut write = app.db.write().await?;
    match &refusal {
        None => db::mail_settings::set_delivered(&mut write, account, app.now_ms()).await?,
        Some(refusal) => db::mail_settings::set_error(&mut write, account, &refusal.why).await?,
    }
    write.commit().await?;
    Ok(refusal)
}

/// When a digest comes next after a time, in milliseconds since 1970.
pub fn next_digest(at: &str, timezone: &str, now_ms: i64) -> Result<i64> {
    let time = time_of_day(at)?;
    let wrong = |e: jiff::Error| Error::invalid("digest_at has no next time").caused_by(e);
    let now = Timestamp::from_millisecond(now_ms).map_err(wrong)?.to_zoned(zone(timezone)?);
    let mut day = now.date();
    loop {
        // A time that clocks leave out comes when they have been put forward.
        let next =
            day.at(time.hour(), time.minute(), 0, 0).to_zoned(now.time_zone().clone()).map_err(wrong)?;
        if next > now {
            return Ok(next.timestamp().as_millisecond());
        }
        day = day.checked_add(1.day()).map_err(wrong)?;
    }
}

fn time_of_day(text: &str) -> Result<TimeOfDay> {
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = text.split_once(':').filter(|(hour, minute)| two_digits(hour) && two_digits(minute));
    let parsed = parsed.and_then(|(hour, minute)| TimeOfDay::new(hour.parse().ok()?, minute.parse().ok()?));
    parsed.ok_or_else(|| Error::invalid(format!("digest_at is {text:.20?}; it should look like 07:30.")))
}

fn check(new: &NewMailSettings) -> Result<()> {
    let host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if new.host.is_empty() || new.host.len() > MAX_TEXT || !new.host.chars().all(host) {
        return Err(Error::invalid("host should look like mail.example.com."));
    }
    if new.port == Some(0) {
        return Err(Error::invalid("port goes from 1 to 65535."));
    }
    for (field, text) in [("username", &new.username), ("password", &new.password)] {
        let fits = |text: &String| (1..=MAX_TEXT).contains(&text.len()) && !text.contains(['\r', '\n', '\0']);
        if text.as_ref().is_some_and(|text| !fits(text)) {
            return Err(Error::invalid(format!("{field} takes 1 to {MAX_TEXT} bytes on one line.")));
        }
    }
    if new.security == MailSecurity::None && new.username.is_some() && !is_this_machine(&new.host) {
        return Err(Error::invalid(
            "A password is not sent without encryption; use the security starttls or tls, or leave out the user.",
        ));
    }
    if let Some(ca) = &new.ca {
        if ca.len() > MAX_CA {
            return Err(Error::invalid(format!("ca takes up to {MAX_CA} bytes.")));
        }
        mail::check_ca(ca)?;
    }
    address("sender", &new.sender)?;
    if new.recipients.len() > MAX_RECIPIENTS {
        return Err(Error::invalid(format!("recipients takes up to {MAX_RECIPIENTS} addresses.")));
    }
    new.recipients.iter().try_for_each(|recipient| address("recipients", recipient))?;
    zone(&new.timezone).map(drop)
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

/// Checks one address.
fn address(field: &str, text: &str) -> Result<()> {
    if text.contains(',') || text != text.trim() {
        return Err(Error::invalid(format!("{field}: {text:.100?} is no mail address.")));
    }
    validate::emails(field, text)
}

fn place(account: AccountId) -> String {
    format!("mail_settings/{account}/sealed_password")
}

async fn get(app: &App, account: AccountId) -> Result<SettingsRow> {
    let found = db::mail_settings::get(&mut *app.db.read().await?, account).await?;
    found.ok_or_else(not_found)
}

fn not_found() -> Error {
    Error::not_found("There are no mail settings; set them first: roadstead mail-settings set.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn a_digest_comes_once_a_day_by_the_clocks_of_its_zone() {
        assert_eq!(next_digest("07:30", "UTC", 0).unwrap(), 7 * HOUR_MS + HOUR_MS / 2);
        assert_eq!(next_digest("07:30", "UTC", 8 * HOUR_MS).unwrap(), 31 * HOUR_MS + HOUR_MS / 2);
        // In Berlin the clocks were put forward at 02:00 on 29 March 2026.
        let night = "2026-03-28T12:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        let next = Timestamp::from_millisecond(next_digest("02:30", "Europe/Berlin", night).unwrap());
        assert_eq!(next.unwrap().to_string(), "2026-03-29T01:30:00Z");
        for wrong in ["7:30", "24:00", "07:60", "0730", "+7:30", ""] {
            assert!(next_digest(wrong, "UTC", 0).is_err(), "{wrong}");
        }
        assert!(next_digest("07:30", "Mars/Crater", 0).is_err());
    }

    #[test]
    fn settings_are_looked_at() {
        let good = NewMailSettings::new("mail.example.com", "roadstead@example.com");
        check(&good).unwrap();
        let password =
            || NewMailSettings { username: Some("u".into()), password: Some("p".into()), ..good.clone() };
        check(&password()).unwrap();
        check(&NewMailSettings { security: MailSecurity::None, host: "localhost".into(), ..password() })
            .unwrap();
        let wrong = [
            NewMailSettings { host: String::new(), ..good.clone() },
            NewMailSettings { host: "a b".into(), ..good.clone() },
            NewMailSettings { port: Some(0), ..good.clone() },
            NewMailSettings { sender: "a@b, c@d".into(), ..good.clone() },
            NewMailSettings { recipients: vec!["nobody".into()], ..good.clone() },
            NewMailSettings { recipients: vec!["a@b".into(); 21], ..good.clone() },
            NewMailSettings { security: MailSecurity::None, ..password() },
            NewMailSettings { password: Some("a\r\nb".into()), ..password() },
            NewMailSettings { ca: Some("x".into()), ..good.clone() },
            NewMailSettings { timezone: "x".into(), ..good },
        ];
        for (index, wrong) in wrong.iter().enumerate() {
            assert!(check(wrong).is_err(), "{index}");
        }
    }
}
