//! `roadstead agents`: the agents that the server knows. (The agent itself is in `agent_process`.)

use std::time::Duration;

use clap::{Args, Subcommand};
use roadstead_client::api::{
    PageQuery,
    agent::{Agent, AgentDeletionPlan, AgentDisable, AgentEnable, AgentList, AgentShow, VaultFate},
    agent_log::{AgentWake, LogLevel},
    id::AgentId,
    metric::AgentMetricsShow,
};

use crate::{
    agent_file::{self, AgentFileArgs},
    agent_log::{self, AgentLogArgs},
    agent_machine,
    confirm::{self, DeleteArgs},
    error::{Exit, Result},
    human,
    list::{self, ListArgs},
    machine::Which,
    metric::{self, MetricArgs},
    name::Named,
    output,
    session::Session,
    table::{self, Row},
    vault_password,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum AgentCommand {
    /// Make a token that enrols one agent.
    #[command(after_help = "Example:\n  roadstead agents token --ttl 1h -o json")]
    Token {
        /// How long it can be used, such as 90s, 15m, 1h or 7d.
        #[arg(long, value_parser = human::parse_duration, value_name = "TIME")]
        ttl: Option<Duration>,
    },
    /// List the agents, oldest first.
    #[command(after_help = "Example:\n  roadstead agents list")]
    List(ListArgs),
    /// Show an agent.
    #[command(after_help = "Example:\n  roadstead agents show 1")]
    Show {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
    },
    /// Let an agent take work again.
    #[command(after_help = "Example:\n  roadstead agents enable 1")]
    Enable {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
    },
    /// Delete an agent and its configurations, keeping its vault or with it.
    #[command(
        after_help = "A vault that is kept can be restored from, by other agents, too; `roadstead vaults delete` deletes it \
                      later.\n\nExample:\n  roadstead agents delete 1 --dry-run\n  roadstead agents delete 1 --keep-vault --yes"
    )]
    Delete(AgentDeleteArgs),
    /// Seal an agent's vault with a password that the server never learns.
    #[command(
        after_help = "The password is encrypted here, to the agent's key; compare the fingerprint with what `agent enroll` \
                      printed there, or give it. The agent's next backup goes to a new vault, in full; the one before stays \
                      readable until `roadstead vaults delete`. The server cannot list or download files of a sealed vault, \
                      clean it, or show its key: who loses the password and the agent's machine loses the backups.\n\nExample:\n  \
                      roadstead agents encrypt 1 --password @file"
    )]
    Encrypt(EncryptArgs),
    /// Change the password of an agent's sealed vault.
    #[command(after_help = "Example:\n  roadstead agents password 1 --current @old --password @new")]
    Password {
        /// The password until now: @FILE, or - for standard input; asked for on the terminal when absent.
        #[arg(long)]
        current: Option<String>,
        #[command(flatten)]
        new: EncryptArgs,
    },
    /// Give an agent's vault and backup configurations to another agent, such as that of the reinstalled machine.
    #[command(
        after_help = "The agent that gets it must have backed up nothing yet. The old agent has an empty vault from then \
                      on.\n\nExample:\n  roadstead agents migrate-vault 1 --to 2 --yes"
    )]
    MigrateVault {
        /// The agent that has the vault, by id or name.
        agent: Named<AgentId>,
        /// The agent that gets it, by id or name.
        #[arg(long)]
        to: Named<AgentId>,
        /// The password of a sealed vault: @FILE, or - for standard input; asked for on the terminal when absent.
        #[arg(long)]
        password: Option<String>,
        #[command(flatten)]
        sure: DeleteArgs,
    },
    /// Keep an agent from new work; what it has in hand goes on.
    #[command(after_help = "Example:\n  roadstead agents disable 1")]
    Disable {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
    },
    /// Print the last lines of an agent's log, with those of its jobs.
    #[command(after_help = "Example:\n  roadstead agents log 1 --lines 50")]
    Log(AgentLogArgs),
    /// Set how much an agent's log says, until it starts anew.
    #[command(after_help = "Example:\n  roadstead agents log-level 1 debug")]
    LogLevel {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
        /// error, warn, info, debug or trace.
        level: LogLevel,
    },
    /// Ask an agent whether it is awake, and have what waits for it looked through.
    #[command(after_help = "Example:\n  roadstead agents wake 1")]
    Wake {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
    },
    /// List a folder of the machine that an agent runs on, as it is now.
    #[command(
        after_help = "`browse` in the policy.toml of the agent's folder says which folders may be listed.\n\nExample:\n  \
                      roadstead agents files 1 /home"
    )]
    Files(AgentFileArgs),
    /// List the machines that an agent may run on, and what speaks for each.
    #[command(after_help = "Example:\n  roadstead agents machines 1")]
    Machines {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
    },
    /// Show how busy an agent's machine is and was.
    #[command(after_help = "Example:\n  roadstead agents metrics 1 --since 1d")]
    Metrics {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
        #[command(flatten)]
        part: MetricArgs,
    },
    /// Say which machine an agent runs on.
    #[command(after_help = "Example:\n  roadstead agents attach 1 web-1")]
    Attach {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
        #[command(flatten)]
        machine: Which,
    },
    /// Say that an agent runs on none of the machines; the server does not join it by itself any more.
    #[command(after_help = "Example:\n  roadstead agents detach 1")]
    Detach {
        /// The agent's id, or its name where no other has it.
        agent: Named<AgentId>,
    },
}

/// An agent whose vault is to have a password.
#[derive(Args, Debug)]
pub struct EncryptArgs {
    /// The agent's id, or its name where no other has it.
    agent: Named<AgentId>,
    /// The password: @FILE, or - for standard input; asked for on the terminal when absent.
    #[arg(long)]
    password: Option<String>,
    /// The fingerprint that the agent's key has to have; the server's word is taken when absent.
    #[arg(long)]
    fingerprint: Option<String>,
}

/// An agent to be deleted.
#[derive(Args, Debug)]
pub struct AgentDeleteArgs {
    /// The agent's id, or its name where no other has it.
    agent: Named<AgentId>,
    /// Keep its vault.
    #[arg(long, conflicts_with = "delete_vault")]
    keep_vault: bool,
    /// Delete its vault, with every backup in it.
    #[arg(long)]
    delete_vault: bool,
    /// Delete its older vaults as well, such as that from before it was sealed.
    #[arg(long, requires = "delete_vault")]
    older_vaults: bool,
    #[command(flatten)]
    delete: DeleteArgs,
}

impl Row for Agent {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "enabled", "connected", "busy", "vault", "os", "last seen"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            table::yes(self.enabled),
            table::yes(self.connected),
            table::yes(self.busy),
            self.vault_id.to_string(),
            self.host.os.clone(),
            table::age(self.last_seen_at),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: AgentCommand, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    match command {
        AgentCommand::Token { ttl } => output.object(&client.create_enrolment_token(ttl).await?)?,
        AgentCommand::List(which) => {
            return list::print::<AgentList, _>(session, (), PageQuery::default(), which).await;
        }
        AgentCommand::Show { agent } => {
            output.object(&client.call::<AgentShow>(&agent.id(session).await?, &(), &()).await?)?
        }
        AgentCommand::Enable { agent } => {
            output.object(&client.call::<AgentEnable>(&agent.id(session).await?, &(), &()).await?)?
        }
        AgentCommand::Delete(args) => return delete(args, session).await,
        AgentCommand::Encrypt(args) => {
            let password = vault_password::new(args.password.as_deref())?;
            let mut agent = client.get_agent(args.agent.id(session).await?).await?;
            vault_password::tell(&agent, &args.fingerprint);
            output.object(&agent.encrypt(&password, args.fingerprint.as_deref()).await?)?
        }
        AgentCommand::Password { current, new } => {
            let current = vault_password::of_now(current.as_deref())?;
            let password = vault_password::new(new.password.as_deref())?;
            let mut agent = client.get_agent(new.agent.id(session).await?).await?;
            vault_password::tell(&agent, &new.fingerprint);
            output.object(&agent.change_password(&current, &password, new.fingerprint.as_deref()).await?)?
        }
        AgentCommand::MigrateVault { agent, to, password, sure } => {
            let agents = (agent.id(session).await?, to.id(session).await?);
            return migrate_vault(session, agents, password, sure).await;
        }
        AgentCommand::Disable { agent } => {
            output.object(&client.call::<AgentDisable>(&agent.id(session).await?, &(), &()).await?)?
        }
        AgentCommand::Log(args) => return agent_log::show(session, args).await,
        AgentCommand::LogLevel { agent, level } => {
            return agent_log::set_level(session, agent.id(session).await?, level).await;
        }
        AgentCommand::Wake { agent } => {
            output.object(&client.call::<AgentWake>(&agent.id(session).await?, &(), &()).await?)?
        }
        AgentCommand::Files(args) => return agent_file::list(session, args).await,
        AgentCommand::Machines { agent } => {
            return agent_machine::list(session, agent.id(session).await?).await;
        }
        AgentCommand::Metrics { agent, part } => {
            let found =
                client.call::<AgentMetricsShow>(&agent.id(session).await?, &part.query(), &()).await?;
            return metric::print(session, found);
        }
        AgentCommand::Attach { agent, machine } => {
            return agent_machine::attach(session, agent.id(session).await?, &machine).await;
        }
        AgentCommand::Detach { agent } => {
            return agent_machine::detach(session, agent.id(session).await?).await;
        }
    }
    Ok(Exit::Done)
}

async fn delete(args: AgentDeleteArgs, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    let agent = client.get_agent(args.agent.id(session).await?).await?;
    let plan = agent.plan_deletion().await?;
    if args.delete.dry_run {
        output.object(&plan)?;
        return Ok(Exit::Done);
    }
    let Some(fate) = vault_fate(&args, &plan)? else { return Ok(Exit::NotDone) };
    let vault = match fate {
        VaultFate::Keep => format!("keeping its vault {}", plan.vault_id),
        VaultFate::Delete => format!("and {}", vault_in_words(&plan)),
        VaultFate::DeleteAll => {
            format!("{} and {} older ones", vault_in_words(&plan), plan.older_vaults.len())
        }
    };
    let what = format!("agent {} ({}), its {}, {vault}", plan.agent_id, plan.name, configurations(&plan));
    if !args.delete.confirm(&what)? {
        return Ok(Exit::NotDone);
    }
    agent.delete(fate).await?;
    Ok(Exit::Done)
}

async fn migrate_vault(
    session: &Session,
    (agent, to): (AgentId, AgentId),
    password: Option<String>,
    sure: DeleteArgs,
) -> Result<Exit> {
    let Session { client, output } = session;
    let (agent, destination) = (client.get_agent(agent).await?, client.get_agent(to).await?);
    let what = format!("vault {} of agent {} ({})", agent.vault_id, agent.id, agent.name);
    if sure.dry_run {
        output::to_stderr(&format!("{what} would become that of agent {to} ({})", destination.name));
        return Ok(Exit::Done);
    }
    if !sure.confirm_to(&format!("give agent {to} ({})", destination.name), &what)? {
        return Ok(Exit::NotDone);
    }
    let password = match agent.is_encrypted() {
        true => Some(vault_password::of_now(password.as_deref())?),
        false => None,
    };
    output.object(&agent.migrate_vault(to, password.as_deref()).await?)?;
    Ok(Exit::Done)
}

/// What becomes of the vault, as the flags say or, at a terminal, whoever is asked. `None` where that is no answer.
fn vault_fate(args: &AgentDeleteArgs, plan: &AgentDeletionPlan) -> Result<Option<VaultFate>> {
    match (args.keep_vault, args.delete_vault) {
        (true, _) => Ok(Some(VaultFate::Keep)),
        (_, true) if args.older_vaults => Ok(Some(VaultFate::DeleteAll)),
        (_, true) => Ok(Some(VaultFate::Delete)),
        _ => {
            let needed = "say what becomes of the agent's vault: --keep-vault or --delete-vault";
            let answer =
                confirm::ask(&format!("Keep or delete {}? [keep/delete]", vault_in_words(plan)), needed)?;
            Ok(match answer.as_str() {
                "keep" | "k" => Some(VaultFate::Keep),
                "delete" | "d" => Some(VaultFate::Delete),
                _ => None,
            })
        }
    }
}

fn vault_in_words(plan: &AgentDeletionPlan) -> String {
    let (size, count) = (human::size(plan.vault_size_bytes), plan.vault_snapshot_count);
    format!("its vault {} ({size}, {count} snapshots)", plan.vault_id)
}

fn configurations(plan: &AgentDeletionPlan) -> String {
    match plan.backup_configurations.len() {
        1 => "backup configuration".to_owned(),
        many => format!("{many} backup configurations"),
    }
}
