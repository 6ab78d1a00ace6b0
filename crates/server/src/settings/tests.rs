use std::{fs, path::PathBuf};

use super::*;

fn worker() -> WorkerCommand {
    WorkerCommand { program: PathBuf::from("/bin/false"), arguments: Vec::new() }
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn of_file(text: &str) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roadstead.toml");
    fs::write(&file, text).unwrap();
    Settings::gather([], [], Some(&file))
}

/// All that is wrong, in one text.
fn problems(settings: &Settings) -> String {
    settings.options(worker()).err().unwrap_or_default().join("\n")
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roadstead.toml");
    let text =
        "data_dir = '/file'\nlisten = '127.0.0.1:1'\npublic_url = 'https://example.com/'\ntls = true\n";
    fs::write(&file, text).unwrap();
    let environment = variables(&[
        ("ROADSTEAD_SERVER_LISTEN", "127.0.0.1:2"),
        ("ROADSTEAD_SERVER_DATA_DIR", "/environment"),
        ("ROADSTEAD_SERVER_CONFIG", "/elsewhere"),
        ("ROADSTEAD_SERVER_TLS", ""),
        ("ROADSTEAD_URL", "http://127.0.0.1:9"),
    ]);
    let flags = [("data_dir", Some("/flag".to_owned())), ("tls_cert", None)];
    let settings = Settings::gather(flags, environment, Some(&file));
    let options = settings.options(worker()).unwrap();
    assert_eq!(options.data_dir, PathBuf::from("/flag"));
    assert_eq!(options.listen, "127.0.0.1:2".parse().unwrap());
    assert_eq!(options.public_url.unwrap().to_string(), "https://example.com");
    assert_eq!(options.tls, TlsChoice::Own);
    let origins: Vec<_> = settings.in_force().iter().map(|setting| setting.origin).collect();
    assert_eq!(origins[..4], [Origin::Flag, Origin::Environment, Origin::File, Origin::File]);
    assert!(origins[4..].iter().all(|&origin| origin == Origin::Default), "{origins:?}");
    assert_eq!(settings.in_force()[6].value.as_deref(), Some("sqlite"));
}

#[test]
fn a_name_that_is_no_setting_is_an_error() {
    assert!(problems(&of_file("data_dir = '/d'\nlissten = 'x'")).contains("lissten is no setting"));
    assert!(problems(&of_file("data_dir = '/d'\nport = 7643")).contains("port is no setting"));
    let typo = variables(&[("ROADSTEAD_SERVER_LISSTEN", "x")]);
    assert!(problems(&Settings::gather([], typo, None)).contains("ROADSTEAD_SERVER_LISSTEN is no setting"));
    assert!(problems(&of_file("[tls]\ncert = 'x'")).contains("tls is of type table"));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let told = problems(&of_file(
        "listen = 'here'\npublic_url = 'http://example.com'\ntls = 'perhaps'\ntls_cert = '/c'\n\
         database = 'mysql://ann:secret@example.com'\nvault_store = 'ftp://bucket'\ndata_dir = 7\n",
    ));
    for what in ["listen", "public URL", "tls is", "tls_key", "database URL", "vault_store", "data_dir"] {
        assert!(told.contains(what), "{what} in {told}");
    }
    assert!(!told.contains("secret"), "{told}");
    assert!(problems(&of_file("= 3")).contains("is not TOML"));
    assert!(problems(&Settings::gather([], [], Some(Path::new("/nonexistent")))).contains("cannot be read"));
    assert!(problems(&Settings::default()).contains("data_dir is missing"));
    let files = "data_dir = '/d'\ntls_cert = '/nonexistent/c'\ntls_key = '/nonexistent/k'";
    assert!(problems(&of_file(files)).contains("/nonexistent/c"));
}

#[test]
fn a_database_is_taken_and_its_password_not_shown() {
    let settings = of_file("data_dir = '/d'\ndatabase = 'postgres://ann:secret@example.com/x'");
    assert!(settings.options(worker()).unwrap().database.is_some());
    let shown = settings.in_force().into_iter().find(|setting| setting.name == "database").unwrap();
    assert_eq!(shown.value.as_deref(), Some("postgres://..."));
}

#[test]
fn a_server_that_speaks_tls_is_called_by_https() {
    let told = problems(&of_file("data_dir = '/d'\ntls = true\npublic_url = 'http://127.0.0.1:1'"));
    assert!(told.contains("has to begin with https"), "{told}");
    let options = of_file("data_dir = '/d'\nlisten = '192.0.2.1:7643'").options(worker()).unwrap();
    assert!(options.speaks_tls());
    assert_eq!(options.public_url(options.listen).unwrap().to_string(), "https://192.0.2.1:7643");
    let options = of_file("data_dir = '/d'").options(worker()).unwrap();
    assert_eq!(options.public_url(options.listen).unwrap().to_string(), "http://127.0.0.1:7643");
}

#[test]
fn what_backends_may_use_of_this_machine_is_listed() {
    let given = "data_dir = '/d'\nlocal_sockets = ['/run/docker.sock', '/run/podman/podman.sock']\n\
        local_hypervisors = 'qemu:///system'";
    let local = of_file(given).options(worker()).unwrap().local;
    assert_eq!(local.sockets, ["/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from));
    assert_eq!(local.hypervisors, ["qemu:///system"]);
    let nothing = of_file("data_dir = '/d'").options(worker()).unwrap().local;
    assert_eq!(nothing, LocalAccess::default());
    let aws = "data_dir = '/d'\nlocal_aws_profiles = ['backup', 'lab']\nlocal_aws_credentials = '/etc/roadstead/aws'\n\
        local_aws_role = true";
    let aws = of_file(aws).options(worker()).unwrap().local.aws;
    assert_eq!(
        (aws.profiles, aws.metadata),
        (vec!["backup".into(), "lab".into()], Some("http://169.254.169.254".into()))
    );
    let odd = "data_dir = '/d'\nlocal_aws_profiles = 'backup'\nlocal_aws_role = true\nlocal_aws_metadata = '169.254.169.254'";
    let told = problems(&of_file(odd));
    assert!(told.contains("local_aws_credentials") && told.contains("local_aws_metadata"), "{told}");
    let odd = "data_dir = '/d'\nlocal_sockets = 'docker.sock'\nlocal_hypervisors = 'qemu+ssh://h/system'";
    let told = problems(&of_file(odd));
    assert!(told.contains("docker.sock") && told.contains("qemu+ssh://h/system"), "{told}");
    assert!(problems(&of_file("data_dir = '/d'\nlocal_sockets = [7]")).contains("type array"));
}
