//! How busy machines are: measured by a real agent, kept by the server, shown to people, programs and Prometheus.

use roadstead_api::metric::MetricQuery;
use roadstead_client::ErrorKind;

use crate::{
    machines::Cloud,
    support::{Agent, Server, roadstead, wait_until},
};

fn fleet(server: &Server) -> String {
    let mut answer = ureq::get(format!("{}/metrics/fleet", server.url))
        .header("authorization", format!("Bearer {}", server.api_key))
        .call()
        .unwrap();
    answer.body_mut().read_to_string().unwrap()
}

#[test]
fn an_agent_measures_its_machine_and_the_server_keeps_it() {
    let server = Server::start();
    let cloud = Cloud::start();
    cloud.add_to(&server);
    let agent = Agent::start(&server);
    let machine = server.client.machines().unwrap().remove(0);
    let none = machine.metrics(&MetricQuery::default()).unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Conflict, "it has no agent");
    let mut seen = server.client.get_agent(agent.id).unwrap();
    seen.attach(&machine.id).unwrap();

    let watch = MetricQuery { watch: Some(true), ..MetricQuery::default() };
    wait_until("the agent has measured while somebody watches", || {
        !machine.metrics(&watch).unwrap().points.is_empty()
    });
    let metrics = machine.metrics(&watch).unwrap();
    assert_eq!((metrics.agent_id, metrics.step_seconds), (agent.id, 10));
    let sample = metrics.points[0].sample;
    assert!(
        sample.memory_total_bytes > sample.memory_used_bytes && sample.disk_total_bytes > 0.0,
        "{sample:?}"
    );
    let minutes = seen.metrics(&MetricQuery::default()).unwrap();
    assert!(minutes.step_seconds == 60 && !minutes.points.is_empty(), "the minute that goes on counts");
    let wrong = MetricQuery { step_seconds: Some(7), ..MetricQuery::default() };
    assert_eq!(seen.metrics(&wrong).unwrap_err().kind(), ErrorKind::Invalid);

    let mut command = roadstead();
    command.args(["machines", "metrics", &machine.id.0, "--since", "1d", "--url", &server.url]);
    let shown = command.env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap();
    let table = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success() && table.lines().count() >= 2 && table.contains("LOAD"), "{table}");

    let text = fleet(&server);
    let labels = format!("agent_id=\"{}\",agent=\"test agent\",machine_id=\"{}\"", agent.id, machine.id);
    assert!(text.contains(&format!("roadstead_machine_memory_total_bytes{{{labels}}} ")), "{text}");
    assert!(text.contains("\nroadstead_machines_unprotected 10\n"), "{text}");
}

#[test]
fn what_was_measured_survives_a_restart() {
    let mut server = Server::start();
    let agent = Agent::start(&server);
    let query = MetricQuery::default();
    let points = |server: &Server| server.client.get_agent(agent.id).unwrap().metrics(&query).unwrap().points;
    wait_until("the agent has measured", || !points(&server).is_empty());
    let before = points(&server)[0].at;
    server.end_and_restart();
    assert!(points(&server).iter().any(|point| point.at == before));
}
