//! A fake host: an SSH server on a real socket that takes one key, answers the probe, counts what it is told, and misbehaves
//! on demand.
//!
//! It runs no command, unless it is given a shell. What it is asked to run it compares with what the driver may ask; anything else is answered like
//! a shell that has no such command, so a test sees at once if the driver sends something new.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use russh::{
    Channel, ChannelId, ChannelOpenFailure,
    keys::{Algorithm, PrivateKey, PublicKey, key::safe_rng, ssh_key::LineEnding},
    server::{self, Auth, ChannelOpenHandle, Handler, Msg, Response, Session, VerifiedPublicKey},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

use crate::ssh::{
    power::{self, Means, Power},
    probe,
};

/// The password that the host takes from any user.
pub const PASSWORD: &str = "correct horse battery staple";

/// What the host answers to a probe.
pub const ANSWER: &str = "roadstead-probe 1\nhostname sim\nkernel Linux 6.1.0-26-amd64\nos Fake GNU/Linux 12\n\
    machine x86_64\nmemory 4096000 1024000\nuptime 86400.50 1.0\nload 0.10 0.20 0.30 1/100 4242\ncores 4\nusers 1\naddress 127.0.0.1/8\n\
    address 203.0.113.9/24\ndisk /dev/vda1 1000 400 600 40% /\nend\n";

/// How the host misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    #[default]
    None,
    /// It takes connections and says nothing.
    Silent,
    /// It takes connections and closes them.
    Slams,
    /// It speaks another protocol.
    Babbles,
    /// It takes no login.
    RefusesLogins,
    /// It takes the password only as the answer to a question.
    AsksForPassword,
    /// It asks for a second factor, too.
    AsksForSecondFactor,
    /// It takes a login and then never answers a command.
    Hangs,
    /// It answers after a while.
    Slow(Duration),
    /// Its answers break off.
    Truncates,
    /// Its answers never end.
    Floods,
    /// It goes down without an exit status when it is told to reboot.
    DropsOnReboot,
    /// Its sudo wants a password.
    SudoWantsPassword,
    /// It has no such commands.
    Bare,
    /// It takes no more connections once it was told to power off.
    StaysOff,
}

/// What a command prints on standard output and on standard error, and its exit status.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: u32,
}

/// Runs a command with what is on its standard input; none where it knows no such command.
pub(crate) type Shell = Arc<dyn Fn(&str, &[u8]) -> Option<Said> + Send + Sync>;

/// A fake host. It is gone when this is dropped.
#[derive(Debug)]
pub struct SimHost {
    address: SocketAddr,
    shared: Arc<Shared>,
    client_key: String,
    serving: JoinHandle<()>,
}

struct Shared {
    client: PublicKey,
    shell: Option<Shell>,
    state: Mutex<State>,
    off: Notify,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    host_key: PrivateKey,
    fault: Fault,
    connections: usize,
    logins: usize,
    reboots: usize,
    stops: usize,
}

impl SimHost {
    /// Starts a host on a free port of this loopback address.
    pub async fn start(ip: &str) -> io::Result<Self> {
        Self::listen(ip, None).await
    }

    /// The same with a shell for what the host itself does not know.
    pub(crate) async fn start_with(ip: &str, shell: Shell) -> io::Result<Self> {
        Self::listen(ip, Some(shell)).await
    }

    async fn listen(ip: &str, shell: Option<Shell>) -> io::Result<Self> {
        let listener = TcpListener::bind((ip, 0)).await?;
        let client = generate()?;
        let state = State {
            host_key: generate()?,
            fault: Fault::None,
            connections: 0,
            logins: 0,
            reboots: 0,
            stops: 0,
        };
        let shared = Shared {
            client: client.public_key().clone(),
            shell,
            state: Mutex::new(state),
            off: Notify::new(),
        };
        let shared = Arc::new(shared);
        let client_key = client.to_openssh(LineEnding::LF).map_err(io::Error::other)?.to_string();
        let address = listener.local_addr()?;
        Ok(Self { address, client_key, serving: tokio::spawn(serve(listener, Arc::clone(&shared))), shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The private key that it takes from any user, in PEM.
    pub fn client_key(&self) -> &str {
        &self.client_key
    }

    /// Makes it misbehave from now on.
    pub fn set_fault(&self, fault: Fault) {
        self.shared.lock().fault = fault;
    }

    /// Gives it another host key, as a reinstalled host or an impostor has.
    pub fn change_host_key(&self) -> io::Result<()> {
        self.shared.lock().host_key = generate()?;
        Ok(())
    }

    /// Connections that it took so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// Logins that were tried so far.
    pub fn logins(&self) -> usize {
        self.shared.lock().logins
    }

    /// Reboots that it was told so far.
    pub fn reboots(&self) -> usize {
        self.shared.lock().reboots
    }

    /// Stops that it was told so far.
    pub fn stops(&self) -> usize {
        self.shared.lock().stops
    }
}

impl Drop for SimHost {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> Fault {
        self.lock().fault
    }
}

fn generate() -> io::Result<PrivateKey> {
    PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(io::Error::other)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.off.notified() => break,
        };
        let Ok((stream, _)) = accepted else { break };
        shared.lock().connections += 1;
        connections.spawn(talk(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
    // Whoever told it to go down still hears that it was understood.
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn talk(mut stream: TcpStream, shared: Arc<Shared>) {
    match shared.fault() {
        Fault::Silent => std::future::pending().await,
        Fault::Slams => return,
        Fault::Babbles => {
            // The other side may be gone.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
            return;
        }
        Fault::Slow(delay) => tokio::time::sleep(delay).await,
        _ => {}
    }
    let config = server::Config {
        keys: vec![shared.lock().host_key.clone()],
        auth_rejection_time: Duration::ZERO,
        ..server::Config::default()
    };
    if let Ok(session) = server::run_stream(Arc::new(config), stream, Login::new(shared)).await {
        // How it ends is the client's affair.
        let _ = session.await;
    }
}

/// One connection.
struct Login {
    shared: Arc<Shared>,
    commands: HashMap<ChannelId, Vec<u8>>,
    inputs: HashMap<ChannelId, Vec<u8>>,
    asked_for_code: bool,
}

impl Login {
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, commands: HashMap::new(), inputs: HashMap::new(), asked_for_code: false }
    }

    fn admit(&self, proved: bool) -> Auth {
        let mut state = self.shared.lock();
        state.logins += 1;
        if proved && state.fault != Fault::RefusesLogins { Auth::Accept } else { Auth::reject() }
    }

    /// What a command prints on standard output and on standard error, and its exit status.
    fn answer(&self, command: &[u8], input: &[u8]) -> (String, String, Option<u32>) {
        let known = self.known(command, input);
        let shell =
            self.shared.shell.as_ref().filter(|_| known.2 == Some(127) && self.shared.fault() != Fault::Bare);
        match shell.and_then(|shell| shell(&String::from_utf8_lossy(command), input)) {
            Some(said) => (said.stdout, said.stderr, Some(said.status)),
            None => (known.0, known.1.to_owned(), known.2),
        }
    }

    /// The same of a host without a shell.
    fn known(&self, command: &[u8], input: &[u8]) -> (String, &'static str, Option<u32>) {
        let mut state = self.shared.lock();
        let told = told(command, input);
        let probes = command == probe::COMMAND.as_bytes() && input == probe::SCRIPT.as_bytes();
        match state.fault {
            Fault::SudoWantsPassword if told.is_some_and(|(_, means)| means == Means::Sudo) => {
                (String::new(), "sudo: a password is required\n", Some(1))
            }
            Fault::Truncates if probes => (ANSWER[..ANSWER.len() / 2].to_owned(), "", None),
            Fault::Floods => (ANSWER.repeat(40_000), "", Some(0)),
            fault
                if fault != Fault::Bare
                    && let Some((power, _)) = told =>
            {
                match power {
                    Power::Reboot => state.reboots += 1,
                    Power::Off => state.stops += 1,
                }
                if fault == Fault::StaysOff && power == Power::Off {
                    self.shared.off.notify_one();
                }
                (String::new(), "", (fault != Fault::DropsOnReboot).then_some(0))
            }
            fault if probes && fault != Fault::Bare => (ANSWER.to_owned(), "", Some(0)),
            _ => (String::new(), "sh: command not found\n", Some(127)),
        }
    }
}

/// What a command tells the host to do, if it is one that the driver may send. With a password it takes the right one.
fn told(command: &[u8], input: &[u8]) -> Option<(Power, Means)> {
    for power in [Power::Reboot, Power::Off] {
        for means in [Means::Root, Means::Sudo, Means::SudoWithPassword] {
            let proved = means != Means::SudoWithPassword || input == format!("{PASSWORD}\n").as_bytes();
            if proved && command == power::command(power, means).as_bytes() {
                return Some((power, means));
            }
        }
    }
    None
}

fn question(prompt: &'static str) -> Auth {
    let prompts = vec![(Cow::Borrowed(prompt), false)];
    Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() }
}

impl Handler for Login {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(self.admit(key.public_key.key_data() == self.shared.client.key_data()))
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, russh::Error> {
        let asks = matches!(self.shared.fault(), Fault::AsksForPassword | Fault::AsksForSecondFactor);
        Ok(self.admit(password == PASSWORD && !asks))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        answers: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let answers: Option<Vec<_>> = answers.map(Iterator::collect);
        match (self.shared.fault(), answers.as_deref()) {
            (Fault::AsksForPassword | Fault::AsksForSecondFactor, None) => Ok(question("Password: ")),
            (Fault::AsksForSecondFactor, Some(_)) if !self.asked_for_code => {
                self.asked_for_code = true;
                Ok(question("Code: "))
            }
            // Whatever comes for a code is taken: a client that sends the password for it is found out.
            (Fault::AsksForSecondFactor, Some(_)) => Ok(self.admit(true)),
            (Fault::AsksForPassword, Some([answer])) => Ok(self.admit(answer == PASSWORD)),
            _ => Ok(self.admit(false)),
        }
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        let port = u16::try_from(port).unwrap_or_default();
        match TcpStream::connect((host, port)).await {
            Ok(mut target) => {
                reply.accept().await;
                tokio::spawn(async move {
                    // Either end may close; then so does the other.
                    let _ = tokio::io::copy_bidirectional(&mut channel.into_stream(), &mut target).await;
                });
            }
            Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.commands.insert(channel, command.to_owned());
        session.channel_success(channel)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], _: &mut Session) -> Result<(), russh::Error> {
        self.inputs.entry(channel).or_default().extend_from_slice(data);
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        let Some(command) = self.commands.remove(&channel) else { return Ok(()) };
        let input = self.inputs.remove(&channel).unwrap_or_default();
        match self.shared.fault() {
            Fault::Hangs => return Ok(()),
            Fault::Slow(delay) => tokio::time::sleep(delay).await,
            _ => {}
        }
        let (stdout, stderr, status) = self.answer(&command, &input);
        session.data(channel, stdout.into_bytes())?;
        session.extended_data(channel, 1, stderr.into_bytes())?;
        if let Some(status) = status {
            session.exit_status_request(channel, status)?;
        }
        session.close(channel)
    }
}
