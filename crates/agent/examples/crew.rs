//! Many agents in one process, for `cargo xtask bench load`: `crew AGENTS FOLDER`, with `ROADSTEAD_URL` and
//! `ROADSTEAD_API_KEY` in the environment.
//!
//! It does what each line of standard input says, in turn, and answers with one line of JSON; it ends with its input.
//!
//! - `enroll`: enrols the agents, each in a folder of its own below FOLDER.
//! - `connect`: opens their links, and waits until the server counts them all.
//! - `slot`: gives each a configuration for the same minute, and waits until all have run.
//! - `rate N`: starts N backups a second, one of each configuration in turn, and waits until all are recorded.

use std::{
    collections::HashMap,
    error::Error,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use roadstead_agent::{
    EnrollOptions, enroll,
    sim::{self, Keys, Told},
};
use roadstead_api::{
    PageQuery,
    agent::AgentList,
    backup_configuration::{BackupConfigurationCreate, NewBackupConfiguration},
    id::{AgentId, BackupConfigurationId},
    link::RunRef,
    schedule::Schedule,
};
use roadstead_client::{Client, Credentials};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::JoinSet,
    time::{interval, sleep},
};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// How many are enrolled, or given configurations, at a time.
const AT_ONCE: usize = 16;
/// How long each backup takes.
const LASTS: Duration = Duration::from_secs(1);
/// How long after all have their configurations the minute begins, at the least.
const QUIET: Duration = Duration::from_secs(5);
/// How long the configurations may take at the least. They take less than the enrolment, which is granted besides.
const AHEAD: Duration = Duration::from_secs(60);
/// How long all the agents may take to do something.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::main]
#[allow(clippy::print_stdout, reason = "whoever starts it reads what it measured")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [agents, folder] = &arguments[..] else { return Err("AGENTS FOLDER".into()) };
    let (url, key) = (std::env::var("ROADSTEAD_URL")?, std::env::var("ROADSTEAD_API_KEY")?);
    raise_file_limit();
    let client = Client::builder(&url).credentials(Credentials::ApiKey(key)).build()?;
    let (tell, told) = mpsc::unbounded_channel();
    let (agents, folder) = (agents.parse()?, PathBuf::from(folder));
    let (linked, made, enrolled_in) = (JoinSet::new(), Vec::new(), Duration::ZERO);
    let mut crew = Crew { client, url, agents, folder, tell, told, linked, made, enrolled_in };
    while let Some(line) = tokio::task::spawn_blocking(next_line).await?? {
        println!("{}", crew.obey(&line).await?);
    }
    Ok(())
}

/// The next line of standard input, until there is none.
fn next_line() -> std::io::Result<Option<String>> {
    let mut line = String::new();
    Ok((std::io::stdin().read_line(&mut line)? > 0).then_some(line))
}

/// Each agent has a socket and a lock open.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused, too many agents fail by name.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

struct Crew {
    client: Client,
    url: String,
    agents: u32,
    folder: PathBuf,
    tell: UnboundedSender<Told>,
    told: UnboundedReceiver<Told>,
    linked: JoinSet<roadstead_agent::Result<()>>,
    /// The configurations, one of each agent.
    made: Vec<BackupConfigurationId>,
    /// How long the enrolment took.
    enrolled_in: Duration,
}

impl Crew {
    async fn obey(&mut self, line: &str) -> Result<Value> {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["enroll"] => self.enroll().await,
            ["connect"] => self.connect().await,
            ["slot"] => self.slot().await,
            ["rate", a_second] => self.rate(a_second.parse()?).await,
            _ => Err(format!("{line:?} is nothing that it does").into()),
        }
    }

    fn place(&self, number: u32) -> PathBuf {
        self.folder.join(number.to_string())
    }

    async fn enroll(&mut self) -> Result<Value> {
        let keys = Keys::new()?;
        let begun = Instant::now();
        let (keys, crew) = (&keys, &*self);
        let one = async |number| -> Result<()> {
            let data_dir = crew.place(number);
            keys.place(number, &data_dir)?;
            let token = crew.client.create_enrolment_token(None).await?.token;
            let (server, name) = (crew.url.clone(), Some(format!("agent-{number:04}")));
            enroll(EnrollOptions { server, token, data_dir, name, ca_pem: None, proxy: None }).await?;
            Ok(())
        };
        stream::iter(0..crew.agents).map(one).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
        self.enrolled_in = begun.elapsed();
        Ok(json!({"seconds": self.enrolled_in.as_secs_f64()}))
    }

    async fn connect(&mut self) -> Result<Value> {
        let begun = Instant::now();
        for number in 0..self.agents {
            self.linked.spawn(sim::run(self.place(number), LASTS, self.tell.clone()));
        }
        while self.agents_connected().await?.len() < self.agents as usize {
            if begun.elapsed() > PATIENCE {
                return Err("not all agents could connect".into());
            }
            sleep(Duration::from_millis(500)).await;
        }
        Ok(json!({"seconds": begun.elapsed().as_secs_f64()}))
    }

    async fn agents_connected(&self) -> Result<Vec<AgentId>> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let query = PageQuery { limit: Some(1000), cursor };
            let page = self.client.call::<AgentList>(&(), &query, &()).await?;
            found.extend(page.items.iter().filter(|agent| agent.connected).map(|agent| agent.id));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    async fn slot(&mut self) -> Result<Value> {
        let minute = (since_1970(SystemTime::now())? + AHEAD + self.enrolled_in).as_secs().div_ceil(60) * 60;
        let slot = UNIX_EPOCH + Duration::from_secs(minute);
        let schedule = format!("daily@{:02}:{:02}", minute / 3600 % 24, minute / 60 % 60);
        let schedule: Schedule = schedule.parse()?;
        let client = &self.client;
        let one = async |agent| -> Result<BackupConfigurationId> {
            let mut new = NewBackupConfiguration::new("load", agent, vec!["/".to_owned()]);
            new.schedule = schedule.clone();
            Ok(client.call::<BackupConfigurationCreate>(&(), &(), &new).await?.id)
        };
        let agents = self.agents_connected().await?;
        let made = stream::iter(agents).map(one).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
        if SystemTime::now() + QUIET > slot {
            return Err("the configurations were not there before their minute".into());
        }
        self.made = made;
        let (begun, recorded) = self.all(self.made.len()).await?;
        let after = |times: HashMap<RunRef, SystemTime>| -> Vec<f64> {
            times
                .into_values()
                .map(|at| at.duration_since(slot).map_or(0.0, |late| late.as_secs_f64()))
                .collect()
        };
        Ok(json!({"begun": spread(after(begun)), "recorded": spread(after(recorded))}))
    }

    async fn rate(&mut self, a_second: u32) -> Result<Value> {
        let mut ticks = interval(Duration::from_secs(1) / a_second);
        let mut asked = JoinSet::new();
        let first = SystemTime::now();
        for &configuration in &self.made {
            ticks.tick().await;
            let client = self.client.clone();
            asked.spawn(async move {
                let at = SystemTime::now();
                client.start_backup(configuration).await.map(|status| (status.id().0, at))
            });
        }
        let (begun, recorded) = self.all(self.made.len()).await?;
        let asked: HashMap<i64, SystemTime> = asked.join_all().await.into_iter().collect::<Result<_, _>>()?;
        let after = |times: &HashMap<RunRef, SystemTime>| -> Vec<f64> {
            let late = |(run, at): (&RunRef, &SystemTime)| at.duration_since(*asked.get(&run.id)?).ok();
            times.iter().filter_map(late).map(|late| late.as_secs_f64()).collect()
        };
        let last = recorded.values().max().ok_or("nothing was recorded")?;
        let seconds = (last.duration_since(first)?).saturating_sub(LASTS).as_secs_f64();
        let a_second = recorded.len() as f64 / seconds;
        Ok(
            json!({"begun": spread(after(&begun)), "recorded": spread(after(&recorded)), "a_second": a_second}),
        )
    }

    /// Waits until so many runs are recorded; when each was begun, and when recorded.
    async fn all(
        &mut self,
        runs: usize,
    ) -> Result<(HashMap<RunRef, SystemTime>, HashMap<RunRef, SystemTime>)> {
        let (mut begun, mut recorded) = (HashMap::new(), HashMap::new());
        while recorded.len() < runs {
            let told = tokio::time::timeout(PATIENCE, self.told.recv()).await;
            match told.map_err(|_| "agents wait for runs that do not come")?.ok_or("no agent is left")? {
                Told::Begun(run, at) => begun.insert(run, at),
                Told::Recorded(run, at) => recorded.insert(run, at),
            };
        }
        Ok((begun, recorded))
    }
}

fn since_1970(at: SystemTime) -> Result<Duration> {
    Ok(at.duration_since(UNIX_EPOCH)?)
}

/// The median, the 99th percentile and the largest of some numbers of seconds.
fn spread(mut seconds: Vec<f64>) -> Value {
    seconds.sort_by(f64::total_cmp);
    let at = |share: usize| seconds.get((seconds.len() * share / 100).min(seconds.len().saturating_sub(1)));
    json!({"p50": at(50), "p99": at(99), "max": seconds.last()})
}
