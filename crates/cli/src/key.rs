//! `roadstead keys`: the SSH keys that machines are logged in to with. A key is named by its id or by its name.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use roadstead_client::{
    Key,
    api::key::{self, KeyList, KeyQuery, NewKey, NewKeyKind},
};

use crate::{
    confirm::DeleteArgs,
    error::{Error, Exit, Result},
    key_machine::{self, AssociateArgs},
    list::{self, ListArgs},
    machine::Which,
    name, secret,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Add a key of yours, or have one made.
    #[command(
        after_help = "Example:\n  roadstead keys add --name laptop --private-key-file ~/.ssh/id_ed25519\n  \
                            roadstead keys add --name fleet --generate ed25519"
    )]
    Add(AddArgs),
    /// List the keys, oldest first.
    #[command(after_help = "Example:\n  roadstead keys list")]
    List {
        /// Only the one of this name.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show a key: its public half and fingerprint; with --private, its private half.
    #[command(
        after_help = "Example:\n  roadstead keys show fleet\n  roadstead keys show fleet --private > fleet.pem"
    )]
    Show {
        /// The key's id or name.
        key: String,
        /// Show the private half instead. Admins only; the audit log tells who asked.
        #[arg(long, conflicts_with = "public")]
        private: bool,
        /// Show the line for authorized_keys alone.
        #[arg(long)]
        public: bool,
    },
    /// Give a key another name.
    #[command(after_help = "Example:\n  roadstead keys rename fleet old-fleet")]
    Rename {
        /// The key's id or name.
        key: String,
        /// The new name.
        name: String,
    },
    /// Make a key the one that is taken where none is named.
    #[command(after_help = "Example:\n  roadstead keys set-default fleet")]
    SetDefault {
        /// The key's id or name.
        key: String,
    },
    /// Associate a key with a machine, and put it there over a login that works already.
    #[command(
        after_help = "Only admins put keys on machines. Where no login works, it says so, and which line to put there by \
                      hand.\n\nExample:\n  roadstead keys associate fleet web-1 --user admin --port 2222"
    )]
    Associate(AssociateArgs),
    /// End the association of a key with a machine, and take it from there if another login works.
    #[command(
        after_help = "Example:\n  roadstead keys disassociate fleet web-1\n  roadstead keys disassociate fleet web-1 --keep"
    )]
    Disassociate {
        /// The key's id or name.
        key: String,
        #[command(flatten)]
        machine: Which,
        /// Leave the machine as it is: it goes on to let the key in.
        #[arg(long)]
        keep: bool,
    },
    /// Trust a machine that shows another host key than before, once it is known why it does.
    #[command(
        after_help = "Example:\n  roadstead keys accept-host-key fleet web-1 --fingerprint SHA256:47DEQpj8HBSa..."
    )]
    AcceptHostKey {
        /// The key's id or name.
        key: String,
        #[command(flatten)]
        machine: Which,
        /// The fingerprint that the machine has to show, as ssh-keygen -l prints it there; any is taken when absent.
        #[arg(long, value_name = "SHA256:...")]
        fingerprint: Option<String>,
    },
    /// List the machines that a key is associated with.
    #[command(after_help = "Example:\n  roadstead keys machines fleet")]
    Machines {
        /// The key's id or name.
        key: String,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Delete a key. Machines that let it in go on to: take it from their authorized_keys, too.
    #[command(after_help = "Example:\n  roadstead keys delete old-fleet --yes")]
    Delete {
        /// The key's id or name.
        key: String,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

/// What a new key is made from.
#[derive(Args, Debug)]
pub struct AddArgs {
    /// The key's name.
    #[arg(long)]
    name: String,
    /// The file of the private key, in PEM; - for standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "generate", conflicts_with = "generate")]
    private_key_file: Option<PathBuf>,
    /// The private key's passphrase: @FILE, or - for standard input; asked for on the terminal when needed.
    #[arg(long, value_name = "@FILE|-", requires = "private_key_file")]
    passphrase: Option<String>,
    /// Have a key of this kind made.
    #[arg(long, value_enum, value_name = "KIND")]
    generate: Option<KindWord>,
    /// How large an RSA key to make.
    #[arg(long, requires = "generate", value_parser = clap::value_parser!(u32).range(2048..=8192))]
    bits: Option<u32>,
}

/// A kind of key, as a word of the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindWord {
    /// Ed25519.
    Ed25519,
    /// RSA.
    Rsa,
}

impl From<KindWord> for NewKeyKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Ed25519 => Self::Ed25519,
            KindWord::Rsa => Self::Rsa,
        }
    }
}

impl Row for key::Key {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "type", "bits", "default", "fingerprint", "added"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.kind.to_string(),
            self.bits.to_string(),
            table::yes(self.is_default),
            self.fingerprint.clone(),
            table::age(Some(self.created_at)),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: KeyCommand, session: &Session) -> Result<Exit> {
    let output = session.output;
    match command {
        KeyCommand::Add(args) => output.object(&*add(args, session).await?)?,
        KeyCommand::List { name, which } => {
            let query = KeyQuery { name, ..KeyQuery::default() };
            return list::print::<KeyList, _>(session, (), query, which).await;
        }
        KeyCommand::Show { key, private, public } => show(session, &key, private, public).await?,
        KeyCommand::Rename { key, name } => {
            let mut key = name::key(session, &key).await?;
            key.rename(&name).await?;
            output.object(&*key)?;
        }
        KeyCommand::SetDefault { key } => {
            let mut key = name::key(session, &key).await?;
            key.set_default().await?;
            output.object(&*key)?;
        }
        KeyCommand::Associate(args) => {
            let key = name::key(session, &args.key).await?;
            return key_machine::associate(session, &key, args).await;
        }
        KeyCommand::Disassociate { key, machine, keep } => {
            return key_machine::disassociate(session, &name::key(session, &key).await?, &machine, keep)
                .await;
        }
        KeyCommand::AcceptHostKey { key, machine, fingerprint } => {
            let key = name::key(session, &key).await?;
            return key_machine::accept_host_key(session, &key, &machine, fingerprint).await;
        }
        KeyCommand::Machines { key, which } => {
            return key_machine::list(session, &name::key(session, &key).await?, which).await;
        }
        KeyCommand::Delete { key, delete } => return remove(session, &key, delete).await,
    }
    Ok(Exit::Done)
}

async fn add(args: AddArgs, session: &Session) -> Result<Key> {
    let Some(file) = &args.private_key_file else {
        let kind = args.generate.ok_or_else(|| Error::usage("give --private-key-file or --generate"))?;
        return Ok(session.client.add_key(&NewKey::generated(&args.name, kind.into(), args.bits)).await?);
    };
    let text = secret::from_file("the private key", &file.to_string_lossy())?;
    let passphrase = match &args.passphrase {
        Some(argument) => Some(secret::unseen("the passphrase", argument)?),
        None => None,
    };
    let new = NewKey::uploaded(&args.name, &text, passphrase.as_deref());
    Ok(session.client.add_key(&new).await?)
}

async fn show(session: &Session, word: &str, private: bool, public: bool) -> Result<()> {
    let key = name::key(session, word).await?;
    if public {
        return session.output.text(&key.public_key);
    }
    if !private {
        return session.output.object(&*key);
    }
    let private_key = key.private_key().await?;
    if session.output.is_for_people() {
        return session.output.text(&private_key);
    }
    session.output.object(&key::PrivateKey { id: key.id.clone(), private_key })
}

async fn remove(session: &Session, word: &str, delete: DeleteArgs) -> Result<Exit> {
    let key = name::key(session, word).await?;
    let machines: Vec<_> = key.machines().await?.into_iter().map(|found| found.machine_name).collect();
    let whose = match machines.len() {
        0 => "which no machine is associated with".to_owned(),
        count => format!("with which {count} machines are logged in to: {}", machines.join(", ")),
    };
    if !delete.dry_run && !delete.confirm(&format!("the key {} ({whose})", key.name))? {
        return Ok(Exit::NotDone);
    }
    if delete.dry_run {
        session.output.say(&format!("This would be deleted, {whose}:"));
        session.output.object(&*key)?;
        return Ok(Exit::Done);
    }
    key.delete().await?;
    session.output.say("Deleted.");
    Ok(Exit::Done)
}
