//! The query API, version 2016-11-15: its calls.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/>.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{StatusCode, Url};
use serde::de::DeserializeOwned;

use super::{
    keys::Signer,
    regions,
    xml::{
        Console, Done, Image, Instance, InstanceType, Listed, Offering, Refused, Reservation, Subnet, Vpc,
        Zone,
    },
};
use crate::{
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Base, Call, Complaint, ENDPOINT, HttpClient, Page, Repeat, Service, pages},
};

const VERSION: &str = "2016-11-15";
const SERVICE: Service = Service { name: "Amazon EC2", complaint };

/// A parameter of a call.
pub(super) type Pair<'a> = (&'a str, &'a str);

/// Which refusals mean what. The statuses of this API say little.
fn complaint(_: StatusCode, body: &[u8]) -> Complaint {
    let refused = std::str::from_utf8(body).ok().and_then(|xml| quick_xml::de::from_str::<Refused>(xml).ok());
    let Some(problem) = refused.and_then(|refused| refused.errors.error.into_iter().next()) else {
        return Complaint::default();
    };
    Complaint { message: Some(format!("{} ({})", problem.message, problem.code)), kind: kind(&problem.code) }
}

fn kind(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken"
        | "IncompleteSignature"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "RequestExpired" => ErrorKind::WrongCredentials,
        "UnauthorizedOperation" | "AccessDenied" | "OptInRequired" | "Blocked" | "PendingVerification" => {
            ErrorKind::MissingRights
        }
        "RequestLimitExceeded" | "Throttling" | "ThrottlingException" | "EC2ThrottledException" => {
            ErrorKind::RateLimited
        }
        "IncorrectInstanceState" | "IncorrectState" | "OperationNotPermitted" | "UnsupportedOperation" => {
            ErrorKind::Conflict
        }
        "InsufficientInstanceCapacity" | "InsufficientHostCapacity" => ErrorKind::Failed,
        code if code.starts_with("InvalidInstanceID.") => ErrorKind::NotFound,
        _ => return None,
    })
}

/// The calls.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    url: Url,
}

impl Api {
    pub(super) fn new(setup: &Setup) -> Result<Self> {
        let region = regions::name(setup.region.as_deref())?;
        let signer = Signer::new(setup, region)?;
        let host = regions::host(region);
        let base = Base::parse(ENDPOINT.name, setup.credentials.text(ENDPOINT.name).unwrap_or(&host))?;
        let http = HttpClient::new(setup, SERVICE)?.signed_by(Arc::new(signer));
        Ok(Self { http, url: base.url().clone() })
    }

    /// Asks for as little as there is to ask for.
    pub(super) async fn try_instances(&self) -> Result<()> {
        let call = self.call("DescribeInstances", &[("MaxResults", "5")]).repeat(Repeat::Always);
        self.read::<Listed<Reservation>>(call).await.map(drop)
    }

    pub(super) async fn instances(&self) -> Result<Vec<Instance>> {
        let reservations: Vec<Reservation> = self.list("DescribeInstances", &[], 1000).await?;
        Ok(reservations.into_iter().flat_map(|reservation| reservation.instances_set.items).collect())
    }

    pub(super) async fn instance(&self, id: &str) -> Result<Instance> {
        let call = self.call("DescribeInstances", &[("InstanceId.1", id)]).repeat(Repeat::Always);
        let found: Listed<Reservation> = self.read(call).await?;
        let mut instances =
            found.set.items.into_iter().flat_map(|reservation| reservation.instances_set.items);
        instances.next().ok_or_else(|| Error::new(ErrorKind::NotFound, "Amazon EC2 has no such instance"))
    }

    pub(super) async fn images(&self, parameters: &[Pair<'_>]) -> Result<Vec<Image>> {
        self.list("DescribeImages", parameters, 1000).await
    }

    pub(super) async fn instance_types(&self) -> Result<Vec<InstanceType>> {
        self.list("DescribeInstanceTypes", &[], 100).await
    }

    pub(super) async fn offerings(&self) -> Result<Vec<Offering>> {
        self.list("DescribeInstanceTypeOfferings", &[("LocationType", "availability-zone")], 1000).await
    }

    pub(super) async fn zones(&self) -> Result<Vec<Zone>> {
        let call = self.call("DescribeAvailabilityZones", &[]).repeat(Repeat::Always);
        Ok(self.read::<Listed<Zone>>(call).await?.set.items)
    }

    pub(super) async fn vpcs(&self) -> Result<Vec<Vpc>> {
        self.list("DescribeVpcs", &[], 1000).await
    }

    pub(super) async fn subnets(&self) -> Result<Vec<Subnet>> {
        self.list("DescribeSubnets", &[], 1000).await
    }

    /// Makes instances. The far side would know the order again by its token, so whoever orders may send it again.
    pub(super) async fn run(&self, parameters: &[Pair<'_>]) -> Result<Vec<Instance>> {
        let call = self.call("RunInstances", parameters).repeat(Repeat::Never);
        Ok(self.read::<Reservation>(call).await?.instances_set.items)
    }

    /// Gives the account a key, unless it is there by this name.
    pub(super) async fn import_key(&self, name: &str, public_key: &str) -> Result<()> {
        let material = BASE64_STANDARD.encode(public_key);
        let parameters = [("KeyName", name), ("PublicKeyMaterial", material.as_str())];
        let call = self.call("ImportKeyPair", &parameters).repeat(Repeat::Always);
        match self.read::<Done>(call).await {
            Err(error) if !error.to_string().contains("(InvalidKeyPair.Duplicate)") => Err(error),
            _ => Ok(()),
        }
    }

    /// Tells an instance to do something, such as `StartInstances`.
    pub(super) async fn act(&self, action: &str, id: &str) -> Result<()> {
        self.change(action, &[("InstanceId.1", id)]).await
    }

    /// Makes a change that is the same when it is made twice.
    pub(super) async fn settle(&self, action: &str, parameters: &[Pair<'_>]) -> Result<()> {
        self.read::<Done>(self.call(action, parameters).repeat(Repeat::Always)).await.map(drop)
    }

    pub(super) async fn change(&self, action: &str, parameters: &[Pair<'_>]) -> Result<()> {
        self.read::<Done>(self.call(action, parameters)).await.map(drop)
    }

    pub(super) async fn console(&self, id: &str) -> Result<String> {
        let call = self.call("GetConsoleOutput", &[("InstanceId", id)]).repeat(Repeat::Always);
        let console: Console = self.read(call).await?;
        let packed: String = console.output.split_whitespace().collect();
        let bytes = BASE64_STANDARD.decode(packed).map_err(|e| {
            Error::new(ErrorKind::Malformed, "Amazon EC2 sent a console that cannot be read").caused_by(e)
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn list<T: DeserializeOwned>(
        &self,
        action: &str,
        parameters: &[Pair<'_>],
        page: u32,
    ) -> Result<Vec<T>> {
        let size = page.to_string();
        pages(String::new(), async |token: String| {
            let mut parameters = parameters.to_vec();
            parameters.push(("MaxResults", &size));
            if !token.is_empty() {
                parameters.push(("NextToken", &token));
            }
            let listed: Listed<T> = self.read(self.call(action, &parameters).repeat(Repeat::Always)).await?;
            Ok(Page { items: listed.set.items, next: listed.next.filter(|next| !next.is_empty()) })
        })
        .await
    }

    fn call(&self, action: &str, parameters: &[Pair<'_>]) -> Call {
        let mut whole = vec![("Action", action), ("Version", VERSION)];
        whole.extend_from_slice(parameters);
        Call::post(self.url.clone()).form(&whole)
    }

    async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let reply = self.http.send(call).await?;
        let text = std::str::from_utf8(&reply.body).map_err(|e| reply.malformed().caused_by(e))?;
        quick_xml::de::from_str(text).map_err(|e| reply.malformed().caused_by(e))
    }
}
