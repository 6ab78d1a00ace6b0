//! Mail: who is told of what, through a server that speaks SMTP on a socket, and what becomes of it when that is down.

use std::net::TcpListener;

use roadstead_api::{
    backup_configuration::NewBackupConfiguration,
    mail_settings::{MailSecurity, NewMailSettings},
    run::RunState,
};
use roadstead_client::ErrorKind;

use crate::support::{
    Agent, Server,
    smtp::{Smtp, Speech},
    tree, wait_until,
};

/// Settings for a server of the tests.
fn settings(smtp: &Smtp, security: MailSecurity) -> NewMailSettings {
    NewMailSettings {
        port: Some(smtp.address.port()),
        security,
        ca: Some(smtp.ca.clone()),
        recipients: vec!["ops@example.com".to_owned()],
        ..NewMailSettings::new("localhost", "roadstead@example.com")
    }
}

#[test]
fn a_backup_is_told_by_mail_to_whom_its_configuration_names_and_an_alarm_once() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 1000);
    let smtp = Smtp::start(Speech::Plain, None);
    server.client.set_mail_settings(&settings(&smtp, MailSecurity::None)).unwrap();
    let new = NewBackupConfiguration {
        notification_email: Some("ann@example.com, bob@example.com".to_owned()),
        notify_success: true,
        notify_failure: true,
        ..NewBackupConfiguration::new("daily", agent.id, vec![source.path().to_str().unwrap().to_owned()])
    };
    let configuration = server.client.create_backup_configuration(new).unwrap().id;

    agent.back_up_well(&server, configuration);
    let mut taken = [smtp.next(), smtp.next()];
    taken.sort_by(|a, b| a.to.cmp(&b.to));
    assert_eq!((taken[0].to.as_str(), taken[1].to.as_str()), ("ann@example.com", "bob@example.com"));
    assert_eq!(taken[0].from, "roadstead@example.com");
    assert!(taken[0].header("Subject").contains("has ended well"), "{:?}", taken[0]);
    assert_eq!(taken[0].header("Auto-Submitted"), "auto-generated");
    assert_ne!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    assert!(taken[0].body().contains("Files    3 searched, 3 backed up"), "{}", taken[0].body());
    assert!(taken[0].body().contains("The backup daily-1 on agent"), "{}", taken[0].body());

    // A quota that is used up fails the backup, and opens an alarm: one mail each to those who are to know.
    tree::fill(source.path(), 40, 1 << 20);
    server.client.set_quota(Some(&agent.vault), 1 << 20).unwrap();
    let failed = agent.back_up(&server, configuration);
    assert_eq!(failed.state, RunState::Failed);
    let mut taken = [smtp.next(), smtp.next(), smtp.next()];
    taken.sort_by(|a, b| a.to.cmp(&b.to));
    let to: Vec<_> = taken.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["ann@example.com", "bob@example.com", "ops@example.com"]);
    let told = taken[0].body();
    assert!(told.contains("The quota of this vault"), "{told}");
    assert!(told.contains(&format!("roadstead backups start --configuration {configuration}")), "{told}");
    assert!(taken[2].header("Subject").contains("A quota is used up"), "{:?}", taken[2]);
    wait_until("all is sent", || {
        let shown = server.client.mail_settings().unwrap();
        shown.waiting == 0 && shown.delivered_at.is_some() && shown.error.is_none()
    });
}

#[test]
fn passwords_go_over_tls_and_a_test_says_what_is_wrong() {
    let server = Server::start();
    assert_eq!(server.client.mail_settings().unwrap_err().kind(), ErrorKind::NotFound);
    for (speech, security) in [(Speech::Starttls, MailSecurity::Starttls), (Speech::Tls, MailSecurity::Tls)] {
        let smtp = Smtp::start(speech, Some(("roadstead", "open sesame")));
        let good = NewMailSettings {
            username: Some("roadstead".to_owned()),
            password: Some("open sesame".to_owned()),
            ..settings(&smtp, security)
        };
        let shown = server.client.set_mail_settings(&good).unwrap();
        assert!(shown.has_password && !format!("{shown:?}").contains("sesame"));
        let test = server.client.test_mail_settings("ann@example.com").unwrap();
        assert!(test.delivered, "{test:?}");
        let taken = smtp.next();
        assert!(taken.encrypted && taken.user.as_deref() == Some("roadstead"), "{taken:?}");

        // Without a new password the old one stays; with a wrong one nobody is let in.
        server.client.set_mail_settings(&NewMailSettings { password: None, ..good.clone() }).unwrap();
        assert!(server.client.test_mail_settings("ann@example.com").unwrap().delivered);
        let wrong = NewMailSettings { password: Some("wrong".to_owned()), ..good.clone() };
        server.client.set_mail_settings(&wrong).unwrap();
        let error = server.client.test_mail_settings("ann@example.com").unwrap().error.unwrap();
        assert!(error.contains("did not let this user in") && error.contains("535"), "{error}");
        // A certificate of nobody's is not trusted.
        server.client.set_mail_settings(&NewMailSettings { ca: None, ..good.clone() }).unwrap();
        assert!(!server.client.test_mail_settings("ann@example.com").unwrap().delivered);
        // The password goes to no other server.
        let other = NewMailSettings { host: "127.0.0.1".to_owned(), password: None, ..good.clone() };
        assert_eq!(server.client.set_mail_settings(&other).unwrap_err().kind(), ErrorKind::Invalid);
        // A server that does not offer STARTTLS gets no password.
        let plain = Smtp::start(Speech::Plain, Some(("roadstead", "open sesame")));
        let port = Some(plain.address.port());
        let downgraded = NewMailSettings { port, security: MailSecurity::Starttls, ..good };
        server.client.set_mail_settings(&downgraded).unwrap();
        let error = server.client.test_mail_settings("ann@example.com").unwrap().error.unwrap();
        assert!(error.contains("STARTTLS"), "{error}");
    }
    server.client.delete_mail_settings().unwrap();
    assert_eq!(server.client.mail_settings().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn mail_waits_for_a_server_that_is_down_and_for_better_settings() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 10);
    let smtp = Smtp::start(Speech::Plain, None);
    smtp.script.lock().unwrap().push_back("451 4.3.0 later");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let down = NewMailSettings { port: Some(free), ..settings(&smtp, MailSecurity::None) };
    server.client.set_mail_settings(&down).unwrap();
    let new = NewBackupConfiguration {
        notification_email: Some("ann@example.com".to_owned()),
        notify_success: true,
        ..NewBackupConfiguration::new("daily", agent.id, vec![source.path().to_str().unwrap().to_owned()])
    };
    let configuration = server.client.create_backup_configuration(new).unwrap().id;
    agent.back_up_well(&server, configuration);
    wait_until("it was tried in vain", || {
        let shown = server.client.mail_settings().unwrap();
        shown.waiting == 1 && shown.error.is_some_and(|error| error.contains("cannot be reached"))
    });
    // The right port, where it is put off at first. Whoever sets the settings again need not wait for the next try.
    server.client.set_mail_settings(&settings(&smtp, MailSecurity::None)).unwrap();
    wait_until("it is put off", || {
        server.client.mail_settings().unwrap().error.is_some_and(|error| error.contains("451"))
    });
    server.client.set_mail_settings(&settings(&smtp, MailSecurity::None)).unwrap();
    let taken = smtp.next();
    assert_eq!(taken.to, "ann@example.com");
    wait_until("nothing waits", || server.client.mail_settings().unwrap().waiting == 0);
    assert!(smtp.script.lock().unwrap().is_empty());

    // A recipient that is none is given up, and keeps no other waiting.
    smtp.script.lock().unwrap().push_back("550 5.1.1 nobody of this name");
    agent.back_up_well(&server, configuration);
    wait_until("it is given up", || {
        let shown = server.client.mail_settings().unwrap();
        shown.waiting == 0 && shown.error.is_some_and(|error| error.contains("550"))
    });
}
