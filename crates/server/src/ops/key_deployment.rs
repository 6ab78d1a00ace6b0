//! Keys put on machines, and taken from them: the line in `authorized_keys`, over another login that works.
//!
//! What is taken away is never the last way in: the login that it was taken away by has to work still, else the line comes
//! back.

use std::{sync::Arc, time::Duration};

use roadstead_api::{
    id::{KeyId, MachineId},
    key::Key,
    key_machine::{KeyDeployment, KeyMachine, KeyMachineDeploy, KeyMachineWithdraw, NewKeyMachine},
    machine::Machine,
};
use roadstead_providers::{ErrorKind as ProviderErrorKind, Program};

use super::{
    Context, key, key_machine, machine,
    remote::{Opener, Way},
};
use crate::{
    Error, ErrorKind, Result,
    remote_shell::{RemoteShell, quoted},
};

/// The functions that the scripts call.
const FUNCTIONS: &str = include_str!("key_deployment.sh");
/// How long a machine may take for one of them.
const STEP: Duration = Duration::from_secs(30);

/// A key on its way to a machine, or from it.
struct Deployment {
    context: Context,
    opener: Opener,
    machine: Machine,
    key: Key,
    association: KeyMachine,
}

/// Associates a key with a machine, and has that let it in. Where that cannot be, all is as it was before.
pub async fn associate(context: &Context, key_id: &KeyId, new: NewKeyMachine) -> Result<KeyMachine> {
    context.authorize::<KeyMachineDeploy>()?;
    let before = key_machine::of_machine(context, &new.machine_id).await?;
    let before = before.into_iter().find(|association| association.key_id == *key_id);
    let pair = (key_id.clone(), key_machine::create(context, key_id, new).await?.machine_id);
    if let Err(error) = deploy(context, pair.clone()).await {
        match before {
            Some(KeyMachine { machine_id, user, port, host, .. }) => {
                let former = NewKeyMachine { machine_id, user: Some(user), port: Some(port), host };
                key_machine::create(context, key_id, former).await?;
            }
            None => key_machine::delete(context, pair).await?,
        }
        return Err(error);
    }
    key_machine::one(context, &pair.0, &pair.1).await
}

/// Has a machine let in a key that is associated with it.
pub async fn deploy(context: &Context, pair: (KeyId, MachineId)) -> Result<KeyDeployment> {
    context.authorize::<KeyMachineDeploy>()?;
    let deployment = Deployment::of(context, &pair).await?;
    if deployment.lets_in().await? {
        return Ok(KeyDeployment { changed: false, way: "by SSH with the key itself".to_owned() });
    }
    let (mut shell, way) = deployment.by_another().await?;
    let changed = deployment.call(&mut shell, "add").await?;
    context.change::<KeyMachineDeploy>().await?.commit(format!("{}/{}", pair.0, pair.1)).await?;
    if !deployment.lets_in().await? {
        return Err(Error::conflict(format!(
            "The key stands in authorized_keys of {} on {}, and the SSH server there does not take it.",
            deployment.association.user, deployment.machine.name
        )));
    }
    Ok(KeyDeployment { changed, way })
}

/// Has a machine no longer let in a key. It stays associated.
pub async fn withdraw(context: &Context, pair: (KeyId, MachineId)) -> Result<KeyDeployment> {
    context.authorize::<KeyMachineWithdraw>()?;
    let deployment = Deployment::of(context, &pair).await?;
    let (mut shell, way) = deployment.by_another().await?;
    let changed = deployment.call(&mut shell, "remove").await?;
    if changed && deployment.by_another().await.is_err() {
        deployment.call(&mut shell, "add").await?;
        return Err(Error::conflict(format!(
            "Without this key nobody would get in to {} any more, so it stays there.",
            deployment.machine.name
        )));
    }
    context.change::<KeyMachineWithdraw>().await?.commit(format!("{}/{}", pair.0, pair.1)).await?;
    Ok(KeyDeployment { changed, way })
}

impl Deployment {
    async fn of(context: &Context, (key_id, machine_id): &(KeyId, MachineId)) -> Result<Self> {
        let key = key::get(context, key_id).await?;
        let machine = machine::get(context, machine_id).await?;
        let association = key_machine::one(context, key_id, machine_id).await?;
        let opener = Opener::new(Arc::clone(&context.app), context.account());
        Ok(Self { context: context.clone(), opener, machine, key, association })
    }

    /// Whether the machine lets the key in.
    async fn lets_in(&self) -> Result<bool> {
        match self.opener.by_key(&self.machine, &self.association, Program::Commands).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Backend(ProviderErrorKind::WrongCredentials) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A shell by a way that does not need the key; it is that of the association's user, or root's.
    async fn by_another(&self) -> Result<(RemoteShell, String)> {
        let opened = self.opener.by_another(&self.machine, &self.key.id, Program::Commands).await;
        let (remote, way) = opened.map_err(|error| self.by_hand(error))?;
        let mut shell = RemoteShell::new(remote)?;
        let user = shell.run("id -un", STEP).await?.output;
        if user.trim() != self.association.user {
            shell.become_root(STEP).await?;
        }
        let way = match way {
            Way::Key(id) => format!("by SSH with the key {}", key::get(&self.context, &id).await?.name),
            Way::Backend => "by its backend's own way".to_owned(),
        };
        Ok((shell, way))
    }

    /// No login works: what somebody has to do there.
    fn by_hand(&self, mut error: Error) -> Error {
        let Deployment { association: KeyMachine { user, .. }, machine, key, .. } = self;
        let message = format!(
            "{} There is no other login to {} that works; put or take this line by hand in ~{user}/.ssh/authorized_keys: \
             {}",
            error.message,
            machine.name,
            key.public_key.trim()
        );
        error.message = message.into();
        error
    }

    /// Calls a function, and says whether it has changed something.
    async fn call(&self, shell: &mut RemoteShell, function: &str) -> Result<bool> {
        let mut words = self.key.public_key.split_whitespace();
        let (kind, blob) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let line = format!("{kind} {blob} {}", self.key.name.replace(char::is_control, " "));
        let values = [("user", self.association.user.as_str()), ("blob", blob), ("line", &line)];
        let mut script = String::new();
        for (name, value) in values {
            script += &format!("{name}={}\n", quoted(value));
        }
        let answer = shell.run(&format!("{script}{FUNCTIONS}{function}\n"), STEP).await?;
        if answer.status != 0 {
            let message = format!("authorized_keys was not changed: {}", answer.last_words());
            return Err(Error::conflict(message));
        }
        Ok(answer.output.contains("changed"))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
        path::Path,
        process::{Command, Output},
    };

    use super::FUNCTIONS;

    /// Calls a function for whoever runs this, who is at home in a folder.
    fn call(home: &Path, function: &str) -> String {
        let script = format!("user=$(id -un)\nblob=AAAA\nline='ssh-ed25519 AAAA k'\n{FUNCTIONS}{function}\n");
        let output = Command::new("sh").args(["-c", &script]).env("HOME", home).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_key_comes_and_goes_beside_others_and_a_link_of_the_user_s_own_stays() {
        let home = tempfile::tempdir().unwrap();
        let (file, kept) = (home.path().join(".ssh/authorized_keys"), home.path().join("kept"));
        assert_eq!(call(home.path(), "add"), "changed\n");
        assert_eq!(call(home.path(), "add"), "");
        assert_eq!(fs::read_to_string(&file).unwrap(), "ssh-ed25519 AAAA k\n");
        fs::remove_file(&file).unwrap();
        fs::write(&kept, "ssh-rsa BBBB other").unwrap();
        symlink(&kept, &file).unwrap();
        assert_eq!(call(home.path(), "add"), "changed\n");
        assert_eq!(fs::read_to_string(&kept).unwrap(), "ssh-rsa BBBB other\nssh-ed25519 AAAA k\n");
        assert_eq!(call(home.path(), "remove"), "changed\n");
        assert_eq!(fs::read_to_string(&kept).unwrap(), "ssh-rsa BBBB other\n");
        assert_eq!(call(home.path(), "remove"), "");
        assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    }

    /// Calls a function for a user who is at home in a folder, as root or whoever takes this for root.
    fn call_as_root(home: &Path, function: &str) -> Output {
        let programs = tempfile::tempdir().unwrap();
        let passwd = format!("echo eve:x:1000:1000::{}:/bin/sh", home.display());
        for (name, does) in
            [("id", "if [ $1 = -u ]; then echo 0; else echo root; fi"), ("getent", &passwd), ("chown", ":")]
        {
            let program = programs.path().join(name);
            fs::write(&program, format!("#!/bin/sh\n{does}\n")).unwrap();
            fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let script = format!("user=eve\nblob=AAAA\nline='ssh-ed25519 AAAA k'\n{FUNCTIONS}{function}\n");
        let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
        Command::new("sh").args(["-c", &script]).env("PATH", path).output().unwrap()
    }

    #[test]
    fn root_follows_no_link_of_another_user() {
        let home = tempfile::tempdir().unwrap();
        let (folder, elsewhere) = (home.path().join(".ssh"), home.path().join("elsewhere"));
        assert_eq!(call_as_root(home.path(), "add").stdout, b"changed\n");
        let file = folder.join("authorized_keys");
        assert_eq!(fs::read_to_string(&file).unwrap(), "ssh-ed25519 AAAA k\n");

        fs::rename(&folder, &elsewhere).unwrap();
        let others = elsewhere.join("authorized_keys");
        let refuses = || {
            for function in ["add", "remove"] {
                let refused = call_as_root(home.path(), function);
                let said = String::from_utf8(refused.stderr).unwrap();
                assert!(
                    !refused.status.success() && said.contains("root does not follow"),
                    "{function}: {said}"
                );
                assert_eq!(fs::read_to_string(&others).unwrap(), "ssh-ed25519 AAAA k\n");
            }
        };
        symlink(&elsewhere, &folder).unwrap();
        refuses();
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        symlink(&others, &file).unwrap();
        refuses();
    }
}
