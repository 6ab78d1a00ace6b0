//! Mail: one message to one recipient over SMTP (RFC 5321), as `roadstead_api::mail_settings` describes it.
//!
//! The server's name is resolved and checked by the address guard, and the connection goes to the very address that was
//! checked. All of it has a minute. A message has the same Message-ID at each try, so that whoever gets it twice shows it
//! once.

pub mod text;

use std::{error::Error as _, time::Duration};

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        extension::ClientId,
    },
};
use roadstead_api::mail_settings::MailSecurity;
use roadstead_providers::AddressGuard;

use crate::{Error, Result, delivery::Refusal};
use text::Letter;

/// How long one delivery may take.
const WITHIN: Duration = Duration::from_secs(60);
/// The replies that say that there is no such recipient, and never will be (RFC 5321, section 4.2.3).
const NO_RECIPIENT: [u16; 3] = [550, 551, 553];

/// The way to an SMTP server.
#[derive(Debug)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// The certificate of a CA to be trusted beside the public ones, in PEM.
    pub ca: Option<String>,
    /// The address that mail comes from.
    pub sender: String,
}

/// One message to one recipient.
#[derive(Debug)]
pub struct Mail<'a> {
    /// What makes it different from all others of the account; the same at each try.
    pub number: &'a str,
    /// Who is to get it.
    pub to: &'a str,
    /// What it says.
    pub letter: &'a Letter,
    /// Which server it comes from; stands at its end.
    pub public_url: &'a str,
}

/// Sends a message.
pub async fn send(guard: AddressGuard, server: &MailServer, mail: &Mail<'_>) -> Result<(), Refusal> {
    let late = || Refusal::for_now(format!("The SMTP server did not answer within {} s.", WITHIN.as_secs()));
    tokio::time::timeout(WITHIN, transmit(guard, server, mail)).await.unwrap_or_else(|_| Err(late()))
}

/// Checks a certificate.
pub fn check_ca(pem: &str) -> Result<()> {
    let wrong = |e: SmtpError| Error::invalid("ca is no certificate in PEM").caused_by(e);
    let certificate = Certificate::from_pem(pem.as_bytes()).map_err(wrong)?;
    let builder = TlsParameters::builder("localhost".to_owned()).add_root_certificate(certificate);
    builder.build_rustls().map_err(wrong)?;
    // What holds no certificate at all is no error above.
    match pem.contains("-----BEGIN CERTIFICATE-----") {
        true => Ok(()),
        false => Err(Error::invalid("ca is no certificate in PEM.")),
    }
}

async fn transmit(guard: AddressGuard, server: &MailServer, mail: &Mail<'_>) -> Result<(), Refusal> {
    let (message, envelope) = compose(server, mail).map_err(|e| Refusal::for_now(e.chain()))?;
    let mut connection = connect(guard, server).await?;
    let sent = connection.send(&envelope, &message).await.map_err(|error| {
        let for_good = error.status().is_some_and(|code| NO_RECIPIENT.contains(&code.into()));
        Refusal { why: told("The SMTP server did not take the mail", &error), for_good }
    });
    // What was taken is taken, however the farewell goes.
    let _ = connection.quit().await;
    sent.map(drop)
}

async fn connect(guard: AddressGuard, server: &MailServer) -> Result<AsyncSmtpConnection, Refusal> {
    let unreachable = "The SMTP server cannot be reached";
    let addresses = guard.resolve(&server.host, server.port).await;
    let addresses =
        addresses.map_err(|e| Refusal::for_now(Error::invalid(unreachable).caused_by(e).chain()))?;
    let failed = |e: SmtpError| Refusal::for_now(told(unreachable, &e));
    // Servers that look at this name want one of the Internet's; the sender's domain is.
    let hello = ClientId::Domain(server.sender.rsplit('@').next().unwrap_or_default().to_owned());
    let from_the_start = if server.security == MailSecurity::Tls { Some(tls(server)?) } else { None };
    let connected =
        AsyncSmtpConnection::connect_tokio1(&addresses[..], Some(WITHIN), &hello, from_the_start, None);
    let mut connection = connected.await.map_err(failed)?;
    if server.security == MailSecurity::Starttls {
        connection.starttls(tls(server)?, &hello).await.map_err(failed)?;
    }
    if let Some((user, password)) = &server.credentials {
        let credentials = Credentials::new(user.clone(), password.clone());
        let signed_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
        signed_in.map_err(|e| Refusal::for_now(told("The SMTP server did not let this user in", &e)))?;
    }
    Ok(connection)
}

fn tls(server: &MailServer) -> Result<TlsParameters, Refusal> {
    let failed = |e: SmtpError| Refusal::for_now(told("TLS cannot be set up", &e));
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(ca) = &server.ca {
        builder = builder.add_root_certificate(Certificate::from_pem(ca.as_bytes()).map_err(failed)?);
    }
    builder.build_rustls().map_err(failed)
}

/// A message as it goes over the wire, and whom it is from and to.
fn compose(server: &MailServer, mail: &Mail<'_>) -> Result<(Vec<u8>, Envelope)> {
    let broken = |e: lettre::error::Error| Error::internal("The mail cannot be written").caused_by(e);
    let (from, to) = (address(&server.sender)?, address(mail.to)?);
    let number = format!("<{}.roadstead@{}>", mail.number, from.domain());
    let body = format!("{}\n\n-- \nRoadstead at {}\n", mail.letter.body.trim_end(), mail.public_url);
    let builder = Message::builder()
        .from(Mailbox::new(Some("Roadstead".to_owned()), from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(mail.letter.subject.as_str())
        .message_id(Some(number))
        .header(ContentType::TEXT_PLAIN);
    let mut message = builder.body(body).map_err(broken)?;
    // RFC 3834: who answers mail by machine is not to answer this.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
    let envelope = Envelope::new(Some(from), vec![to]).map_err(broken)?;
    Ok((message.formatted(), envelope))
}

fn address(text: &str) -> Result<Address> {
    text.parse().map_err(|e| Error::invalid(format!("{text:.254} is no mail address")).caused_by(e))
}

/// An error of the SMTP client with its causes, as far as those say more. The far side may have written any of it.
fn told(what: &str, error: &SmtpError) -> String {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    let mut text: String = text.chars().filter(|c| !c.is_control()).take(500).collect();
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use roadstead_api::mail_settings::MailSecurity;

    use super::{Letter, Mail, MailServer, check_ca, compose};

    fn composed(subject: &str, body: &str) -> String {
        let server = MailServer {
            host: "localhost".to_owned(),
            port: 25,
            security: MailSecurity::None,
            credentials: None,
            ca: None,
            sender: "roadstead@example.com".to_owned(),
        };
        let letter = Letter { subject: subject.to_owned(), body: body.to_owned() };
        let public_url = "https://backup.example.com";
        let mail = Mail { number: "1.2", to: "ops@example.org", letter: &letter, public_url };
        String::from_utf8(compose(&server, &mail).unwrap().0).unwrap()
    }

    #[test]
    fn a_mail_is_ascii_with_short_lines_and_no_header_of_another() {
        let text = composed("Grüße\r\nBcc: all@example.com", &"Größe\n".repeat(500));
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 998), "{text}");
        let headers = text.split("\r\n\r\n").next().unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
        for header in ["Message-ID: <1.2.roadstead@example.com>", "Auto-Submitted: auto-generated", "Date: "]
        {
            assert!(headers.contains(header), "{header}: {headers}");
        }
    }

    #[test]
    fn certificates_are_looked_at() {
        for wrong in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(check_ca(wrong).is_err(), "{wrong}");
        }
    }
}
