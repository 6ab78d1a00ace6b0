//! The first start: an account, its admin, and the file that tells the admin how to get in.

use std::path::Path;

use roadstead_api::user::Role;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    app::account_key_place,
    auth::{API_KEY_PREFIX, password},
    db::{self, Db, user::NewUser},
    durable, random,
    secrets::Key,
};

/// `admin.json`: what the first start leaves for the admin.
#[derive(Debug, Serialize, Deserialize)]
struct AdminFile {
    url: String,
    username: String,
    password: String,
    api_key: String,
}

/// Makes account and admin if there is no user yet, and keeps the URL in an existing `admin.json` true.
pub async fn prepare(db: &Db, master_key: &Key, data_dir: &Path, url: &str, now_ms: i64) -> Result<()> {
    let file = data_dir.join("admin.json");
    let _turn = db.lease_first_start().await?;
    if db::user::any(&mut *db.read().await?).await? {
        assert_opens(db, master_key, data_dir).await?;
        return update_url(&file, url);
    }
    let admin = AdminFile {
        url: url.to_owned(),
        username: "admin".to_owned(),
        password: random::secret("")?,
        api_key: random::secret(API_KEY_PREFIX)?,
    };
    let password_hash = password::hash(admin.password.clone()).await?;
    // The file comes first: if the server dies in between, the next start writes a new one; the other way round there
    // would be an admin that nobody knows the password of.
    write(&file, &admin)?;
    let mut write = db.write().await?;
    let account_id = db::account::insert(&mut write, "default", now_ms).await?;
    let sealed = master_key.seal(&account_key_place(account_id), &Key::random()?.to_text())?;
    db::account::set_sealed_key(&mut write, account_id, &sealed).await?;
    let username = &admin.username;
    let user = NewUser { account_id, username, password_hash: &password_hash, role: Role::Admin, now_ms };
    let user = db::user::insert(&mut write, &user).await?;
    db::api_key::insert(&mut write, user, "first start", &random::fingerprint(&admin.api_key), now_ms)
        .await?;
    write.commit().await
}

/// A server with another key would seal what its neighbours cannot open, and open nothing itself.
async fn assert_opens(db: &Db, master_key: &Key, data_dir: &Path) -> Result<()> {
    let Some((account, sealed)) = db::account::first(&mut *db.read().await?).await? else { return Ok(()) };
    let wrong = |error| {
        let file = data_dir.join("master.key");
        let message = format!("{} is not the key of this database; put the right one there.", file.display());
        Error::conflict(message).caused_by(error)
    };
    master_key.open(&account_key_place(account), &sealed).map(drop).map_err(wrong)
}

/// The file may have been deleted, as is wise once the password is known; then nothing is written.
fn update_url(file: &Path, url: &str) -> Result<()> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(()) };
    let Ok(mut admin) = serde_json::from_str::<AdminFile>(&text) else { return Ok(()) };
    if admin.url == url {
        return Ok(());
    }
    url.clone_into(&mut admin.url);
    write(file, &admin)
}

fn write(file: &Path, admin: &AdminFile) -> Result<()> {
    let text = serde_json::to_string_pretty(admin);
    let text = text.map_err(|e| Error::internal("admin.json could not be written as JSON.").caused_by(e))?;
    durable::write_private(file, format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::prepare;
    use crate::{db::Db, db::testing, secrets::Key};

    #[tokio::test]
    async fn of_servers_that_start_at_once_one_makes_the_admin() {
        testing::on_postgres(async |url| {
            let db = Arc::new(Db::open_shared(&url).await.unwrap());
            let key = Key::random().unwrap();
            let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
            let starts: Vec<_> = folders
                .iter()
                .map(|folder| {
                    let (db, key, folder) = (db.clone(), key.clone(), folder.path().to_owned());
                    tokio::spawn(async move { prepare(&db, &key, &folder, "http://127.0.0.1:1", 1).await })
                })
                .collect();
            for start in starts {
                start.await.unwrap().unwrap();
            }
            let told = folders.iter().filter(|folder| folder.path().join("admin.json").exists());
            assert_eq!(told.count(), 1);
            db.close().await;
        })
        .await;
    }
}
