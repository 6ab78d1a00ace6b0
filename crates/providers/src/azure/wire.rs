//! The Resource Manager: its calls, and the work that goes on after them.
//!
//! Source: <https://learn.microsoft.com/rest/api/azure/>, for the versions named below.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Method, StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    resources::{BootData, ImageSku, Named, Nic, Place, Progress, PublicIp, Sku, VirtualNetwork, Vm},
    settings::Settings,
};
use crate::{
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Base, Call, Complaint, HttpClient, Look, OAuth, Page, Repeat, Reply, Service, pages, poll},
};

const SERVICE: Service = Service { name: "Azure", complaint };

/// A version of the API of one of its providers.
#[derive(Clone, Copy)]
pub(super) struct Version(&'static str);

/// Machines and images.
pub(super) const COMPUTE: Version = Version("2024-07-01");
/// Networks and what belongs to them.
pub(super) const NETWORK: Version = Version("2024-05-01");
/// Resource groups and tags.
pub(super) const RESOURCES: Version = Version("2021-04-01");
const SKUS: Version = Version("2021-07-01");
const LOCATIONS: Version = Version("2022-12-01");
const GALLERIES: Version = Version("2023-07-03");

/// The providers of the API, as segments of a path.
pub(super) const COMPUTE_PROVIDER: [&str; 2] = ["providers", "Microsoft.Compute"];
/// The same for networks.
pub(super) const NETWORK_PROVIDER: [&str; 2] = ["providers", "Microsoft.Network"];

/// What the Resource Manager, or the service that gives out tokens, says of a refusal.
fn complaint(_: StatusCode, body: &[u8]) -> Complaint {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &body["error"];
    if let Some(code) = error.as_str() {
        let words = body["error_description"].as_str().unwrap_or(code);
        return Complaint { message: Some(words.to_owned()), kind: None };
    }
    let (code, words) = (error["code"].as_str().unwrap_or_default(), error["message"].as_str());
    Complaint { message: words.map(|words| format!("{words} ({code})")), kind: kind_of_code(code, words) }
}

/// The kind of failure behind a code, where it tells more than the status.
fn kind_of_code(code: &str, words: Option<&str>) -> Option<ErrorKind> {
    let about_quota = || words.is_some_and(|words| words.to_lowercase().contains("quota"));
    Some(match code {
        "QuotaExceeded"
        | "PublicIPCountLimitReached"
        | "AllocationFailed"
        | "ZonalAllocationFailed"
        | "OverconstrainedAllocationRequest" => ErrorKind::Failed,
        "OperationNotAllowed" if about_quota() => ErrorKind::Failed,
        "OperationNotAllowed" | "Conflict" | "AnotherOperationInProgress" => ErrorKind::Conflict,
        "SkuNotAvailable" | "InvalidParameter" | "ImageNotFound" | "PlatformImageNotFound" => {
            ErrorKind::Invalid
        }
        "AuthorizationFailed"
        | "LinkedAuthorizationFailed"
        | "ReadOnlyDisabledSubscription"
        | "MissingSubscriptionRegistration"
        | "RequestDisallowedByPolicy"
        | "ScopeLocked" => ErrorKind::MissingRights,
        _ => return None,
    })
}

/// A page of a list.
#[derive(Deserialize)]
struct Listed<T> {
    value: Vec<T>,
    #[serde(rename = "nextLink")]
    next: Option<String>,
}

/// The calls.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    /// Signs nothing: for what is fetched elsewhere, by links that are secrets themselves.
    unsigned: HttpClient,
    base: Base,
    subscription: String,
}

impl Api {
    pub(super) fn new(setup: &Setup, settings: Settings) -> Result<Self> {
        let unsigned = HttpClient::new(setup, SERVICE)?;
        let principal = settings.principal;
        let tokens = OAuth::new(unsigned.clone(), Box::new(move |now| principal.grant(now)));
        Ok(Self {
            http: unsigned.signed_by(tokens),
            unsigned,
            base: settings.endpoint,
            subscription: settings.subscription,
        })
    }

    /// The call for what lies below the subscription.
    pub(super) fn call(&self, method: Method, path: &[&str], version: Version) -> Result<Call> {
        let url = self.base.at(&[&["subscriptions", &self.subscription], path].concat())?;
        Ok(Call::new(method, url).query("api-version", version.0))
    }

    /// The call for a resource, or for what lies below it, by its id.
    fn at(&self, method: Method, id: &str, below: &[&str], version: Version) -> Result<Call> {
        let mut path: Vec<_> = id.split('/').filter(|segment| !segment.is_empty()).collect();
        path.extend(below);
        Ok(Call::new(method, self.base.at(&path)?).query("api-version", version.0))
    }

    fn compute(&self, path: &[&str], version: Version) -> Result<Call> {
        self.call(Method::GET, &[&COMPUTE_PROVIDER, path].concat(), version)
    }

    fn network(&self, noun: &str) -> Result<Call> {
        self.call(Method::GET, &[&NETWORK_PROVIDER, &[noun][..]].concat(), NETWORK)
    }

    /// Asks for as little as there is to ask for.
    pub(super) async fn try_vms(&self) -> Result<()> {
        self.http.json::<Listed<Vm>>(self.compute(&["virtualMachines"], COMPUTE)?).await.map(drop)
    }

    pub(super) async fn vms(&self) -> Result<Vec<Vm>> {
        self.list(self.compute(&["virtualMachines"], COMPUTE)?).await
    }

    /// Every machine with nothing but what it is doing.
    pub(super) async fn statuses(&self) -> Result<Vec<Vm>> {
        self.list(self.compute(&["virtualMachines"], COMPUTE)?.query("statusOnly", "true")).await
    }

    pub(super) async fn nics(&self) -> Result<Vec<Nic>> {
        self.list(self.network("networkInterfaces")?).await
    }

    pub(super) async fn public_ips(&self) -> Result<Vec<PublicIp>> {
        self.list(self.network("publicIPAddresses")?).await
    }

    pub(super) async fn virtual_networks(&self) -> Result<Vec<VirtualNetwork>> {
        self.list(self.network("virtualNetworks")?).await
    }

    pub(super) async fn locations(&self) -> Result<Vec<Place>> {
        self.list(self.call(Method::GET, &["locations"], LOCATIONS)?).await
    }

    pub(super) async fn skus(&self, location: &str) -> Result<Vec<Sku>> {
        let filter = format!("location eq '{location}'");
        self.list(self.compute(&["skus"], SKUS)?.query("$filter", filter)).await
    }

    /// The kinds of an offer; none where it is not to be had.
    pub(super) async fn image_skus(
        &self,
        location: &str,
        publisher: &str,
        offer: &str,
    ) -> Result<Vec<ImageSku>> {
        let path = [
            "locations",
            location,
            "publishers",
            publisher,
            "artifacttypes",
            "vmimage",
            "offers",
            offer,
            "skus",
        ];
        match self.http.json(self.compute(&path, COMPUTE)?).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            outcome => outcome,
        }
    }

    /// The subscription's images: those that stand alone, and those in galleries.
    pub(super) async fn own_images(&self) -> Result<Vec<Named>> {
        let mut images = self.list(self.compute(&["images"], COMPUTE)?).await?;
        let galleries: Vec<Named> = self.list(self.compute(&["galleries"], GALLERIES)?).await?;
        for gallery in galleries {
            let call = self.at(Method::GET, &gallery.id, &["images"], GALLERIES)?;
            images.extend(self.list::<Named>(call).await?);
        }
        Ok(images)
    }

    /// The machine with this id, and what it is doing.
    pub(super) async fn vm(&self, id: &str) -> Result<Vm> {
        self.http.json(self.at(Method::GET, id, &[], COMPUTE)?.query("$expand", "instanceView")).await
    }

    /// Tells a machine to do something, such as `start`.
    pub(super) async fn act(&self, vm: &Vm, verb: &str) -> Result<Reply> {
        self.http.send(self.at(Method::POST, &vm.id, &[verb], COMPUTE)?).await
    }

    pub(super) async fn update(&self, vm: &Vm, change: &Value) -> Result<Reply> {
        self.http.send(self.at(Method::PATCH, &vm.id, &[], COMPUTE)?.json(change)?).await
    }

    pub(super) async fn delete(&self, vm: &Vm) -> Result<Reply> {
        self.http.send(self.at(Method::DELETE, &vm.id, &[], COMPUTE)?).await
    }

    /// Sets the tags of a machine to exactly these.
    pub(super) async fn set_tags(&self, vm: &Vm, tags: &BTreeMap<String, String>) -> Result<Reply> {
        let below = ["providers", "Microsoft.Resources", "tags", "default"];
        let call = self.at(Method::PUT, &vm.id, &below, RESOURCES)?.repeat(Repeat::Always);
        self.http.send(call.json(&json!({"properties": {"tags": tags}}))?).await
    }

    /// What the machine wrote to its console; nothing where it wrote nothing yet.
    pub(super) async fn console(&self, vm: &Vm) -> Result<String> {
        let call = self.at(Method::POST, &vm.id, &["retrieveBootDiagnosticsData"], COMPUTE)?;
        let data: BootData = self.http.json(call.repeat(Repeat::Always)).await?;
        let Some(link) = data.serial_console_log_blob_uri else { return Ok(String::new()) };
        let odd = || Error::new(ErrorKind::Malformed, "Azure gave a link to the console that is none");
        let url = Url::parse(&link).map_err(|e| odd().caused_by(e))?;
        if url.scheme() != "https" && url.origin() != self.base.url().origin() {
            return Err(odd());
        }
        match self.unsigned.send(Call::get(url)).await {
            Ok(reply) => Ok(String::from_utf8_lossy(&reply.body).into_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// Sends a call that begins some work.
    pub(super) async fn send(&self, call: Call) -> Result<Reply> {
        self.http.send(call).await
    }

    /// Waits for the end of what a call began, and tells how it failed; `false` when it goes on for longer than there
    /// is patience.
    ///
    /// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>.
    pub(super) async fn finish(&self, reply: Reply, patience: Duration) -> Result<bool> {
        let (status, ends) = match (reply.header("azure-asyncoperation"), reply.header("location")) {
            (Some(link), _) => (self.base.link(link)?, true),
            (None, Some(link)) if reply.status == StatusCode::ACCEPTED => (self.base.link(link)?, false),
            _ => return Ok(true),
        };
        let look = async || {
            let reply = self.http.send(Call::get(status.clone())).await?;
            let goes_on =
                if ends { self.goes_on(reply.json()?)? } else { reply.status == StatusCode::ACCEPTED };
            Ok(if goes_on { Look::NotYet(reply.asked_wait()) } else { Look::Done(()) })
        };
        Ok(poll(patience, look).await?.is_some())
    }

    /// Whether work goes on; an error for work that has failed.
    fn goes_on(&self, progress: Progress) -> Result<bool> {
        match progress.status.as_str() {
            "Succeeded" => Ok(false),
            "Failed" | "Canceled" => {
                let (code, message) = (&progress.error.code, &progress.error.message);
                let words = self.http.redactor().clean(&format!("{message} ({code})"));
                let kind = kind_of_code(code, Some(message)).unwrap_or(ErrorKind::Failed);
                Err(Error::new(kind, format!("{} could not do it: {words}", SERVICE.name)))
            }
            _ => Ok(true),
        }
    }

    /// Every item of a list, page by page.
    async fn list<T: DeserializeOwned>(&self, first: Call) -> Result<Vec<T>> {
        pages(None, async |next: Option<Url>| {
            let call = next.map_or_else(|| first.clone(), Call::get);
            let listed: Listed<T> = self.http.json(call).await?;
            let next = listed.next.filter(|next| !next.is_empty()).map(|next| self.base.link(&next));
            Ok(Page { items: listed.value, next: next.transpose()?.map(Some) })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use reqwest::StatusCode;

    use super::complaint;
    use crate::ErrorKind;

    #[test]
    fn refusals_of_both_services_are_read() {
        let said = |body: &str| complaint(StatusCode::CONFLICT, body.as_bytes());
        let quota = said(
            r#"{"error": {"code": "OperationNotAllowed", "message": "exceeding approved Total Cores Quota"}}"#,
        );
        assert_eq!(quota.kind, Some(ErrorKind::Failed));
        let busy =
            said(r#"{"error": {"code": "OperationNotAllowed", "message": "The VM is being deleted"}}"#);
        assert_eq!(busy.kind, Some(ErrorKind::Conflict));
        assert_eq!(busy.message.as_deref(), Some("The VM is being deleted (OperationNotAllowed)"));
        let token = said(
            r#"{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}"#,
        );
        assert_eq!(
            (token.kind, token.message.as_deref()),
            (None, Some("AADSTS7000215: Invalid client secret"))
        );
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in any::<Vec<u8>>(), json in "[\\[{\"a-z:,}\\]]{0,40}") {
            let _ = complaint(StatusCode::BAD_REQUEST, &body);
            let _ = complaint(StatusCode::BAD_REQUEST, json.as_bytes());
        }
    }
}
