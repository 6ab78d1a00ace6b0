//! `roadstead users`: who may sign in, and in which role.

use clap::{Args, Subcommand, ValueEnum};
use roadstead_client::api::{
    PageQuery,
    id::UserId,
    user::{NewUser, PasswordChange, Role, User, UserChange, UserList},
};

use crate::{
    confirm::DeleteArgs,
    error::{Exit, Result},
    list::{self, ListArgs},
    name::Named,
    secret,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// Make a user.
    #[command(
        after_help = "Example:\n  roadstead users create --username ann --role creator --password @file"
    )]
    Create {
        /// The name to sign in with.
        #[arg(long)]
        username: String,
        #[command(flatten)]
        password: PasswordArgs,
        /// What the user may do.
        #[arg(long, value_enum)]
        role: RoleWord,
    },
    /// List the users.
    #[command(after_help = "Example:\n  roadstead users list")]
    List(ListArgs),
    /// Show a user; without one, yourself.
    #[command(after_help = "Example:\n  roadstead users show 2")]
    Show {
        /// The user, by id or name.
        user: Option<Named<UserId>>,
    },
    /// Change a user's role.
    #[command(after_help = "Example:\n  roadstead users set-role 2 observer")]
    SetRole {
        /// The user, by id or name.
        user: Named<UserId>,
        /// The new role.
        #[arg(value_enum)]
        role: RoleWord,
    },
    /// Change a user's password; without one, your own.
    #[command(after_help = "Example:\n  roadstead users set-password 2 --password @file")]
    SetPassword {
        /// The user, by id or name.
        user: Option<Named<UserId>>,
        #[command(flatten)]
        password: PasswordArgs,
        /// Your password until now, where it is your own that changes: @FILE, or - for standard input.
        #[arg(long, value_name = "@FILE|-")]
        current: Option<String>,
    },
    /// Delete a user with its API keys.
    #[command(after_help = "Example:\n  roadstead users delete 2 --yes")]
    Delete {
        /// The user, by id or name.
        user: Named<UserId>,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

/// A password to be set.
#[derive(Args, Debug)]
pub struct PasswordArgs {
    /// The password: @FILE, or - for standard input; asked for on the terminal when absent.
    #[arg(long, value_name = "@FILE|-")]
    password: Option<String>,
}

/// A role, as a word of the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleWord {
    /// Reads, never file content or secrets.
    Observer,
    /// Also creates and changes.
    Creator,
    /// Also deletes, sees secrets and manages users.
    Admin,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Observer => Self::Observer,
            RoleWord::Creator => Self::Creator,
            RoleWord::Admin => Self::Admin,
        }
    }
}

impl PasswordArgs {
    fn read(&self) -> Result<String> {
        secret_of("the password", self.password.as_deref(), "New password: ")
    }
}

fn secret_of(what: &str, argument: Option<&str>, question: &str) -> Result<String> {
    match argument {
        Some(argument) => secret::unseen(what, argument),
        None => secret::ask(question, secret::PASSWORD_FLAG),
    }
}

impl Row for User {
    const COLUMNS: &'static [&'static str] = &["id", "username", "role", "created"];
    fn cells(&self) -> Vec<String> {
        let role = format!("{:?}", self.role).to_lowercase();
        vec![self.id.to_string(), self.username.clone(), role, table::age(Some(self.created_at))]
    }
}

/// Carries out a verb.
pub async fn run(command: UserCommand, session: &Session) -> Result<Exit> {
    let client = &session.client;
    let user = match command {
        UserCommand::Create { username, password, role } => {
            client.create_user(&NewUser { username, password: password.read()?, role: role.into() }).await?
        }
        UserCommand::List(which) => {
            return list::print::<UserList, _>(session, (), PageQuery::default(), which).await;
        }
        UserCommand::Show { user: Some(user) } => client.get_user(user.id(session).await?).await?,
        UserCommand::Show { user: None } => client.user().await?,
        UserCommand::SetRole { user, role } => {
            let change = UserChange { role: Some(role.into()), password: None };
            client.update_user(user.id(session).await?, &change).await?
        }
        UserCommand::SetPassword { user: Some(user), password, .. } => {
            let change = UserChange { role: None, password: Some(password.read()?) };
            client.update_user(user.id(session).await?, &change).await?
        }
        UserCommand::SetPassword { user: None, password, current } => {
            let current = secret_of("the current password", current.as_deref(), "Password until now: ")?;
            client.change_password(&PasswordChange { current, new: password.read()? }).await?;
            client.user().await?
        }
        UserCommand::Delete { user, delete } => {
            return remove(session, user.id(session).await?, delete).await;
        }
    };
    session.output.object(&user)?;
    Ok(Exit::Done)
}

async fn remove(session: &Session, id: UserId, delete: DeleteArgs) -> Result<Exit> {
    if delete.dry_run {
        let user = session.client.get_user(id).await?;
        session.output.say("This would be deleted, with its API keys:");
        session.output.object(&user)?;
        return Ok(Exit::Done);
    }
    if !delete.confirm(&format!("the user {id} with its API keys"))? {
        return Ok(Exit::NotDone);
    }
    session.client.delete_user(id).await?;
    session.output.say("Deleted.");
    Ok(Exit::Done)
}
