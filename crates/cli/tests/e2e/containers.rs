//! Containers as machines, on a fake engine: what they are made with, and who may say so.

use std::process::Output;

use roadstead_api::{
    backend::NewBackend,
    id::{MachineId, ProviderId},
    job::JobState,
    machine::{NewContainer, NewMachine},
    user::{NewUser, Role},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};
use roadstead_providers::sim::docker::{PASSWORD, SimEngine, USER};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    mist::Mist,
    support::{Server, roadstead},
};

const ADMIN_PASSWORD: &str = "correct horse battery";

fn backend(engine: &SimEngine) -> NewBackend {
    let fields = json!({"docker_host": format!("tcp://{}", engine.address()), "auth_user": USER,
        "auth_password": PASSWORD});
    NewBackend {
        provider: ProviderId("docker".into()),
        title: "ships".into(),
        region: None,
        fields: serde_json::from_value(fields).unwrap(),
    }
}

fn create(server: &Server, arguments: &[&str]) -> Output {
    let mut command = roadstead();
    command.args(["machines", "create", "--backend", "ships", "--image", "registry.example/web:2"]);
    command
        .args(["--size", "default", "--yes", "--wait", "-o", "json", "--url", &server.url])
        .args(arguments);
    command.env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap()
}

#[test]
fn a_container_is_made_with_what_was_said() {
    let server = Server::start();
    let runtime = Runtime::new().unwrap();
    let engine = runtime.block_on(SimEngine::start(1)).unwrap();
    server.client.add_backend(&backend(&engine)).unwrap();
    let made = create(
        &server,
        &[
            "--name",
            "web",
            "--publish",
            "8080:80",
            "--env",
            "MODE=fast",
            "--volume",
            "data:/srv:ro",
            "--",
            "web",
            "-v",
        ],
    );
    assert!(made.status.success(), "{made:?}");
    let job: Value = serde_json::from_slice(&made.stdout).unwrap();
    let log = job["log"].to_string();
    assert!(log.contains("layers"), "the job tells how far the image is: {log}");
    let id = MachineId(job["machine_ids"][0].as_str().unwrap().to_owned());
    let machine = server.client.get_machine(&id).unwrap();
    let sent = engine.ordered(&machine.external_id).unwrap();
    assert_eq!((&sent["Cmd"], &sent["Env"]), (&json!(["web", "-v"]), &json!(["MODE=fast"])));
    assert_eq!(sent["HostConfig"]["Binds"], json!(["data:/srv:ro"]));
    assert_eq!(sent["HostConfig"]["PortBindings"], json!({"80/tcp": [{"HostPort": "8080"}]}));

    for wrong in [["--publish", "x"], ["--volume", "data"], ["--env", "=x"]] {
        let refused = create(&server, &[&["--name", "other"][..], &wrong].concat());
        assert!(!refused.status.success(), "{wrong:?}: {refused:?}");
    }
}

#[test]
fn a_path_of_the_host_takes_an_admin() {
    let server = Server::start();
    let runtime = Runtime::new().unwrap();
    let engine = runtime.block_on(SimEngine::start(1)).unwrap();
    let backend = server.client.add_backend(&backend(&engine)).unwrap();
    let user = NewUser { username: "ann".into(), password: ADMIN_PASSWORD.into(), role: Role::Creator };
    server.client.create_user(&user).unwrap();
    let credentials = Credentials::Password { username: "ann".into(), password: ADMIN_PASSWORD.into() };
    let creator = Client::new(&server.url, credentials).unwrap();
    let with = |volume: &str| NewMachine {
        backend_id: backend.id.clone(),
        name: "web".into(),
        image: "registry.example/web:2".into(),
        size: "default".into(),
        location: None,
        networks: Vec::new(),
        key_id: None,
        cloud_init: None,
        quantity: None,
        container: Some(NewContainer { volumes: vec![volume.into()], ..NewContainer::default() }),
    };
    for volume in ["/:/host", "/etc:/etc:ro"] {
        assert_eq!(creator.plan_machine(&with(volume)).unwrap_err().kind(), ErrorKind::Forbidden);
        assert_eq!(creator.create_machine(&with(volume)).unwrap_err().kind(), ErrorKind::Forbidden);
    }
    server.client.plan_machine(&with("/etc:/etc:ro")).unwrap();
    let job = creator.create_machine(&with("data:/srv")).unwrap();
    assert_eq!(server.client.wait_for_job(job.id, |_| ()).unwrap().state, JobState::Completed);
}

#[test]
fn what_mist_s_clients_said_of_containers_is_taken() {
    let server = Server::start();
    let runtime = Runtime::new().unwrap();
    let engine = runtime.block_on(SimEngine::start(1)).unwrap();
    let backend = server.client.add_backend(&backend(&engine)).unwrap();
    let mist = Mist::sign_in(&server);
    let mut order = json!({
        "name": "web", "key": "", "image": "registry.example/web:2", "location": "", "size": "default", "networks": [],
        "docker_command": "sh -c 'sleep 1; exit 3'", "docker_env": ["MODE=a=b"],
        "docker_port_bindings": {"80/tcp": [{"HostPort": "8080"}]},
    });
    let path = format!("/backends/{}/machines", backend.id);
    let made = mist.json("POST", &path, &order.to_string());
    let sent = engine.ordered(made["id"].as_str().unwrap()).unwrap();
    assert_eq!((&sent["Cmd"], &sent["Env"]), (&json!(["sh", "-c", "sleep 1; exit 3"]), &json!(["MODE=a=b"])));
    assert_eq!(sent["HostConfig"]["PortBindings"], json!({"80/tcp": [{"HostPort": "8080"}]}));
    order["docker_command"] = "sh -c 'never".into();
    let refused = mist.refused("POST", &path, &order.to_string());
    assert!(refused.0 == 400 && refused.1.contains("docker_command"), "{refused:?}");
}
