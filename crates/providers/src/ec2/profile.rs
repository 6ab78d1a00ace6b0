//! Profiles of the credentials file that Amazon's tools share: sections of names and values.
//!
//! Only keys that stand there are used. Profiles that take on a role, run a program or log in elsewhere are not: they
//! would have this server do what somebody else wrote down.
//!
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>.

use std::path::PathBuf;

use aws_credential_types::Credentials as Keys;
use tokio::{fs::File, io::AsyncReadExt};

use super::keys::keys;
use crate::error::{Error, ErrorKind, Result};

/// The longest file that is read. Real ones have a few lines a profile.
const MAX_BYTES: u64 = 256 << 10;

/// A profile in a file.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) file: PathBuf,
    pub(super) name: String,
}

impl Profile {
    /// Its keys as they are now: whoever makes temporary ones writes new ones there from time to time.
    pub(super) async fn keys(&self) -> Result<Keys> {
        let unread = |source| {
            let message = "the credentials file of this server cannot be read";
            Error::new(ErrorKind::Failed, message).caused_by(source)
        };
        let (mut bytes, file) = (Vec::new(), File::open(&self.file).await.map_err(unread)?);
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).await.map_err(unread)?;
        if bytes.len() as u64 > MAX_BYTES {
            let message = format!("the credentials file of this server is longer than {MAX_BYTES} bytes");
            return Err(Error::new(ErrorKind::Failed, message));
        }
        let without = |what: &str| {
            let message = format!("the profile {} of this server {what}", self.name);
            Error::new(ErrorKind::WrongCredentials, message)
        };
        let text = String::from_utf8_lossy(&bytes);
        let found = find(&text, &self.name).ok_or_else(|| without("is not in its credentials file"))?;
        match (found.id, found.secret) {
            (Some(id), Some(secret)) => Ok(keys(id, secret, found.session.map(str::to_owned))),
            _ => Err(without("has no access key of its own; roles and programs that make some are not used")),
        }
    }
}

/// What stands in a profile.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found<'a> {
    id: Option<&'a str>,
    secret: Option<&'a str>,
    session: Option<&'a str>,
}

/// The profile of this name, if there is a section of it.
fn find<'a>(text: &'a str, name: &str) -> Option<Found<'a>> {
    let (mut found, mut inside) = (None, false);
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            inside = title(section.0) == name;
            if inside {
                found.get_or_insert_with(Found::default);
            }
        } else if let Some(found) = found.as_mut().filter(|_| inside)
            && let Some((key, value)) = line.split_once('=')
        {
            let value = Some(value.trim()).filter(|value| !value.is_empty());
            match key.trim().to_ascii_lowercase().as_str() {
                "aws_access_key_id" => found.id = value,
                "aws_secret_access_key" => found.secret = value,
                "aws_session_token" => found.session = value,
                _ => {}
            }
        }
    }
    found
}

/// A profile's name, as its section has it: the other of the two files writes `profile` before it.
fn title(section: &str) -> &str {
    let section = section.trim();
    let named = section.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t']));
    named.map_or(section, str::trim)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Found, find};

    const FILE: &str = "# made by hand\n[default]\naws_access_key_id = AKID1\naws_secret_access_key=a=b/c\n\n\
        [ profile backup ]\r\n AWS_ACCESS_KEY_ID=AKID2\r\naws_secret_access_key = s2\r\naws_session_token = t2\r\n\
        [role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n# aws_access_key_id = AKID3\n";

    #[test]
    fn a_profile_is_its_section_and_no_other() {
        let found = |id, secret, session| Some(Found { id, secret, session });
        assert_eq!(find(FILE, "default"), found(Some("AKID1"), Some("a=b/c"), None));
        assert_eq!(find(FILE, "backup"), found(Some("AKID2"), Some("s2"), Some("t2")));
        assert_eq!(find(FILE, "role"), found(None, None, None));
        assert_eq!(find(FILE, "profile"), None);
        assert_eq!(find("", "default"), None);
        let cut = "[a]\naws_access_key_id =\n[b\naws_secret_access_key = x\n=\n";
        assert_eq!(find(cut, "a"), found(None, Some("x"), None), "what is no section opens none");
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in any::<String>(), lines in "([\\[\\]=# a-z_\n]{0,9}){0,40}", name in "\\PC{0,8}") {
            let _ = find(&text, &name);
            let _ = find(&lines, &name);
        }

        #[test]
        fn what_was_written_is_found(id in "[A-Z0-9]{16,20}", secret in "[A-Za-z0-9/+=]{1,40}", before in "[a-z #=\n]{0,60}") {
            let text = format!("{before}\n[mine]\naws_access_key_id={id}\naws_secret_access_key={secret}\n[other]\n");
            let found = find(&text, "mine").unwrap();
            prop_assert_eq!((found.id, found.secret), (Some(id.as_str()), Some(secret.as_str())));
        }
    }
}
