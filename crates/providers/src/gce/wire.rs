//! The API v1: its calls.
//!
//! Source: <https://cloud.google.com/compute/docs/reference/rest/v1>.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    resources::{
        Disk, Image, Instance, MachineType, Network, Operation, Problem, SerialPort, Subnetwork, Zone, end_of,
    },
    settings::Settings,
};
use crate::{
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Base, Call, Complaint, HttpClient, Look, OAuth, Page, Repeat, Service, pages, poll},
};

const SERVICE: Service = Service { name: "Google Compute Engine", complaint };

/// The most that a page holds.
const PAGE: u32 = 500;

/// What the API, or the service that gives out tokens, says of a refusal.
fn complaint(_: StatusCode, body: &[u8]) -> Complaint {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &body["error"];
    let (words, reason) = match error.as_str() {
        Some(code) => (&body["error_description"], Some(code)),
        None => (&error["message"], error["errors"][0]["reason"].as_str()),
    };
    Complaint { message: words.as_str().or(reason).map(str::to_owned), kind: reason.and_then(kind_of_reason) }
}

fn kind_of_reason(reason: &str) -> Option<ErrorKind> {
    Some(match reason {
        "invalid_grant" | "invalid_client" | "unauthorized_client" => ErrorKind::WrongCredentials,
        // They come as 403, and no role helps against them.
        "rateLimitExceeded" | "userRateLimitExceeded" => ErrorKind::RateLimited,
        "quotaExceeded" => ErrorKind::Failed,
        "resourceNotReady" | "resourceInUseByAnotherResource" => ErrorKind::Conflict,
        _ => return None,
    })
}

/// The kind of failure that an operation ended with.
fn kind_of_code(code: &str) -> ErrorKind {
    match code {
        "PERMISSIONS_ERROR" => ErrorKind::MissingRights,
        "RESOURCE_NOT_FOUND" => ErrorKind::NotFound,
        "RESOURCE_NOT_READY" | "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE" | "RESOURCE_ALREADY_EXISTS" => {
            ErrorKind::Conflict
        }
        "INVALID_USAGE" | "INVALID_FIELD_VALUE" | "UNSUPPORTED_OPERATION" => ErrorKind::Invalid,
        _ => ErrorKind::Failed,
    }
}

/// A page of a list. `kind` is always there, so that another document is not taken for an empty list.
#[derive(Deserialize)]
struct Listed<T> {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default = "Vec::new")]
    items: Vec<T>,
    #[serde(rename = "nextPageToken")]
    next: Option<String>,
}

/// A page of a list over all zones or regions: of each, the nouns that are there.
#[derive(Deserialize)]
struct Aggregated {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    items: BTreeMap<String, Map<String, Value>>,
    #[serde(rename = "nextPageToken")]
    next: Option<String>,
}

/// The calls.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    /// All projects.
    projects: Base,
    /// The project.
    project: Base,
}

impl Api {
    pub(super) fn new(setup: &Setup, settings: Settings) -> Result<Self> {
        let http = HttpClient::new(setup, SERVICE)?;
        let account = settings.account;
        let tokens = OAuth::new(http.clone(), Box::new(move |now| account.grant(now)));
        let projects = settings.endpoint.below(&["compute", "v1", "projects"])?;
        let project = projects
            .below(&[&settings.project])
            .map_err(|_| Error::invalid("project_id", "is the id of no project"))?;
        Ok(Self { http: http.signed_by(tokens), projects, project })
    }

    /// Asks for as little as there is to ask for.
    pub(super) async fn try_instances(&self) -> Result<()> {
        let call = Call::get(self.project.at(&["aggregated", "instances"])?).query("maxResults", 1);
        self.http.json::<Aggregated>(call).await.map(drop)
    }

    pub(super) async fn instances(&self) -> Result<Vec<Instance>> {
        self.aggregated("instances", None).await
    }

    pub(super) async fn instance(&self, id: &str) -> Result<Instance> {
        let found: Vec<Instance> = self.aggregated("instances", Some(&format!("id={id}"))).await?;
        let gone = || Error::new(ErrorKind::NotFound, "Google Compute Engine has no such instance");
        found.into_iter().find(|instance| instance.id == id).ok_or_else(gone)
    }

    /// The instance of this name in a zone.
    pub(super) async fn instance_in(&self, zone: &str, name: &str) -> Result<Instance> {
        self.http.json(Call::get(self.project.at(&["zones", zone, "instances", name])?)).await
    }

    pub(super) async fn disks(&self) -> Result<Vec<Disk>> {
        self.aggregated("disks", None).await
    }

    pub(super) async fn images(&self) -> Result<Vec<Image>> {
        self.list(self.project.at(&["global", "images"])?).await
    }

    pub(super) async fn images_of(&self, project: &str) -> Result<Vec<Image>> {
        self.list(self.projects.at(&[project, "global", "images"])?).await
    }

    pub(super) async fn machine_types(&self, zone: &str) -> Result<Vec<MachineType>> {
        self.list(self.project.at(&["zones", zone, "machineTypes"])?).await
    }

    pub(super) async fn zones(&self) -> Result<Vec<Zone>> {
        self.list(self.project.at(&["zones"])?).await
    }

    pub(super) async fn networks(&self) -> Result<Vec<Network>> {
        self.list(self.project.at(&["global", "networks"])?).await
    }

    pub(super) async fn subnetworks(&self) -> Result<Vec<Subnetwork>> {
        self.aggregated("subnetworks", None).await
    }

    /// Orders an instance. The far side knows the order again by `request`.
    pub(super) async fn insert(&self, zone: &str, request: &str, body: &Value) -> Result<Operation> {
        let call = Call::post(self.project.at(&["zones", zone, "instances"])?).query("requestId", request);
        self.http.json(call.json(body)?.repeat(Repeat::Never)).await
    }

    /// Tells an instance to do something, such as `start`.
    pub(super) async fn act(&self, instance: &Instance, verb: &str, body: &Value) -> Result<Operation> {
        let url = self.project.at(&["zones", instance.zone(), "instances", &instance.name, verb])?;
        let call = Call::post(url);
        self.http.json(if body.is_null() { call } else { call.json(body)? }).await
    }

    pub(super) async fn delete(&self, instance: &Instance) -> Result<Operation> {
        let url = self.project.at(&["zones", instance.zone(), "instances", &instance.name])?;
        self.http.json(Call::delete(url)).await
    }

    /// Sets the labels of an instance to these, if they are still what `instance` says.
    pub(super) async fn set_labels(
        &self,
        instance: &Instance,
        labels: &BTreeMap<String, String>,
    ) -> Result<Operation> {
        let body = json!({"labels": labels, "labelFingerprint": instance.label_fingerprint});
        self.act(instance, "setLabels", &body).await
    }

    /// What the instance wrote to its first serial port, as far as it is kept: up to a mebibyte.
    pub(super) async fn console(&self, instance: &Instance) -> Result<String> {
        let url = self.project.at(&["zones", instance.zone(), "instances", &instance.name, "serialPort"])?;
        Ok(self.http.json::<SerialPort>(Call::get(url).query("port", 1)).await?.contents)
    }

    /// Waits for the end of an operation and tells how it failed; `false` when it goes on for longer than there is
    /// patience.
    pub(super) async fn finish(&self, operation: Operation, patience: Duration) -> Result<bool> {
        let url = self.project.at(&["zones", end_of(&operation.zone), "operations", &operation.name])?;
        if operation.status == "DONE" {
            return self.outcome(operation).map(|()| true);
        }
        let look = async || {
            let operation: Operation = self.http.json(Call::get(url.clone())).await?;
            let done = operation.status == "DONE";
            Ok(if done { Look::Done(operation) } else { Look::NotYet(None) })
        };
        match poll(patience, look).await? {
            Some(operation) => self.outcome(operation).map(|()| true),
            None => Ok(false),
        }
    }

    fn outcome(&self, operation: Operation) -> Result<()> {
        let problem = operation.error.and_then(|error| error.errors.into_iter().next());
        let Some(Problem { code, message }) = problem else { return Ok(()) };
        let words = self.http.redactor().clean(&format!("{message} ({code})"));
        Err(Error::new(kind_of_code(&code), format!("{} could not do it: {words}", SERVICE.name)))
    }

    async fn list<T: DeserializeOwned>(&self, url: Url) -> Result<Vec<T>> {
        pages(String::new(), async |token: String| {
            let listed: Listed<T> = self.http.json(page(&url, &token)).await?;
            Ok(Page { items: listed.items, next: listed.next.filter(|next| !next.is_empty()) })
        })
        .await
    }

    /// Every `noun` of all zones or regions.
    async fn aggregated<T: DeserializeOwned>(&self, noun: &str, filter: Option<&str>) -> Result<Vec<T>> {
        let url = self.project.at(&["aggregated", noun])?;
        pages(String::new(), async |token: String| {
            let call = page(&url, &token);
            let call = filter.into_iter().fold(call, |call, filter| call.query("filter", filter));
            let listed: Aggregated = self.http.json(call).await?;
            let mut items = Vec::new();
            for found in listed.items.into_values().filter_map(|mut scope| scope.remove(noun)) {
                let found: Vec<T> = serde_json::from_value(found).map_err(|e| {
                    let message = format!("{}'s list of {noun} cannot be understood", SERVICE.name);
                    Error::new(ErrorKind::Malformed, message).caused_by(e)
                })?;
                items.extend(found);
            }
            Ok(Page { items, next: listed.next.filter(|next| !next.is_empty()) })
        })
        .await
    }
}

/// The call for the page that a token stands for.
fn page(url: &Url, token: &str) -> Call {
    let call = Call::get(url.clone()).query("maxResults", PAGE);
    if token.is_empty() { call } else { call.query("pageToken", token) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use reqwest::StatusCode;

    use super::complaint;
    use crate::ErrorKind;

    #[test]
    fn refusals_of_both_services_are_read() {
        let said = |body: &str| complaint(StatusCode::FORBIDDEN, body.as_bytes());
        let busy = said(
            r#"{"error": {"code": 403, "message": "slow down", "errors": [{"reason": "rateLimitExceeded"}]}}"#,
        );
        assert_eq!((busy.kind, busy.message.as_deref()), (Some(ErrorKind::RateLimited), Some("slow down")));
        let grant = said(r#"{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}"#);
        assert_eq!(grant.kind, Some(ErrorKind::WrongCredentials));
        assert_eq!(grant.message.as_deref(), Some("Invalid JWT Signature."));
        let other = said(r#"{"error": {"code": 403, "message": "no", "errors": [{"reason": "forbidden"}]}}"#);
        assert_eq!((other.kind, other.message.as_deref()), (None, Some("no")));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in any::<Vec<u8>>(), json in "[\\[{\"a-z:,}\\]]{0,40}") {
            let _ = complaint(StatusCode::BAD_REQUEST, &body);
            let _ = complaint(StatusCode::BAD_REQUEST, json.as_bytes());
        }
    }
}
