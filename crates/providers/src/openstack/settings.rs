//! What the driver asks for, and what it makes of the answers.

use crate::{
    credentials::{Credentials, Secret},
    driver::Setup,
    error::{Error, Result},
    field::{Field, FieldKind, Fields},
    http::{Base, CA},
};

/// The kinds of endpoint that a catalogue tells apart.
pub(crate) const ENDPOINT_KINDS: [&str; 3] = ["public", "internal", "admin"];

const TEXT: FieldKind = FieldKind::Text;
const SECRET: FieldKind = FieldKind::Secret;

/// The fields of the provider.
pub(super) const FIELDS: Fields = Fields(&[
    Field::new("auth_url", TEXT, "The URL of Keystone, such as https://cloud.example.org:5000/v3")
        .required()
        .also(&["endpoint", "os_auth_url"]),
    Field::new("username", TEXT, "The user's name; not needed with an application credential")
        .also(&["os_username"]),
    Field::new("password", SECRET, "The user's password").also(&["os_password"]),
    Field::new("tenant_name", TEXT, "The project's name").also(&[
        "project_name",
        "tenant",
        "os_project_name",
        "os_tenant_name",
    ]),
    Field::new("project_id", TEXT, "The project's id, in the place of its name")
        .also(&["tenant_id", "os_project_id"]),
    Field::new("user_domain", TEXT, "The domain that the user belongs to, by name")
        .or("Default")
        .also(&["user_domain_name", "os_user_domain_name"]),
    Field::new("project_domain", TEXT, "The domain that the project belongs to, by name")
        .or("Default")
        .also(&["project_domain_name", "os_project_domain_name"]),
    Field::new("application_credential_id", TEXT, "The id of an application credential")
        .also(&["os_application_credential_id"]),
    Field::new("application_credential_secret", SECRET, "The secret of the application credential")
        .also(&["os_application_credential_secret"]),
    Field::new("region", TEXT, "The region; not needed where the cloud has one").also(&["os_region_name"]),
    Field::new("interface", TEXT, "Which endpoints of the catalogue to use: public, internal or admin")
        .or("public")
        .also(&["os_interface"]),
    Field::new("compute_endpoint", TEXT, "The URL of Nova, in the place of the catalogue's"),
    CA,
]);

/// How the driver logs in.
#[derive(Clone, Debug)]
pub(crate) enum Login {
    /// A user's name and password, and what is to be worked on.
    Password {
        /// The user's name.
        username: String,
        /// The user's password.
        password: Secret,
        /// The domain of the user.
        user_domain: String,
        /// The project; the user's own where there is none.
        project: Option<Project>,
    },
    /// An application credential, which is bound to a project.
    ApplicationCredential {
        /// Its id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// A user's name and API key, as Rackspace has them.
    ApiKey {
        /// The user's name.
        username: String,
        /// The API key.
        key: Secret,
    },
}

/// A project.
#[derive(Clone, Debug)]
pub(crate) enum Project {
    /// By its id.
    Id(String),
    /// By its name, and the name of its domain.
    Name(String, String),
}

/// What the fields say.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where Keystone is.
    pub(crate) identity: Base,
    /// Who asks.
    pub(crate) login: Login,
    /// The region; the only one where there is none.
    pub(crate) region: Option<String>,
    /// One of [`ENDPOINT_KINDS`].
    pub(crate) interface: String,
    /// Where Nova is, if the catalogue is not to be believed.
    pub(crate) compute: Option<Base>,
}

impl Settings {
    /// Reads the checked fields.
    pub(super) fn read(setup: &Setup) -> Result<Self> {
        let given = &setup.credentials;
        let interface = given.text("interface").unwrap_or(ENDPOINT_KINDS[0]).to_lowercase();
        let interface = interface.trim_end_matches("url").to_owned();
        if !ENDPOINT_KINDS.contains(&interface.as_str()) {
            return Err(Error::invalid("interface", "takes public, internal or admin"));
        }
        let compute = given.text("compute_endpoint");
        Ok(Self {
            identity: Base::parse("auth_url", given.required_text("auth_url")?)?,
            login: login(given)?,
            region: given.text("region").or(setup.region.as_deref()).map(str::to_owned),
            interface,
            compute: compute.map(|url| Base::parse("compute_endpoint", url)).transpose()?,
        })
    }
}

fn login(given: &Credentials) -> Result<Login> {
    if let Some(id) = given.text("application_credential_id") {
        let secret = given.required_secret("application_credential_secret")?.clone();
        return Ok(Login::ApplicationCredential { id: id.to_owned(), secret });
    }
    let project_domain = || given.text("project_domain").unwrap_or("Default").to_owned();
    let project = match (given.text("project_id"), given.text("tenant_name")) {
        (Some(id), _) => Some(Project::Id(id.to_owned())),
        (None, Some(name)) => Some(Project::Name(name.to_owned(), project_domain())),
        (None, None) => None,
    };
    Ok(Login::Password {
        username: given.required_text("username")?.to_owned(),
        password: given.required_secret("password")?.clone(),
        user_domain: given.text("user_domain").unwrap_or("Default").to_owned(),
        project,
    })
}
