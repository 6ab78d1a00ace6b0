//! A shell on a machine: a terminal over a WebSocket.
//!
//! `GET /api/v1/machines/{id}/shell?columns=80&rows=24`, upgraded to a WebSocket, opens a terminal on the machine, as
//! commands get there: with an associated key, or by the backend's own way. Binary messages carry what is typed one way,
//! and what the terminal shows the other. Text messages are JSON: a [`ShellRequest`] to the server, a [`ShellNotice`] from
//! it, the last of which says how it ended. The server pings; who answers nothing for a minute and a half is gone.
//!
//! Only admins open shells. A session's cookie counts with the server's own `Origin` only. The audit log says who opened
//! one, on which machine, when, and when it ended; what was typed is in no log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{endpoint::endpoints, id::MachineId};

/// How long a message may be, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// How large the terminal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShellSize {
    /// Characters in a line, 1 to 1000.
    #[serde(default = "usual_columns")]
    pub columns: u16,
    /// Lines, 1 to 1000.
    #[serde(default = "usual_rows")]
    pub rows: u16,
}

fn usual_columns() -> u16 {
    80
}

fn usual_rows() -> u16 {
    24
}

impl Default for ShellSize {
    fn default() -> Self {
        Self { columns: usual_columns(), rows: usual_rows() }
    }
}

/// What a client asks for in a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ShellRequest {
    /// The terminal has another size.
    Resize(ShellSize),
}

/// What the server says in a text message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ShellNotice {
    /// The terminal is there.
    Opened,
    /// The shell ended.
    Ended {
        /// The status that it ended with.
        status: u32,
    },
    /// There is no terminal, or none any more.
    Failed {
        /// Why.
        message: String,
    },
}

endpoints! {
    /// Opens a terminal on a machine, over a WebSocket.
    MachineShellOpen = "machine_shell_open": Get "/machines/{id}/shell", Admin, (MachineId) ? ShellSize, () => 101 ();
    /// What the audit log calls the end of a terminal.
    MachineShellClose = "machine_shell_close": Get "/machines/{id}/shell", Admin, (MachineId) ? ShellSize, () => 101 ();
}

#[cfg(test)]
mod tests {
    use super::{ShellNotice, ShellRequest, ShellSize};

    #[test]
    fn messages_are_as_pages_write_them() {
        let request: ShellRequest =
            serde_json::from_str(r#"{"type":"resize","columns":132,"rows":50}"#).unwrap();
        assert_eq!(request, ShellRequest::Resize(ShellSize { columns: 132, rows: 50 }));
        let ended = serde_json::to_string(&ShellNotice::Ended { status: 3 }).unwrap();
        assert_eq!(ended, r#"{"type":"ended","status":3}"#);
        assert!(serde_json::from_str::<ShellRequest>(r#"{"type":"run"}"#).is_err());
    }
}
