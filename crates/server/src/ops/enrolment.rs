//! Enrolment: a token and a public key in; an agent, its vault and its credential out.
//!
//! The token is bound to the first key that comes with it. The reply is encrypted to that key, so a retry after a
//! lost reply harms nobody: only the key's holder can read the credential. Once the agent has connected, the token is
//! spent.

use roadstead_api::{
    Endpoint,
    agent::{Enrolled, Enrolment, EnrolmentToken, EnrolmentTokenCreate, NewEnrolmentToken},
    event::Event,
    id::{AccountId, AgentId, VaultId},
    protection::NewProtection,
    run::RunOrigin,
};

use super::{Context, backup_configuration, protection_template, run, validate};
use crate::{
    Error, Result,
    app::{App, vault_password_place},
    auth::{AGENT_PREFIX, public_key::PublicKey},
    db::{self, Write, agent::NewAgent, backup::NewBackupRow, enrolment_token::Claim, row::timestamp},
    random,
    vaults::Header,
};

/// How long an enrolment token lives when nobody says, in seconds.
const DEFAULT_TTL: u32 = 15 * 60;
/// How long it may live, in seconds.
const MAX_TTL: u32 = 7 * 24 * 3600;
/// What a token begins with: what it is, and the version of its form.
const TOKEN_PREFIX: &str = "rse1.";

/// Makes a token that enrols one agent.
pub async fn create_token(context: &Context, new: NewEnrolmentToken) -> Result<EnrolmentToken> {
    make_token::<EnrolmentTokenCreate>(context, new.ttl_seconds.unwrap_or(DEFAULT_TTL), None).await
}

/// Makes a token for an endpoint that hands it on; its agent's machine is protected so from the beginning.
pub async fn make_token<E: Endpoint>(
    context: &Context,
    ttl: u32,
    protection: Option<&NewProtection>,
) -> Result<EnrolmentToken> {
    if !(1..=MAX_TTL).contains(&ttl) {
        return Err(Error::invalid(format!("ttl_seconds is {ttl}; it goes from 1 to {MAX_TTL} (7 days).")));
    }
    let secret = random::secret("")?;
    let now = context.now_ms();
    let expires = now + i64::from(ttl) * 1000;
    let mut change = context.change::<E>().await?;
    let hash = random::fingerprint(&secret);
    db::enrolment_token::insert(&mut change, context.account(), &hash, protection, expires, now).await?;
    change.commit("").await?;
    Ok(EnrolmentToken { token: token_text(&secret, &context.trust), expires_at: timestamp(expires)? })
}

/// The token that carries a secret, and says how the server is to be known.
fn token_text(secret: &str, trust: &str) -> String {
    format!("{TOKEN_PREFIX}{secret}.{trust}")
}

/// Enrols an agent. The token is the credential.
pub async fn enroll(app: &App, enrolment: Enrolment) -> Result<Enrolled> {
    validate::name("name", &enrolment.name)?;
    for text in
        [&enrolment.host.hostname, &enrolment.host.os, &enrolment.host.arch, &enrolment.host.agent_version]
    {
        short_fact(text)?;
    }
    let key = PublicKey::from_pem(&enrolment.public_key)?;
    let fingerprint = key.fingerprint()?;
    let claim = claim(app, &enrolment.token, &fingerprint).await?;
    let credential = random::secret(AGENT_PREFIX)?;
    let hash = random::fingerprint(&credential);
    let (agent_id, vault_id) = match claim.agent_id {
        Some(agent) => (agent, renew(app, agent, &hash).await?),
        None => create(app, &claim, &enrolment, &fingerprint, &hash).await?,
    };
    Ok(Enrolled { agent_id, vault_id, encrypted_credential: key.encrypt(&credential)? })
}

fn short_fact(text: &str) -> Result<()> {
    if text.len() > 500 {
        return Err(Error::invalid("A fact about the host has more than 500 bytes."));
    }
    Ok(())
}

async fn claim(app: &App, token: &str, fingerprint: &str) -> Result<Claim> {
    let refused = || {
        Error::forbidden(
            "The enrolment token is unknown, used or expired; make another (`roadstead agents token`).",
        )
    };
    let secret =
        token.strip_prefix(TOKEN_PREFIX).and_then(|rest| rest.split_once('.')).ok_or_else(refused)?.0;
    let mut write = app.db.write().await?;
    let hash = random::fingerprint(secret);
    let claim = db::enrolment_token::claim(&mut write, &hash, fingerprint, app.now_ms()).await?;
    write.commit().await?;
    claim.ok_or_else(refused)
}

/// The same key came again: the agent is there, and gets a new credential in place of the one it may not have seen.
async fn renew(app: &App, agent: AgentId, credential_hash: &str) -> Result<VaultId> {
    let mut write = app.db.write().await?;
    let renewed = db::agent::renew_credential(&mut write, agent, credential_hash).await?;
    let vault = db::vault::by_agent(&mut write, agent).await?;
    write.commit().await?;
    if !renewed {
        return Err(Error::conflict("This agent is enrolled and has connected; its token is spent."));
    }
    Ok(vault.ok_or_else(|| Error::internal("The agent has no vault."))?.id)
}

async fn create(
    app: &App,
    claim: &Claim,
    enrolment: &Enrolment,
    fingerprint: &str,
    credential_hash: &str,
) -> Result<(AgentId, VaultId)> {
    let vault = VaultId(random::id()?);
    let password = random::secret("")?;
    let headers = {
        let (vaults, vault, password) = (app.vaults.clone(), vault.clone(), password.clone());
        tokio::task::spawn_blocking(move || vaults.create(&vault, &password)).await??
    };
    let agent = NewAgent {
        account_id: claim.account_id,
        name: &enrolment.name,
        public_key: &enrolment.public_key,
        fingerprint,
        credential_hash,
        host: &run::bounded(&enrolment.host),
        now_ms: app.now_ms(),
    };
    let written = write_rows(app, claim, &agent, (&vault, &password, &headers)).await;
    if written.is_err() {
        let (vaults, vault) = (app.vaults.clone(), vault.clone());
        let _ = tokio::task::spawn_blocking(move || vaults.remove(&vault)).await?;
    }
    Ok((written?, vault))
}

async fn write_rows(
    app: &App,
    claim: &Claim,
    agent: &NewAgent<'_>,
    (vault, password, headers): (&VaultId, &str, &[Header]),
) -> Result<AgentId> {
    let sealed = seal_password(app, claim.account_id, vault, password).await?;
    let mut write = app.db.write().await?;
    let id = db::agent::insert(&mut write, agent).await?;
    db::vault::insert(&mut write, vault, (claim.account_id, id), &sealed, agent.now_ms).await?;
    for Header { kind, name, content } in headers {
        db::vault_file::insert_header(&mut write, vault, kind, name, content).await?;
    }
    db::enrolment_token::set_agent(&mut write, claim.token, id).await?;
    if let Some(wanted) = &claim.protection {
        protect(&mut write, agent, (id, vault), wanted).await?;
    }
    write.tell(claim.account_id, Event::new("agent", id, "enroll"));
    write.tell(claim.account_id, Event::new("vault", vault, "create"));
    write.commit().await?;
    Ok(id)
}

/// Has the agent's machine backed up as its token says.
async fn protect(
    write: &mut Write,
    agent: &NewAgent<'_>,
    (id, vault): (AgentId, &VaultId),
    wanted: &NewProtection,
) -> Result<()> {
    let (account_id, now_ms) = (agent.account_id, agent.now_ms);
    let template = protection_template::configuration(wanted, agent.name, id, None);
    let made = backup_configuration::insert(write, account_id, &template, true, now_ms).await?;
    write.tell(account_id, Event::new("backup_configuration", made.id, "create"));
    if !wanted.start {
        return Ok(());
    }
    let number = db::backup_configuration::count_run(write, made.id).await?;
    let row = NewBackupRow {
        account_id,
        configuration_id: made.id,
        agent_id: id,
        vault_id: vault,
        name: &format!("{}-{number}", made.name),
        origin: RunOrigin::Asked,
        slot_ms: None,
        ended: None,
        now_ms,
    };
    db::backup::insert(write, &row).await?;
    Ok(())
}

async fn seal_password(app: &App, account: AccountId, vault: &VaultId, password: &str) -> Result<String> {
    app.account_key(account).await?.seal(&vault_password_place(&vault.0), password)
}
