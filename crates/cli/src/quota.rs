//! `roadstead quotas`: how much room backups may take.

use clap::{Args, Subcommand};
use roadstead_client::api::{
    PageQuery,
    id::VaultId,
    quota::{Quota, QuotaList},
};

use crate::{
    confirm::DeleteArgs,
    error::{Exit, Result},
    human,
    list::{self, ListArgs},
    session::Session,
    table::Row,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum QuotaCommand {
    /// List the quotas, and how much of each is taken.
    #[command(after_help = "Example:\n  roadstead quotas list")]
    List(ListArgs),
    /// Set a quota. What is there already stays; what goes over it is refused.
    #[command(
        after_help = "Example:\n  roadstead quotas set --account 2TiB\n  roadstead quotas set --vault VAULT 500GiB"
    )]
    Set {
        #[command(flatten)]
        subject: Subject,
        /// How much room: a number with KiB, MiB, GiB or TiB, or of bytes; 1MiB or more.
        #[arg(value_name = "SIZE", value_parser = human::parse_size)]
        size: u64,
    },
    /// Remove a quota.
    #[command(after_help = "Example:\n  roadstead quotas delete --vault VAULT --yes")]
    Delete {
        #[command(flatten)]
        subject: Subject,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

/// What a quota is for.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Subject {
    /// All vaults of the account together.
    #[arg(long)]
    account: bool,
    /// One vault.
    #[arg(long, value_name = "VAULT")]
    vault: Option<VaultId>,
}

impl Row for Quota {
    const COLUMNS: &'static [&'static str] = &["for", "used", "of"];
    fn cells(&self) -> Vec<String> {
        let subject = self.vault_id.as_ref().map_or_else(|| "account".to_owned(), |v| format!("vault {v}"));
        vec![subject, human::size(self.used_bytes), human::size(self.bytes)]
    }
}

/// Carries out a verb.
pub async fn run(command: QuotaCommand, session: &Session) -> Result<Exit> {
    match command {
        QuotaCommand::List(which) => {
            return list::print::<QuotaList, _>(session, (), PageQuery::default(), which).await;
        }
        QuotaCommand::Set { subject, size } => {
            session.output.object(&session.client.set_quota(subject.vault.as_ref(), size).await?)?;
        }
        QuotaCommand::Delete { subject, delete } => return remove(session, &subject, delete).await,
    }
    Ok(Exit::Done)
}

async fn remove(session: &Session, subject: &Subject, delete: DeleteArgs) -> Result<Exit> {
    let vault = subject.vault.as_ref();
    let whose = vault.map_or_else(|| "the account".to_owned(), |vault| format!("vault {vault}"));
    if delete.dry_run {
        session.output.say(&format!("The quota of {whose} would be removed."));
        return Ok(Exit::Done);
    }
    if !delete.confirm_to("remove", &format!("the quota of {whose}"))? {
        return Ok(Exit::NotDone);
    }
    session.client.delete_quota(vault).await?;
    Ok(Exit::Done)
}
