//! Machines, by the cloud's ids.

use std::net::{IpAddr, SocketAddr};

use roadstead_api::{
    id::BackendId,
    machine::{Disk, Machine, MachineProbe, MachineQuery, NewMachineName, NewMachineSize, TagChange},
};
use roadstead_providers::ErrorKind as ProviderErrorKind;
use serde_json::{Map, Value, json};

use super::{asked::Asked, backend::PAGE, reply::Reply};
use crate::{
    Error, ErrorKind, Result,
    ops::{Context, backend, machine as ops, validate},
};

/// Where machines listen for remote desktops, if nothing else is said.
const RDP_PORT: u16 = 3389;
/// Whose machines have their place among their tags.
const PLACED: [&str; 4] = ["ec2", "indonesian_vcloud", "linode", "vcloud"];

/// `GET /backends/ID/machines`: as they are now, or, where the backend does not answer, as they were.
pub async fn list(context: &Context, id: &str) -> Result<Reply> {
    let id = BackendId(id.to_owned());
    let backend = backend::get(context, &id).await?.backend;
    let placed = PLACED.contains(&backend.provider.0.as_str());
    let mut query = MachineQuery {
        backend_id: Some(id),
        limit: Some(PAGE),
        refresh: backend.enabled.then_some(true),
        ..MachineQuery::default()
    };
    let mut all = Vec::new();
    loop {
        let page = ops::list(context, query.clone()).await?;
        all.extend(page.items.into_iter().map(|machine| shown(machine, placed)));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(Reply::Json(all.into())),
        }
    }
}

/// `POST /backends/ID/machines/ID`: what `action` says. Answers with the backend's machines.
pub async fn act(context: &Context, backend: &str, id: &str, asked: &Asked) -> Result<Reply> {
    let machine = find(context, backend, id).await?.id;
    match asked.required("action")?.as_str() {
        "start" => ops::start(context, &machine).await?,
        "stop" => ops::stop(context, &machine).await?,
        "reboot" => ops::reboot(context, &machine).await?,
        "destroy" => ops::destroy(context, &machine).await?,
        "rename" => ops::rename(context, &machine, NewMachineName { name: asked.required("name")? }).await?,
        "resize" => {
            ops::resize(context, &machine, NewMachineSize { size: asked.required("plan_id")? }).await?
        }
        _ => return Err(Error::invalid("action is start, stop, reboot, destroy, rename or resize.")),
    };
    list(context, backend).await
}

/// `POST .../probe`: what the machine says of itself. Without `uptime` it was not reached.
pub async fn probe(context: &Context, backend: &str, id: &str) -> Result<Reply> {
    let machine = find(context, backend, id).await?;
    let timestamp = context.now_ms() / 1000;
    match ops::probe(context, &machine.id).await {
        Ok(probe) => Ok(Reply::Json(probed(&machine, probe, timestamp))),
        Err(error) if is_out_of_reach(&error) => Ok(Reply::Json(json!({
            "timestamp": timestamp, "packets_tx": 1, "packets_rx": 0, "packets_loss": 1,
        }))),
        Err(error) => Err(error),
    }
}

/// `GET .../rdp`: a file that remote desktop programs open.
pub async fn remote_desktop(context: &Context, backend: &str, id: &str, asked: &Asked) -> Result<Reply> {
    let machine = find(context, backend, id).await?;
    let own = machine.public_ips.first().or(machine.private_ips.first()).map(ToString::to_string);
    let host = asked.text("host").or(own);
    let host = host.ok_or_else(|| Error::invalid("The parameter host is missing."))?;
    validate::host("host", &host)?;
    let port = match asked.text("rdp_port") {
        Some(port) => port.parse().map_err(|_| Error::invalid("rdp_port is no port."))?,
        None => RDP_PORT,
    };
    // An IPv6 address needs its brackets before a port.
    let place = match host.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, port).to_string(),
        Err(_) => format!("{host}:{port}"),
    };
    let content = format!("full address:s:{place}\r\nprompt for credentials:i:1\r\n");
    Ok(Reply::File { name: format!("{}.rdp", host.replace(':', "-")), content })
}

/// `POST .../metadata`: adds a tag.
pub async fn tag(context: &Context, backend: &str, id: &str, asked: &Asked) -> Result<Reply> {
    let add = vec![asked.required("tag")?];
    change_tags(context, backend, id, TagChange { add, ..TagChange::default() }).await
}

/// `DELETE .../metadata`: takes a tag away.
pub async fn untag(context: &Context, backend: &str, id: &str, asked: &Asked) -> Result<Reply> {
    let remove = vec![asked.required("tag")?];
    change_tags(context, backend, id, TagChange { remove, ..TagChange::default() }).await
}

async fn change_tags(context: &Context, backend: &str, id: &str, change: TagChange) -> Result<Reply> {
    let machine = find(context, backend, id).await?;
    ops::tag(context, &machine.id, change).await.map_err(|error| match error.kind {
        // The one refusal that has a status of its own.
        ErrorKind::Backend(ProviderErrorKind::Unsupported) => {
            Error::new(ErrorKind::MethodNotAllowed, error.message.clone()).caused_by(error)
        }
        _ => error,
    })?;
    Ok(Reply::Done)
}

/// The machine with this id of the cloud's.
pub async fn find(context: &Context, backend: &str, id: &str) -> Result<Machine> {
    ops::by_external_id(context, &BackendId(backend.to_owned()), id).await
}

/// Whether a machine did not let itself be probed, rather than the request being wrong.
fn is_out_of_reach(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Backend(_) | ErrorKind::Conflict | ErrorKind::Unavailable)
}

fn shown(machine: Machine, placed: bool) -> Value {
    let mut tags = machine.tags;
    // The clients log in at the first of the public ones, and a host on a private network has none.
    let public_ips = if machine.public_ips.is_empty() { &machine.private_ips } else { &machine.public_ips };
    tags.extend(machine.location.filter(|_| placed));
    json!({
        "id": machine.external_id, "uuid": machine.id, "name": machine.name, "imageId": machine.image,
        "size": machine.size, "state": machine.state, "public_ips": public_ips,
        "private_ips": machine.private_ips, "tags": tags, "extra": machine.extra,
        "can_start": machine.can_start, "can_stop": machine.can_stop, "can_destroy": machine.can_destroy,
        "can_reboot": machine.can_reboot, "can_tag": machine.can_tag, "can_rename": machine.can_rename,
    })
}

fn probed(machine: &Machine, probe: MachineProbe, timestamp: i64) -> Value {
    let mut told = Map::from_iter([
        ("timestamp".to_owned(), json!(timestamp)),
        ("cores".into(), json!(probe.cores)),
        ("users".into(), json!(probe.users)),
        ("pub_ips".into(), json!(machine.public_ips)),
        ("priv_ips".into(), json!(probe.addresses)),
        ("macs".into(), json!({})),
        ("df".into(), json!(df(&probe.disks))),
        // Theirs was a ping of ten; ours goes there and back once.
        ("packets_tx".into(), json!(1)),
        ("packets_rx".into(), json!(1)),
        ("packets_loss".into(), json!(0)),
    ]);
    let trip = ["rtt_min", "rtt_avg", "rtt_max"].map(|name| (name.to_owned(), json!(probe.round_trip_ms)));
    told.extend(trip);
    // As `/proc/uptime` has it; the idle time is not told.
    told.extend(
        probe.uptime_seconds.map(|seconds| ("uptime".to_owned(), json!(format!("{seconds}.00 0.00")))),
    );
    let loads = probe.load.map(|loads| loads.map(|load| format!("{load:.2}")));
    told.extend(loads.map(|loads| ("loadavg".to_owned(), json!(loads))));
    told.into()
}

/// The disks as `df` shows them, in kibibytes.
fn df(disks: &[Disk]) -> String {
    let mut text = "Filesystem 1K-blocks Used Available Use% Mounted on".to_owned();
    for disk in disks {
        let [total, used, free] =
            [disk.total_bytes, disk.used_bytes, disk.available_bytes].map(|bytes| bytes >> 10);
        let percent = (used * 100).checked_div(used.saturating_add(free)).unwrap_or(0);
        text += &format!("\n{} {total} {used} {free} {percent}% {}", disk.device, disk.mount);
    }
    text
}
