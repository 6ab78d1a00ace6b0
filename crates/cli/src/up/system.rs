//! The server and the agent that `up` runs, and the way in.

use std::{fs, io, net::SocketAddr, path::PathBuf, time::Duration};

use roadstead_agent::EnrollOptions;
use roadstead_client::{Client, Credentials, ErrorKind, api::id::AgentId};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::{
    error::{Error, Result},
    output::Output,
    server::DEFAULT_LISTEN,
    session,
    up::{UpArgs, child::Child},
};

/// How long the agent may take to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at whether it has.
const CONNECT_LOOK: Duration = Duration::from_millis(100);

/// The processes of `up`.
#[derive(Debug)]
pub struct System {
    folder: PathBuf,
    server: Option<Child>,
    agent: Option<Child>,
}

/// The way in: the server, its admin, and this machine's agent.
#[derive(Clone, Debug)]
pub struct Access {
    /// The server, asked as the admin.
    pub client: Client,
    /// The admin's credentials, as the server wrote them.
    pub admin: Admin,
    /// This machine's agent.
    pub agent_id: AgentId,
    /// Where everything is kept.
    pub folder: PathBuf,
}

/// `admin.json`, which the server writes at its first start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Admin {
    /// The server's address.
    pub url: String,
    /// The admin's name.
    pub username: String,
    /// The admin's password.
    pub password: String,
    /// The admin's API key.
    pub api_key: String,
}

/// What `up` itself has to remember.
#[derive(Serialize, Deserialize)]
struct Memory {
    agent_id: AgentId,
    /// Where the server listened when the agent was enrolled.
    #[serde(default)]
    listen: Option<SocketAddr>,
}

impl System {
    /// Nothing runs yet.
    pub fn new(args: &UpArgs) -> Result<Self> {
        Ok(Self { folder: args.folder()?, server: None, agent: None })
    }

    /// Starts the server and the agent, and waits until both are ready.
    pub async fn start(&mut self, args: &UpArgs, output: Output) -> Result<Access> {
        fs::create_dir_all(&self.folder)
            .map_err(|e| Error::local(format!("cannot make {}", self.folder.display())).caused_by(e))?;
        output.say("Starting the server.");
        let listen = self.listen(args.listen).to_string();
        let log = self.folder.join("server.log");
        let server = Child::start("server", &["server", "--listen", &listen], &self.folder, log)?;
        let url = self.server.insert(server).says("listening on ").await?;
        let admin = self.admin()?;
        let listened = address(&url);
        let url = reachable(&url);
        let client = self.client(&url, &admin)?;
        let agent_id = self.enrolled(&client, &url, listened, output).await?;
        output.say("Starting the agent.");
        let log = self.folder.join("agent.log");
        let agent = Child::start("agent", &["agent", "run"], &self.folder.join("agent"), log)?;
        let agent = self.agent.insert(agent);
        tokio::select! {
            connected = connected(&client, agent_id) => connected?,
            ended = agent.ended() => return Err(ended),
        }
        Ok(Access { client, admin, agent_id, folder: self.folder.clone() })
    }

    /// Waits until one of the processes ends by itself, which none should.
    pub async fn ended(&mut self) -> Error {
        let (Some(server), Some(agent)) = (&mut self.server, &mut self.agent) else {
            return Error::local("nothing was started");
        };
        tokio::select! {
            ended = server.ended() => ended,
            ended = agent.ended() => ended,
        }
    }

    /// Ends the agent, then the server.
    pub async fn end(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.end().await;
        }
        if let Some(server) = self.server.take() {
            server.end().await;
        }
    }

    /// An agent that is enrolled looks for the server where it was, so a free port is taken once only.
    fn listen(&self, wanted: Option<SocketAddr>) -> SocketAddr {
        let before = || self.memory().ok()??.listen.or_else(|| address(&self.admin().ok()?.url));
        let chosen = wanted.filter(|address| address.port() != 0).or_else(before).or(wanted);
        chosen.unwrap_or(DEFAULT_LISTEN)
    }

    /// A client that believes the server's own CA, which lies in its folder.
    fn client(&self, url: &str, admin: &Admin) -> Result<Client> {
        let ca = self.folder.join("tls").join("ca.pem");
        let ca_file = url.starts_with("https:").then_some(ca.as_path());
        let credentials = Credentials::ApiKey(admin.api_key.clone());
        Ok(session::client(url, ca_file)?.credentials(credentials).build()?)
    }

    fn admin(&self) -> Result<Admin> {
        let path = self.folder.join("admin.json");
        let failed = |e: io::Error| Error::local(format!("cannot read {}", path.display())).caused_by(e);
        serde_json::from_slice(&fs::read(&path).map_err(failed)?)
            .map_err(|e| Error::local(format!("{} is damaged", path.display())).caused_by(e))
    }

    fn memory_file(&self) -> PathBuf {
        self.folder.join("up.json")
    }

    /// What was remembered; `None` where nothing was.
    fn memory(&self) -> Result<Option<Memory>> {
        let path = self.memory_file();
        let Ok(text) = fs::read(&path) else { return Ok(None) };
        let damaged = |e| Error::local(format!("{} is damaged", path.display())).caused_by(e);
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    /// This machine's agent; enrolled now if it was not before.
    async fn enrolled(
        &self,
        client: &Client,
        url: &str,
        listen: Option<SocketAddr>,
        output: Output,
    ) -> Result<AgentId> {
        if let Some(memory) = self.memory()? {
            return Ok(memory.agent_id);
        }
        output.say("Enrolling this machine's agent.");
        let token = client.create_enrolment_token(None).await?.token;
        let data_dir = self.folder.join("agent");
        let server = url.to_owned();
        let options = EnrollOptions { server, token, data_dir, name: None, ca_pem: None, proxy: None };
        let enrolled = roadstead_agent::enroll(options);
        let agent_id =
            enrolled.await.map_err(|e| Error::local("cannot enrol the agent").caused_by(e))?.agent_id;
        let text = serde_json::to_vec(&Memory { agent_id, listen })
            .map_err(|e| Error::local("cannot remember").caused_by(e))?;
        let path = self.memory_file();
        fs::write(&path, text)
            .map_err(|e| Error::local(format!("cannot write {}", path.display())).caused_by(e))?;
        Ok(agent_id)
    }
}

/// The address in a URL that names one.
fn address(url: &str) -> Option<SocketAddr> {
    url.split_once("://")?.1.parse().ok()
}

/// A server that listens everywhere is reached here; no certificate is for "everywhere".
fn reachable(url: &str) -> String {
    url.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:")
}

async fn connected(client: &Client, id: AgentId) -> Result<()> {
    let connects = async {
        loop {
            match client.get_agent(id).await {
                Ok(agent) if agent.connected => return Ok(()),
                Ok(_) => sleep(CONNECT_LOOK).await,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Err(Error::local(format!("the server does not know agent {id}")).caused_by(error));
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    match timeout(CONNECT_LIMIT, connects).await {
        Ok(connected) => connected,
        Err(_) => Err(Error::local("the agent did not connect; its log may tell why")),
    }
}
