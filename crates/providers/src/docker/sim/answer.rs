//! What the fake engine answers to each call.

use http_body_util::Full;
use hyper::{Method, Response, StatusCode, Uri, body::Bytes};
use serde_json::{Value, json};

use super::{
    Fault,
    state::{REGISTRY, State},
};

/// An answer before it is one of HTTP.
pub(super) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(status: StatusCode, json: &Value) -> Self {
        Self { status, body: json.to_string().into_bytes() }
    }

    pub(super) fn text(status: StatusCode, text: &str) -> Self {
        Self { status, body: text.as_bytes().to_vec() }
    }

    pub(super) fn complaint(status: StatusCode, message: &str) -> Self {
        Self::json(status, &json!({"message": message}))
    }

    fn done() -> Self {
        Self::text(StatusCode::NO_CONTENT, "")
    }

    pub(super) fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        response.headers_mut().insert("api-version", hyper::header::HeaderValue::from_static("1.41"));
        response
    }
}

/// Answers a call.
pub(super) fn route(state: &mut State, method: &Method, uri: &Uri, body: &[u8]) -> Answer {
    let unknown = || Answer::complaint(StatusCode::NOT_FOUND, "page not found");
    if uri.path() == "/_ping" {
        return Answer::text(StatusCode::OK, "OK");
    }
    let Some(path) = uri.path().strip_prefix("/v1.41/") else { return unknown() };
    let segments: Vec<&str> = path.split('/').collect();
    let ask = |name: &str| query(uri, name);
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["containers", "json"]) => list(state),
        ("POST", ["containers", "create"]) => create(state, &ask("name"), body),
        ("GET", ["containers", id, "json"]) => inspect(state, id),
        ("GET", ["containers", id, "logs"]) => logs(state, id),
        ("DELETE", ["containers", id]) => match state.find(id) {
            Some(id) => {
                state.containers.remove(&id);
                Answer::done()
            }
            None => missing(id),
        },
        ("POST", ["containers", id, verb]) => change(state, id, verb, &ask("name")),
        ("GET", ["images", "json"]) => images(state),
        ("GET", ["images", "search"]) => search(state, &ask("term")),
        ("POST", ["images", "create"]) => pull(state, &format!("{}:{}", ask("fromImage"), ask("tag"))),
        ("GET", ["networks"]) => networks(),
        ("POST", ["networks", name, "connect"]) if ["bridge", "apps"].contains(name) => {
            Answer::text(StatusCode::OK, "")
        }
        _ => unknown(),
    }
}

fn missing(id: &str) -> Answer {
    Answer::complaint(StatusCode::NOT_FOUND, &format!("No such container: {id}"))
}

fn list(state: &State) -> Answer {
    let all: Vec<Value> = state.containers.iter().map(|(id, container)| container.listed(id)).collect();
    Answer::json(StatusCode::OK, &json!(all))
}

fn inspect(state: &State, word: &str) -> Answer {
    let Some(id) = state.find(word) else { return missing(word) };
    let config =
        json!({"Tty": state.containers[&id].order["Tty"], "Labels": state.containers[&id].order["Labels"]});
    Answer::json(StatusCode::OK, &json!({"Id": id, "Config": config}))
}

fn create(state: &mut State, name: &str, body: &[u8]) -> Answer {
    let order: Value = serde_json::from_slice(body).unwrap_or_default();
    let image = order["Image"].as_str().unwrap_or_default();
    if state.containers.values().any(|container| container.name == name) {
        let message = format!("Conflict. The container name \"/{name}\" is already in use");
        return Answer::complaint(StatusCode::CONFLICT, &message);
    }
    if !state.images.iter().any(|known| known == image || known.strip_suffix(":latest") == Some(image)) {
        return Answer::complaint(StatusCode::NOT_FOUND, &format!("No such image: {image}"));
    }
    let id = state.make(name.to_owned(), order);
    Answer::json(StatusCode::CREATED, &json!({"Id": id, "Warnings": []}))
}

fn change(state: &mut State, word: &str, verb: &str, name: &str) -> Answer {
    let Some(id) = state.find(word) else { return missing(word) };
    let was = state.containers[&id].state;
    match (verb, was) {
        ("start", "paused") => {
            return Answer::complaint(
                StatusCode::CONFLICT,
                "cannot start a paused container, try unpause instead",
            );
        }
        ("start", _) if state.fault == Fault::CannotStart => {
            return Answer::complaint(StatusCode::INTERNAL_SERVER_ERROR, "port is already allocated");
        }
        ("start", "running") | ("stop", "exited") => return Answer::text(StatusCode::NOT_MODIFIED, ""),
        ("start", _) | ("unpause", "paused") => state.set_state(&id, "running"),
        ("unpause", _) => {
            return Answer::complaint(StatusCode::INTERNAL_SERVER_ERROR, "the container is not paused");
        }
        ("stop", _) => state.set_state(&id, "exited"),
        ("restart", _) => {
            state.restarts += 1;
            state.set_state(&id, "running");
        }
        ("rename", _) if state.find(name).is_some() => {
            return Answer::complaint(StatusCode::CONFLICT, &format!("the name {name} is already in use"));
        }
        ("rename", _) => {
            if let Some(container) = state.containers.get_mut(&id) {
                name.clone_into(&mut container.name);
            }
        }
        _ => return Answer::complaint(StatusCode::NOT_FOUND, "page not found"),
    }
    Answer::done()
}

/// Two lines, the second of them on standard error; wrapped unless there is a terminal.
fn logs(state: &State, word: &str) -> Answer {
    let Some(id) = state.find(word) else { return missing(word) };
    let mut body = Vec::new();
    for (stream, line) in [(1u8, "up and running\n"), (2, "a warning\n")] {
        if state.containers[&id].order["Tty"] != json!(true) {
            body.extend([stream, 0, 0, 0, 0, 0, 0, line.len() as u8]);
        }
        body.extend(line.as_bytes());
    }
    Answer { status: StatusCode::OK, body }
}

fn images(state: &State) -> Answer {
    let image =
        |tag: &String| json!({"Id": "sha256:0", "RepoTags": [tag], "Created": 1_600_000_000, "Size": 1024});
    Answer::json(StatusCode::OK, &state.images.iter().map(image).collect())
}

fn search(state: &State, term: &str) -> Answer {
    if state.fault == Fault::Offline {
        return Answer::complaint(StatusCode::INTERNAL_SERVER_ERROR, "dial tcp: lookup: no such host");
    }
    let found = |name: &&str| name.contains(term);
    let shown = |name: &str| json!({"name": name, "description": "", "star_count": 7, "is_official": false});
    Answer::json(StatusCode::OK, &REGISTRY.iter().copied().filter(found).map(shown).collect())
}

fn pull(state: &mut State, image: &str) -> Answer {
    let line = |json: Value| json.to_string() + "\r\n";
    if state.fault == Fault::Offline || !REGISTRY.contains(&image) {
        let message = format!("manifest for {image} not found");
        return Answer::text(
            StatusCode::OK,
            &line(json!({"error": message, "errorDetail": {"message": message}})),
        );
    }
    state.pulls += 1;
    state.images.push(image.to_owned());
    let step = |status: &str, current: u64| {
        let detail = json!({"current": current, "total": 8 << 20});
        line(json!({"status": status, "id": "0a1b2c", "progressDetail": detail}))
    };
    let lines = [step("Downloading", 4 << 20), step("Downloading", 8 << 20), step("Pull complete", 0)];
    Answer::text(StatusCode::OK, &lines.concat())
}

fn networks() -> Answer {
    let network = |name: &str, range: &str| {
        json!({"Name": name, "Id": "f".repeat(64), "Driver": "bridge", "Scope": "local",
            "IPAM": {"Config": [{"Subnet": range}]}})
    };
    Answer::json(
        StatusCode::OK,
        &json!([network("bridge", "172.17.0.0/16"), network("apps", "172.18.0.0/16")]),
    )
}

/// A value of the query, decoded.
fn query(uri: &Uri, name: &str) -> String {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value).unwrap_or_default();
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match code.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
