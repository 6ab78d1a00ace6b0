//! Things by name: wherever an id is taken, a name is, too, if only one thing has it. A name that nothing has is answered
//! with the one that is most like it.

use std::{convert::Infallible, fmt::Display, future::Future, str::FromStr};

use roadstead_client::{
    Agent, Backend, BackupConfiguration, Client, ErrorKind, Key, Machine, RestoreConfiguration,
    api::{
        id::{AgentId, BackendId, BackupConfigurationId, KeyId, MachineId, RestoreConfigurationId, UserId},
        network::Network,
        user::User,
    },
};

use crate::{
    error::{Error, Result},
    session::Session,
};

/// How much alike two names have to be, of 1, for one to be a slip of the other.
const ALIKE: f64 = 0.8;

/// What has an id and a name.
pub trait Called {
    /// The id's type.
    type Id: Clone + Display;
    /// What one is called in a sentence.
    const NOUN: &'static str;
    /// The id.
    fn id(&self) -> &Self::Id;
    /// The name, which others may have as well.
    fn name(&self) -> &str;
}

macro_rules! called {
    ($($noun:literal: $thing:ty, $id:ty, $name:ident;)+) => {$(
        impl Called for $thing {
            type Id = $id;
            const NOUN: &'static str = $noun;
            fn id(&self) -> &$id {
                &self.id
            }
            fn name(&self) -> &str {
                &self.$name
            }
        }
    )+};
}

called! {
    "agent": Agent, AgentId, name;
    "backend": Backend, BackendId, title;
    "backup configuration": BackupConfiguration, BackupConfigurationId, name;
    "key": Key, KeyId, name;
    "machine": Machine, MachineId, name;
    "network": Network, String, name;
    "restore configuration": RestoreConfiguration, RestoreConfigurationId, name;
    "user": User, UserId, username;
}

/// The one with this id, or the only one of this name.
pub fn pick<T: Called>(all: Vec<T>, word: &str) -> Result<T> {
    let (mut found, others): (Vec<T>, Vec<T>) =
        all.into_iter().partition(|thing| thing.id().to_string() == word || thing.name() == word);
    if let Some(place) = found.iter().position(|thing| thing.id().to_string() == word) {
        return Ok(found.swap_remove(place));
    }
    match found.len() {
        0 => Err(Error::unknown(T::NOUN, word, closest(word, others.iter().map(T::name)))),
        1 => Ok(found.remove(0)),
        _ => {
            let ids: Vec<_> = found.iter().map(|thing| thing.id().to_string()).collect();
            Err(Error::usage(format!("several {}s are called {word}: {}", T::NOUN, ids.join(", "))))
        }
    }
}

/// The key of this id, or else of this name.
pub async fn key(session: &Session, word: &str) -> Result<Key> {
    match session.client.get_key(&KeyId(word.to_owned())).await {
        Err(error) if error.kind() == ErrorKind::NotFound => pick(session.client.keys().await?, word),
        found => Ok(found?),
    }
}

/// The name that is most like a word, if one is like it at all.
fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let rated = names.map(|name| (strsim::jaro_winkler(&word, &name.to_lowercase()), name));
    rated.filter(|(alike, _)| *alike >= ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name)
}

/// An id that is a number, of what has a name, too.
pub trait Numbered: Copy + FromStr {
    /// What it is the id of.
    type Thing: Called<Id = Self>;
    /// All that there are. Talks to the server.
    fn all(client: &Client) -> impl Future<Output = roadstead_client::Result<Vec<Self::Thing>>>;
}

impl Numbered for AgentId {
    type Thing = Agent;
    fn all(client: &Client) -> impl Future<Output = roadstead_client::Result<Vec<Agent>>> {
        client.agents()
    }
}

impl Numbered for BackupConfigurationId {
    type Thing = BackupConfiguration;
    fn all(client: &Client) -> impl Future<Output = roadstead_client::Result<Vec<BackupConfiguration>>> {
        client.backup_configurations()
    }
}

impl Numbered for RestoreConfigurationId {
    type Thing = RestoreConfiguration;
    fn all(client: &Client) -> impl Future<Output = roadstead_client::Result<Vec<RestoreConfiguration>>> {
        client.restore_configurations()
    }
}

impl Numbered for UserId {
    type Thing = User;
    fn all(client: &Client) -> impl Future<Output = roadstead_client::Result<Vec<User>>> {
        client.users()
    }
}

/// One of what is numbered, as it stands among the arguments. A number is an id, never a name.
#[derive(Clone, Debug)]
pub enum Named<I> {
    /// By its id.
    Id(I),
    /// By its name.
    Name(String),
}

impl<I: FromStr> FromStr for Named<I> {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
    }
}

impl<I: Numbered> Named<I> {
    /// Its id. Asks the server where a name was given; whether there is one of a given id shows when it is used.
    pub async fn id(&self, session: &Session) -> Result<I> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::Name(name) => Ok(*pick(I::all(&session.client).await?, name)?.id()),
        }
    }

    /// The id of what may be left out.
    pub async fn id_of(named: Option<Self>, session: &Session) -> Result<Option<I>> {
        match named {
            Some(named) => named.id(session).await.map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(names: &[(&str, &str)]) -> Vec<Network> {
        let network = |&(id, name): &(&str, &str)| Network {
            id: id.to_owned(),
            name: name.to_owned(),
            subnets: Vec::new(),
            extra: serde_json::Map::new(),
        };
        names.iter().map(network).collect()
    }

    #[test]
    fn an_id_comes_before_a_name() {
        let known = networks(&[("1", "2"), ("2", "front"), ("3", "back"), ("4", "back")]);
        let picked =
            |word: &str| pick(known.clone(), word).map(|network| network.id).map_err(|e| e.to_string());
        assert_eq!(picked("2"), Ok("2".to_owned()));
        assert_eq!(picked("front"), Ok("2".to_owned()));
        assert_eq!(picked("back"), Err("several networks are called back: 3, 4".to_owned()));
    }

    #[test]
    fn a_slip_of_the_pen_is_answered_with_what_was_meant() {
        let known = networks(&[("1", "web-front"), ("2", "database")]);
        let said = |word: &str| pick(known.clone(), word).unwrap_err().to_string();
        assert_eq!(said("databse"), r#"There is no network "databse"; did you mean "database"?"#);
        assert_eq!(said("Web-Frnot"), r#"There is no network "Web-Frnot"; did you mean "web-front"?"#);
        assert_eq!(
            said("mail"),
            r#"There is no network "mail"; `roadstead networks list` shows those that are."#
        );
    }

    #[test]
    fn a_number_is_an_id() {
        assert!(matches!("12".parse(), Ok(Named::Id(AgentId(12)))));
        assert!(matches!("web-12".parse(), Ok(Named::<AgentId>::Name(name)) if name == "web-12"));
    }
}
