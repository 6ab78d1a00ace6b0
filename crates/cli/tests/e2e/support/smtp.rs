//! An SMTP server on a real socket, as RFC 5321 has it: plain, with STARTTLS (RFC 3207) or TLS from the start, and with
//! AUTH PLAIN (RFC 4954) where it asks for a password. What it took is handed to the test.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};

/// A mail as it was taken.
#[derive(Debug)]
pub struct Taken {
    pub from: String,
    pub to: String,
    pub text: String,
    pub encrypted: bool,
    pub user: Option<String>,
}

impl Taken {
    /// A header's value, unfolded.
    pub fn header(&self, name: &str) -> String {
        let headers = self.text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let found = headers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("there is no {name} in {headers}")).to_owned()
    }

    /// The text, with the lines that quoted-printable (RFC 2045) broke joined again.
    pub fn body(&self) -> String {
        let body = self.text.split_once("\r\n\r\n").unwrap().1;
        body.replace("=\r\n", "").replace("=3D", "=").replace("\r\n", "\n")
    }
}

/// What the server does about a mail that would be taken: nothing else, or say this instead.
pub type Script = Arc<Mutex<VecDeque<&'static str>>>;

/// How it speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    Plain,
    Starttls,
    Tls,
}

pub struct Smtp {
    pub address: SocketAddr,
    /// The certificate of its CA, in PEM.
    pub ca: String,
    /// What it says in place of taking the next mails.
    pub script: Script,
    taken: Receiver<Taken>,
}

#[derive(Clone)]
struct Rules {
    speech: Speech,
    password: Option<(String, String)>,
    tls: Arc<ServerConfig>,
    script: Script,
    told: Sender<Taken>,
}

impl Smtp {
    /// Starts one that lets in only this user with this password, if there is one.
    pub fn start(speech: Speech, password: Option<(&str, &str)>) -> Self {
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let ca = certified.cert.pem();
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let chain: Vec<CertificateDer<'static>> = vec![certified.cert.der().clone()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = Arc::new(tls.with_no_client_auth().with_single_cert(chain, key.into()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, taken) = channel();
        let script = Script::default();
        let password = password.map(|(user, password)| (user.to_owned(), password.to_owned()));
        let rules = Rules { speech, password, tls, script: script.clone(), told };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let rules = rules.clone();
                // A client that goes away in the middle ends its conversation and nothing else.
                thread::spawn(move || drop(converse(stream.unwrap(), &rules)));
            }
        });
        Self { address, ca, script, taken }
    }

    /// The next mail that is taken.
    pub fn next(&self) -> Taken {
        self.taken
            .recv_timeout(Duration::from_secs(60))
            .unwrap_or_else(|e| panic!("no mail within a minute: {e}"))
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn converse(stream: TcpStream, rules: &Rules) -> std::io::Result<()> {
    let tls = |stream| -> Box<dyn Stream> {
        Box::new(StreamOwned::new(ServerConnection::new(rules.tls.clone()).unwrap(), stream))
    };
    match rules.speech {
        Speech::Tls => serve(tls(stream), rules, true, true).map(drop),
        Speech::Plain => serve(Box::new(stream), rules, false, true).map(drop),
        Speech::Starttls => match serve(Box::new(stream.try_clone()?), rules, false, true)? {
            true => serve(tls(stream), rules, true, false).map(drop),
            false => Ok(()),
        },
    }
}

/// Serves until the client quits, or wants TLS; says whether that.
fn serve(stream: Box<dyn Stream>, rules: &Rules, encrypted: bool, greet: bool) -> std::io::Result<bool> {
    // Commands come one at a time, so nothing is left in the buffer when TLS begins.
    let mut stream = BufReader::new(stream);
    let say = |stream: &mut BufReader<Box<dyn Stream>>, text: &str| {
        stream.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
        stream.get_mut().flush()
    };
    if greet {
        say(&mut stream, "220 test ESMTP")?;
    }
    let (mut from, mut to, mut user) = (String::new(), String::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let line = line.trim_end();
        let verb = line.split([' ', ':']).next().unwrap().to_uppercase();
        let allowed = rules.password.is_none() || user.is_some();
        match verb.as_str() {
            "EHLO" => {
                let mut offers = vec!["test"];
                if rules.speech == Speech::Starttls && !encrypted {
                    offers.push("STARTTLS");
                }
                if rules.password.is_some() && (encrypted || rules.speech == Speech::Plain) {
                    offers.push("AUTH PLAIN");
                }
                let last = offers.pop().unwrap();
                for offer in offers {
                    say(&mut stream, &format!("250-{offer}"))?;
                }
                say(&mut stream, &format!("250 {last}"))?;
            }
            "STARTTLS" => {
                say(&mut stream, "220 go on")?;
                return Ok(true);
            }
            "AUTH" => {
                let given = STANDARD.decode(line.rsplit(' ').next().unwrap()).unwrap_or_default();
                let given = String::from_utf8(given).unwrap();
                let mut parts = given.split('\0').skip(1).map(str::to_owned);
                let given = parts.next().zip(parts.next());
                if given.is_some() && given == rules.password {
                    user = given.map(|(user, _)| user);
                    say(&mut stream, "235 welcome")?;
                } else {
                    say(&mut stream, "535 5.7.8 wrong user or password")?;
                }
            }
            "MAIL" | "RCPT" | "DATA" if !allowed => say(&mut stream, "530 5.7.0 sign in first")?,
            "MAIL" => {
                from = angled(line);
                say(&mut stream, "250 fine")?;
            }
            "RCPT" => {
                to = angled(line);
                let said = rules.script.lock().unwrap().pop_front();
                say(&mut stream, said.unwrap_or("250 fine"))?;
            }
            "DATA" => {
                say(&mut stream, "354 go on")?;
                let text = data(&mut stream)?;
                say(&mut stream, "250 taken")?;
                let _ = rules.told.send(Taken {
                    from: from.clone(),
                    to: to.clone(),
                    text,
                    encrypted,
                    user: user.clone(),
                });
            }
            "QUIT" => {
                say(&mut stream, "221 bye")?;
                return Ok(false);
            }
            "RSET" | "NOOP" => say(&mut stream, "250 fine")?,
            _ => say(&mut stream, "500 what?")?,
        }
    }
}

fn angled(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

/// A message up to the dot that ends it, without the dots that were put before others.
fn data(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.strip_prefix('.') {
            Some("\r\n") => return Ok(text),
            Some(rest) => text.push_str(rest),
            None if line.is_empty() => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            None => text.push_str(&line),
        }
    }
}
