//! What a page of the activity list costs over a history of a million backups.
//!
//! Recording them would take hours, so they are copied from those that were recorded, straight into the database file,
//! each a second older than the one before; what is read is read through the API.

use std::{path::Path, process::Command, thread, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{fleet::Bench, load::tell, measure::cpu};
use crate::command::run as run_command;

/// Copies the backups that ended until there are a million; a thousandth of the copies have failed.
const COPY: &str = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
own = ('id', 'slot_ms', 'created_ms', 'state')
names = ', '.join(c[1] for c in db.execute('PRAGMA table_info(backups)') if c[1] not in own)
ended = db.execute(\"SELECT COUNT(*) FROM backups WHERE state = 'completed'\").fetchone()[0]
db.execute('CREATE TEMP TABLE ended AS SELECT row_number() OVER () - 1 AS n, * FROM backups WHERE state = \\'completed\\'')
db.execute('CREATE INDEX temp.nth ON ended (n)')
db.execute(f'''WITH RECURSIVE step(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < 1000000)
    INSERT INTO backups ({names}, created_ms, state)
    SELECT {names}, created_ms - step.n * 1000, CASE WHEN step.n % 1000 = 0 THEN 'failed' ELSE 'completed' END
    FROM step JOIN ended ON ended.n = step.n % {ended}''')
db.commit()
";

/// How long a server that has just started is left alone: it looks through all there is.
const REST: Duration = Duration::from_secs(15);
/// Pages that are read of each kind of list.
const PAGES: u32 = 200;

/// Fills the server's database, and reads pages.
pub fn run(server: Bench) -> Result<()> {
    let server = server.again(|folder: &Path| {
        run_command(Command::new("python3").args(["-c", COPY]).arg(folder.join("roadstead.db")))
    })?;
    thread::sleep(REST);
    for (what, filter) in [
        ("a page of 100 of 1,000,000 activities", &[][..]),
        ("... of one agent", &["--agent", "7"]),
        ("... of one kind", &["--kind", "backup"]),
        ("... of one state", &["--state", "failed"]),
        ("... of a state that none is in", &["--state", "missed"]),
        ("... of those that go on, which are none", &["--active"]),
    ] {
        pages(&server, what, filter)?;
    }
    Ok(())
}

/// Follows a list for some pages, from the beginning again where it ends.
fn pages(server: &Bench, what: &str, filter: &[&str]) -> Result<()> {
    let list = [&["activity", "list", "--limit", "100"], filter].concat();
    let mut cursor = None;
    let before = cpu(&server.process)?;
    for _ in 0..PAGES {
        let page = server.ask(&list, cursor.as_deref())?;
        ensure!(page["items"].is_array(), "a page has no items");
        cursor = page["next"].as_str().map(str::to_owned);
    }
    let each = (cpu(&server.process).context("the server has ended")? - before) * 1000.0 / f64::from(PAGES);
    tell(what, format!("{each:8.2} ms of CPU"));
    Ok(())
}
