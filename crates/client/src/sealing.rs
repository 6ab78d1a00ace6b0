//! Sealing: giving an agent a password for its vault that the server does not learn.
//!
//! The password is encrypted here, to the agent's public key. That key comes from the server, so a server that wanted to
//! could send its own: whoever does not trust it compares the fingerprint with what `agent enroll` printed on the agent's
//! machine, or names it.

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::{
    agent::Agent as AgentFacts,
    id::{AgentId, SealingId},
    run::RunState,
    sealing::{
        AgentEncrypt, AgentKeyShow, AgentPasswordChange, AgentVaultMigrate, EncryptedPassword, NewSealing,
        NewVaultPassword, Padding, Sealing, SealingShow, VaultMigration,
    },
};
use rsa::{
    Oaep, RsaPublicKey,
    pkcs8::{DecodePublicKey, EncodePublicKey},
    rand_core::UnwrapErr,
};
use sha2::{Digest, Sha256};

use crate::{
    Agent, Client,
    error::{Error, ErrorKind, Result},
    poll,
};

/// The shortest password that is taken: a vault can be tried offline by whoever has its files.
const MIN_PASSWORD: usize = 8;
/// The longest, in bytes: more does not fit the key.
const MAX_PASSWORD: usize = 190;

impl Client {
    /// Encrypts a vault's password to an agent, whose key has to have this fingerprint if one is given. Talks to the
    /// server.
    pub async fn encrypt_password(
        &self,
        agent: AgentId,
        password: &str,
        fingerprint: Option<&str>,
    ) -> Result<EncryptedPassword> {
        let key = self.call::<AgentKeyShow>(&agent, &(), &()).await?;
        encrypt(&key.public_key, password, fingerprint.unwrap_or(&key.fingerprint))
    }

    /// Reads a sealing. Talks to the server.
    pub async fn get_sealing(&self, id: SealingId) -> Result<Sealing> {
        self.call::<SealingShow>(&id, &(), &()).await
    }

    /// Waits until a sealing has ended. Fails, with the reason, if it did not go well. Asks the server again and again.
    pub async fn wait_for_sealing(&self, id: SealingId) -> Result<Sealing> {
        let ended =
            poll::until(|| self.call::<SealingShow>(&id, &(), &()), |sealing| sealing.state.has_ended())
                .await?;
        if ended.state == RunState::Completed {
            return Ok(ended);
        }
        let reason = ended.reason.unwrap_or_else(|| format!("it is {}", ended.state));
        Err(Error::new(ErrorKind::Conflict, format!("The vault's password was not set: {reason}")))
    }
}

impl Agent {
    /// Seals its vault with a password, and waits until that is done: as soon as the agent is there and has nothing else
    /// in hand. `fingerprint` is that of the agent's key, for those who do not take the server's word. Talks to the
    /// server.
    pub async fn encrypt(&mut self, password: &str, fingerprint: Option<&str>) -> Result<Sealing> {
        let password = self.client.encrypt_password(self.id, password, fingerprint).await?;
        let begun = self.client.call::<AgentEncrypt>(&self.id, &(), &NewSealing { password }).await?;
        let done = self.client.wait_for_sealing(begun.id).await?;
        self.refresh().await?;
        Ok(done)
    }

    /// Changes the password of its sealed vault, and waits until that is done. Talks to the server.
    pub async fn change_password(
        &mut self,
        current: &str,
        new: &str,
        fingerprint: Option<&str>,
    ) -> Result<Sealing> {
        let current = self.client.encrypt_password(self.id, current, fingerprint).await?;
        let new = self.client.encrypt_password(self.id, new, fingerprint).await?;
        let change = NewVaultPassword { current, new };
        let begun = self.client.call::<AgentPasswordChange>(&self.id, &(), &change).await?;
        self.client.wait_for_sealing(begun.id).await
    }

    /// Gives its vault and backup configurations to another agent; of a sealed vault with the password. Talks to the
    /// server.
    pub async fn migrate_vault(&self, to: AgentId, password: Option<&str>) -> Result<AgentFacts> {
        let password = match password {
            Some(password) => Some(self.client.encrypt_password(to, password, None).await?),
            None => None,
        };
        let migration = VaultMigration { to, password };
        self.client.call::<AgentVaultMigrate>(&self.id, &(), &migration).await
    }
}

fn encrypt(pem: &str, password: &str, fingerprint: &str) -> Result<EncryptedPassword> {
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&password.len()) || password.contains(['\n', '\r', '\0']) {
        let message =
            format!("A vault's password has {MIN_PASSWORD} to {MAX_PASSWORD} bytes, and is one line.");
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let no_key = || Error::new(ErrorKind::Protocol, "What the server sent is not an agent's public key.");
    let key = RsaPublicKey::from_public_key_pem(pem).map_err(|e| no_key().caused_by(e))?;
    let der = key.to_public_key_der().map_err(|e| no_key().caused_by(e))?;
    let found: String = Sha256::digest(der.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    if !found.eq_ignore_ascii_case(fingerprint.trim()) {
        let message = format!(
            "The server's key for this agent has the fingerprint {found}, and not {fingerprint:.100}: the password was not sent."
        );
        return Err(Error::new(ErrorKind::Untrusted, message));
    }
    let mut rng = UnwrapErr(getrandom::SysRng);
    let text = key.encrypt(&mut rng, Oaep::<Sha256>::new(), password.as_bytes());
    let text = text.map_err(|e| no_key().caused_by(e))?;
    Ok(EncryptedPassword { padding: Padding::Oaep, text: BASE64_STANDARD.encode(text) })
}
