//! Databases and commands dumped into a backup, and back out of it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use roadstead_api::{
    backup::{Backup, BackupReport, BackupReportShow},
    backup_configuration::NewBackupConfiguration,
    backup_options::BackupOptions,
    dump::Dump,
    run::RunState,
    user::{NewUser, Role},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};

use crate::support::{Agent, Database, Server};

fn configuration(agent: &Agent, dumps: &[&str]) -> NewBackupConfiguration {
    let dumps = dumps.iter().map(|dump| dump.parse().unwrap()).collect();
    let options = BackupOptions { dumps, ..BackupOptions::default() };
    NewBackupConfiguration { options, ..NewBackupConfiguration::new("dumps", agent.id, Vec::new()) }
}

fn back_up(server: &Server, agent: &Agent, new: NewBackupConfiguration) -> (Backup, BackupReport) {
    let id = server.client.create_backup_configuration(new).unwrap().id;
    let backup = agent.back_up(server, id);
    let report = server.call::<BackupReportShow>(&backup.id, &());
    (backup, report)
}

/// What a program prints; panics unless it ends well.
fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn allow(agent: &Agent, policy: &str) {
    fs::write(agent.folder().join("policy.toml"), policy).unwrap();
}

#[test]
fn postgresql_comes_back_out_of_its_dump() {
    let cluster = ["ROADSTEAD_TEST_POSTGRES", "ROADSTEAD_TEST_DATABASE"].map(std::env::var);
    let Some(cluster) = cluster.into_iter().find_map(Result::ok) else {
        assert!(std::env::var_os("CI").is_none(), "CI tests on PostgreSQL, too");
        return;
    };
    let (database, restored) = (Database::create_in(&cluster), Database::create_in(&cluster));
    let psql = |url: &str, statement: &str| {
        printed(
            "psql",
            &["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", statement, url],
        )
    };
    psql(&database.url(), "CREATE TABLE t AS SELECT n, 'row ' || n AS word FROM generate_series(1, 20000) n");
    let place = cluster.rsplit_once('@').unwrap().1.split_once('/').unwrap().0;
    let (host, port) = place.split_once(':').unwrap();
    let server = Server::start();
    let agent = Agent::start(&server);
    let reach = format!("[postgresql]\nuser = 'postgres'\nhost = '{host}'\nport = {port}\n");
    allow(&agent, &reach);
    let name = database.url().rsplit_once('/').unwrap().1.to_owned();
    let (shop, missing) = (format!("postgresql:{name}"), "postgresql:no_such_database");
    let (backup, report) = back_up(&server, &agent, configuration(&agent, &[&shop, missing]));
    assert_eq!(report.state, RunState::CompletedWithErrors, "{report:?}");
    assert_eq!((report.error_count, report.errors[0].kind.as_str()), (1, "dump"));
    let why = &report.errors[0];
    assert!(why.path.ends_with("/no_such_database.dump") && why.reason.contains("does not exist"), "{why:?}");

    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, backup.id, target.path(), &[]);
    let dump = target.path().join(format!("roadstead-dumps/postgresql/{name}.dump"));
    printed("pg_restore", &["--no-owner", "--dbname", &restored.url(), dump.to_str().unwrap()]);
    let count = "SELECT count(*), max(word) FROM t";
    assert_eq!(psql(&restored.url(), count), psql(&database.url(), count));

    allow(&agent, &format!("databases = ['mysql']\n{reach}"));
    let (_, report) = back_up(&server, &agent, configuration(&agent, &[&shop]));
    assert_eq!(
        (report.state, report.restorable),
        (RunState::Failed, false),
        "all it had to take was refused"
    );
    assert!(report.errors[0].reason.contains("policy.toml"), "{report:?}");
}

#[test]
fn sqlite_comes_back_as_it_was_at_one_moment() {
    let server = Server::start();
    let agent = Agent::start(&server);
    // A database that is in use: the server's own.
    let database = server.folder().join("roadstead.db");
    if !database.exists() {
        return;
    }
    let dump = format!("sqlite:{}", database.display());
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("file"), "beside it").unwrap();
    let inclusions = vec![source.path().to_str().unwrap().to_owned()];
    let new = NewBackupConfiguration { inclusions, ..configuration(&agent, &[&dump]) };
    let (backup, report) = back_up(&server, &agent, new);
    assert_eq!((report.state, report.files_searched), (RunState::Completed, 2), "{report:?}");
    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, backup.id, target.path(), &[]);
    let restored = target.path().join("roadstead-dumps/sqlite").join(database.strip_prefix("/").unwrap());
    assert_eq!(fs::read(&restored).unwrap()[..15], *b"SQLite format 3");
    let files = server.client.files(backup.id, "/roadstead-dumps").unwrap();
    assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["sqlite"]);
    assert!(!agent.folder().join("scratch").exists());
}

/// A `mysqldump` that knows what the real one's manual says of the options it is given, and one database.
const MYSQLDUMP: &str = r#"#!/bin/sh
case "$1" in
    --defaults-extra-file=*) grep -q '^password=hush$' "${1#*=}" || { echo "Access denied" >&2; exit 2; } ;;
    *) echo "Access denied" >&2; exit 2 ;;
esac
for last; do :; done
case "$*" in *--single-transaction*) ;; *) exit 1 ;; esac
if [ "$last" = shop ]; then echo "CREATE TABLE t (n int);"; else
    echo "mysqldump: Got error: 1049: \"Unknown database '$last'\" when selecting the database" >&2; exit 2
fi
"#;

#[test]
fn mysql_is_dumped_by_its_program_with_the_password_of_the_machine() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let programs = tempfile::tempdir().unwrap();
    let (program, options) = (programs.path().join("mysqldump"), programs.path().join("my.cnf"));
    fs::write(&program, MYSQLDUMP).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(&options, "[client]\npassword=hush\n").unwrap();
    allow(&agent, &format!("[mysql]\nprograms = {:?}\npassword_file = {options:?}\n", programs.path()));
    let (backup, report) = back_up(&server, &agent, configuration(&agent, &["mysql:shop", "mysql:gone"]));
    assert_eq!(report.state, RunState::CompletedWithErrors, "{report:?}");
    assert!(report.errors[0].reason.contains("Unknown database 'gone'"), "{report:?}");
    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, backup.id, target.path(), &[]);
    let dump = fs::read_to_string(target.path().join("roadstead-dumps/mysql/shop.sql")).unwrap();
    assert_eq!(dump, "CREATE TABLE t (n int);\n");
}

#[test]
fn what_commands_print_is_backed_up_where_admin_and_machine_allow_it() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let command = |command: &str| Dump::Command { name: "list".to_owned(), command: command.to_owned() };
    let with = |dump: Dump| {
        let options = BackupOptions { dumps: vec![dump], ..BackupOptions::default() };
        NewBackupConfiguration { options, ..configuration(&agent, &[]) }
    };
    allow(&agent, "commands = ['seq 3']");
    let (backup, report) = back_up(&server, &agent, with(command("seq 3")));
    assert_eq!(report.state, RunState::Completed, "{report:?}");
    let mut content = server.client.open_file(backup.id, "/roadstead-dumps/command/list").unwrap();
    assert_eq!(content.chunk().unwrap().unwrap(), "1\n2\n3\n");
    let (_, report) = back_up(&server, &agent, with(command("seq 4")));
    assert_eq!(report.state, RunState::Failed);
    assert!(report.errors[0].reason.contains("policy.toml"), "{report:?}");

    let password = "a long enough password".to_owned();
    let ann = NewUser { username: "ann".to_owned(), password: password.clone(), role: Role::Creator };
    server.client.create_user(&ann).unwrap();
    let basic = Credentials::Password { username: "ann".to_owned(), password };
    let creator = Client::new(&server.url, basic).unwrap();
    let refused = creator.create_backup_configuration(with(command("seq 3"))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    let change =
        serde_json::json!({ "options": { "dumps": [{ "kind": "command", "name": "x", "command": "id" }] } });
    let mut own = creator.create_backup_configuration(configuration(&agent, &["sqlite:/x.db"])).unwrap();
    assert_eq!(own.update_from_dict(&change).unwrap_err().kind(), ErrorKind::Forbidden);
    let nothing = creator.create_backup_configuration(configuration(&agent, &[])).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Invalid);
    assert!(Path::new("/x.db").parent().is_some());
}
