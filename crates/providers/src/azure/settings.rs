//! What the driver asks for, and what it makes of the answers.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    credentials::{Credentials, Secret},
    driver::Setup,
    error::{Error, Result},
    field::{Field, FieldKind, Fields},
    http::{Algorithm, Base, CA, Call, ENDPOINT, JwtSigner},
};

const PUBLIC: &str = "https://management.azure.com";
const PUBLIC_LOGIN: &str = "https://login.microsoftonline.com";
/// What RFC 7523 calls a signed statement of who one is.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A statement is made out this long ago, in seconds: a clock that is a little ahead does no harm then.
const BACKDATED: i64 = 60;
/// How long it is good for, in seconds.
const LIFE: i64 = 600;
/// What is said to those who come with what the first API took.
const CLASSIC: &str = "is missing; Azure's first API has closed, and management certificates with it: register an \
                       application, and give its tenant_id, its client_id, and a client_secret or certificate of it";

const TEXT: FieldKind = FieldKind::Text;

/// The fields of the provider.
pub(super) const FIELDS: Fields = Fields(&[
    Field::new("subscription_id", TEXT, "The subscription's id").required().also(&["subscription"]),
    Field::new("tenant_id", TEXT, "The id of the directory that the application is registered in; always needed")
        .also(&["tenant", "directory_id"]),
    Field::new("client_id", TEXT, "The application's id; always needed").also(&["application_id", "app_id"]),
    Field::new("client_secret", FieldKind::Secret, "A secret of the application, if it has no certificate"),
    Field::new(
        "certificate",
        FieldKind::File,
        "A certificate of the application and its private key, both in PEM, in the place of a secret",
    ),
    Field::new("resource_group", TEXT, "The resource group that machines are made in; it is made if it is missing")
        .or("roadstead"),
    Field::new(
        "location",
        TEXT,
        "The location whose sizes and images are offered, and where machines are made unless their order names one",
    )
    .or("eastus"),
    Field::new("login_endpoint", TEXT, "The URL that gives out tokens, where it is not the public cloud's"),
    ENDPOINT,
    CA,
]);

/// What the fields say.
#[derive(Debug)]
pub(super) struct Settings {
    /// Where the Resource Manager is.
    pub(super) endpoint: Base,
    /// The subscription.
    pub(super) subscription: String,
    /// The resource group for what is made.
    pub(super) group: String,
    /// The location for what names none.
    pub(super) location: String,
    /// Who asks.
    pub(super) principal: Principal,
}

/// An application, as a directory knows it.
#[derive(Debug)]
pub(super) struct Principal {
    tokens: String,
    scope: String,
    client_id: String,
    proof: Proof,
}

#[derive(Debug)]
enum Proof {
    Secret(Secret),
    Certificate(JwtSigner),
}

impl Settings {
    /// Reads the checked fields.
    pub(super) fn read(setup: &Setup) -> Result<Self> {
        let given = &setup.credentials;
        let endpoint = Base::parse(ENDPOINT.name, given.text(ENDPOINT.name).unwrap_or(PUBLIC))?;
        let subscription = given.required_text("subscription_id")?.to_owned();
        if !subscription.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Err(Error::invalid(
                "subscription_id",
                "is none, such as 01234567-89ab-cdef-0123-456789abcdef",
            ));
        }
        let location = given.required_text("location")?;
        Ok(Self {
            principal: Principal::read(given, &endpoint)?,
            endpoint,
            subscription,
            group: given.required_text("resource_group")?.to_owned(),
            location: check_location(location)?.to_owned(),
        })
    }
}

/// The location, if its name may be one: it becomes part of a filter.
pub(super) fn check_location(location: &str) -> Result<&str> {
    let fits = !location.is_empty() && location.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    fits.then_some(location)
        .ok_or_else(|| Error::invalid("location", "is none of Azure's, such as westeurope"))
}

impl Principal {
    fn read(given: &Credentials, endpoint: &Base) -> Result<Self> {
        let text = |name| given.text(name).ok_or_else(|| Error::invalid(name, CLASSIC));
        let (tenant, client_id) = (text("tenant_id")?, text("client_id")?.to_owned());
        let proof = match (given.secret("client_secret"), given.secret("certificate")) {
            (Some(secret), None) => Proof::Secret(secret.clone()),
            (None, Some(pem)) => Proof::Certificate(signer(pem.expose())?),
            (Some(_), Some(_)) => {
                return Err(Error::invalid(
                    "certificate",
                    "is given beside a client_secret; give one of them",
                ));
            }
            (None, None) => {
                return Err(Error::invalid(
                    "client_secret",
                    "is missing, and so is a certificate in its place",
                ));
            }
        };
        let login = given.text("login_endpoint").unwrap_or(PUBLIC_LOGIN);
        let tokens = Base::parse("login_endpoint", login)?.at(&[tenant, "oauth2", "v2.0", "token"]);
        let tokens = tokens.map_err(|_| Error::invalid("tenant_id", "is the id of no directory"))?;
        let scope = format!("{}/.default", endpoint.url().origin().ascii_serialization());
        Ok(Self { tokens: tokens.into(), scope, client_id, proof })
    }

    /// The call that asks for a token, by client credentials (RFC 6749, section 4.4).
    pub(super) fn grant(&self, now: Timestamp) -> Result<Call> {
        let url = Base::parse("login_endpoint", &self.tokens)?;
        let call = Call::post(url.url().clone());
        let form =
            [("grant_type", "client_credentials"), ("client_id", &self.client_id), ("scope", &self.scope)];
        let assertion;
        let proof = match &self.proof {
            Proof::Secret(secret) => vec![("client_secret", secret.expose())],
            Proof::Certificate(signer) => {
                assertion = signer.sign(&self.claims(now)?)?;
                vec![("client_assertion_type", ASSERTION), ("client_assertion", &assertion)]
            }
        };
        Ok(call.form(&[&form[..], &proof].concat()))
    }

    /// Source: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.
    fn claims(&self, now: Timestamp) -> Result<serde_json::Value> {
        let from = now.as_second() - BACKDATED;
        let mut id = [0; 16];
        getrandom::fill(&mut id)
            .map_err(|_| Error::new(crate::ErrorKind::Failed, "the system gives no random numbers"))?;
        Ok(json!({
            "aud": self.tokens, "iss": self.client_id, "sub": self.client_id, "iat": from, "nbf": from,
            "exp": from + LIFE, "jti": BASE64_URL_SAFE_NO_PAD.encode(id),
        }))
    }
}

/// Signs by the key beside a certificate, and says whose certificate it is.
fn signer(pem: &str) -> Result<JwtSigner> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|e| Error::invalid("certificate", "holds no certificate in PEM").caused_by(e))?;
    let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate));
    let signer = JwtSigner::from_pem("certificate", pem, Algorithm::Ps256)?;
    Ok(signer.with_header("x5t#S256", &thumbprint))
}
