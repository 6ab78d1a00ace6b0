//! The system's users, as `/etc/passwd` lists them.

use std::fs;

/// How large the file may be, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// A user of the system.
#[derive(Debug, PartialEq)]
pub(super) struct User {
    pub uid: u32,
    pub gid: u32,
    pub home: String,
}

/// A user by name; says why there is none.
pub(super) fn find(name: &str) -> Result<User, String> {
    let unreadable = |e| format!("/etc/passwd cannot be read: {e}");
    if fs::metadata("/etc/passwd").map_err(unreadable)?.len() > MAX_BYTES {
        return Err("/etc/passwd is too large".to_owned());
    }
    let text = fs::read("/etc/passwd").map_err(unreadable)?;
    find_in(&String::from_utf8_lossy(&text), name)
        .ok_or_else(|| format!("{name:.100?} is no user in /etc/passwd"))
}

fn find_in(text: &str, name: &str) -> Option<User> {
    let user = |line: &str| {
        let mut fields = line.split(':');
        let is_it = fields.next()? == name;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        let home = fields.nth(1)?.to_owned();
        is_it.then_some(User { uid, gid, home })
    };
    text.lines().find_map(user)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{User, find_in};

    #[test]
    fn the_line_of_the_name_counts() {
        let text =
            "root:x:0:0:root:/root:/bin/bash\nbroken\npostgres:x:105:113::/var/lib/postgresql:/bin/bash\n";
        let home = "/var/lib/postgresql".to_owned();
        assert_eq!(find_in(text, "postgres"), Some(User { uid: 105, gid: 113, home }));
        assert_eq!(find_in(text, "broken"), None);
        assert_eq!(find_in(text, "postgre"), None);
    }

    proptest! {
        #[test]
        fn no_file_panics(text in "(\\PC|:|\n){0,200}", name in "\\PC{0,10}") {
            find_in(&text, &name);
        }
    }
}
