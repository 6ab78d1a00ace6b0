//! What the driver asks for, and what it makes of the answers.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::{
    credentials::Credentials,
    driver::Setup,
    error::{Error, Result},
    field::{Field, FieldKind, Fields},
    http::{Algorithm, Base, CA, Call, ENDPOINT, JwtSigner},
};

const PUBLIC: &str = "https://compute.googleapis.com";
/// Where Google gives out tokens, and whom the requests for them are made out to.
pub(super) const TOKENS: &str = "https://oauth2.googleapis.com/token";
/// What a token is asked for: all of Compute Engine, as far as the account's roles go.
const SCOPE: &str = "https://www.googleapis.com/auth/compute";
/// What RFC 7523 calls a request like ours.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// A request is made out this long ago, in seconds: a clock that is a little ahead does no harm then.
const BACKDATED: i64 = 60;
/// How long it is good for, in seconds; Google takes up to an hour.
const LIFE: i64 = 1800;

const TEXT: FieldKind = FieldKind::Text;

/// The fields of the provider.
pub(super) const FIELDS: Fields = Fields(&[
    Field::new(
        "private_key",
        FieldKind::File,
        "The key of a service account: its JSON file as it is, or the private key in PEM",
    )
    .required()
    .also(&["service_account", "json_key"]),
    Field::new("email", TEXT, "The service account's e-mail address; not needed with the JSON file")
        .also(&["client_email"]),
    Field::new("project_id", TEXT, "The project's id; not needed where it is that of the JSON file")
        .also(&["project"]),
    Field::new(
        "zone",
        TEXT,
        "The zone whose sizes are offered, and where machines are made unless their order names one",
    )
    .or("us-central1-a"),
    Field::new("token_endpoint", TEXT, "The URL that gives out tokens, where it is not Google's"),
    ENDPOINT,
    CA,
]);

/// What the fields say.
#[derive(Debug)]
pub(super) struct Settings {
    /// Where the API is.
    pub(super) endpoint: Base,
    /// The project.
    pub(super) project: String,
    /// The zone for what names none.
    pub(super) zone: String,
    /// Who asks.
    pub(super) account: Account,
}

/// A service account.
#[derive(Debug)]
pub(super) struct Account {
    email: String,
    signer: JwtSigner,
    tokens: Base,
}

/// The file that Google gives with a key. It has a `token_uri`, too, which is not followed: who can write that file
/// could have tokens asked for anywhere.
#[derive(Default, Deserialize)]
#[serde(default)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    project_id: Option<String>,
    private_key_id: Option<String>,
    private_key: String,
    client_email: Option<String>,
}

impl Settings {
    /// Reads the checked fields.
    pub(super) fn read(setup: &Setup) -> Result<Self> {
        let given = &setup.credentials;
        let file = key_file(given)?;
        let zone = given.required_text("zone")?.to_owned();
        if !zone.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
            return Err(Error::invalid("zone", "is none of Google's, such as europe-west1-b"));
        }
        let project = given.text("project_id").map(str::to_owned).or_else(|| file.project_id.clone());
        Ok(Self {
            endpoint: Base::parse(ENDPOINT.name, given.text(ENDPOINT.name).unwrap_or(PUBLIC))?,
            project: project.ok_or_else(|| Error::invalid("project_id", "is missing"))?,
            zone,
            account: Account::read(given, file)?,
        })
    }
}

/// The key file, or what comes nearest to it where a private key was given alone.
fn key_file(given: &Credentials) -> Result<KeyFile> {
    let text = given.required_secret("private_key")?.expose().trim();
    if !text.starts_with('{') {
        // Out of the JSON, a key often brings the escapes of its line ends along.
        return Ok(KeyFile { private_key: text.replace("\\n", "\n"), ..KeyFile::default() });
    }
    // What is wrong is not quoted: it is the key.
    let file: KeyFile = serde_json::from_str(text)
        .map_err(|_| Error::invalid("private_key", "begins like JSON and is none; give the file as it is"))?;
    if file.kind != "service_account" {
        let why = "is a JSON file, but not the key of a service account";
        return Err(Error::invalid("private_key", why));
    }
    Ok(file)
}

impl Account {
    fn read(given: &Credentials, file: KeyFile) -> Result<Self> {
        let email = given.text("email").map(str::to_owned).or(file.client_email);
        let email = email.ok_or_else(|| {
            Error::invalid("email", "is missing; with a private key alone the account has to be named")
        })?;
        let mut signer = JwtSigner::from_pem("private_key", &file.private_key, Algorithm::Rs256)?;
        if let Some(id) = file.private_key_id {
            signer = signer.with_header("kid", &id);
        }
        let tokens = given.text("token_endpoint").unwrap_or(TOKENS);
        Ok(Self { email, signer, tokens: Base::parse("token_endpoint", tokens)? })
    }

    /// The call that asks for a token (RFC 7523, section 2.1).
    pub(super) fn grant(&self, now: Timestamp) -> Result<Call> {
        let from = now.as_second() - BACKDATED;
        let claims =
            json!({"iss": self.email, "scope": SCOPE, "aud": TOKENS, "iat": from, "exp": from + LIFE});
        let assertion = self.signer.sign(&claims)?;
        Ok(Call::post(self.tokens.url().clone()).form(&[("grant_type", GRANT), ("assertion", &assertion)]))
    }
}
