//! `roadstead vaults check`: the verification of a vault.

use roadstead_client::{
    Client,
    api::{
        check::Check,
        id::VaultId,
        run::{Progress, RunState},
    },
};

use crate::{
    error::{Exit, Result},
    progress::ProgressBar,
    session::Session,
};

/// Checks a vault, and prints what was found.
pub async fn run(session: &Session, vault: &VaultId, read_data: bool) -> Result<Exit> {
    let check = watch(&session.client, vault, read_data).await?;
    session.output.object(&check)?;
    Ok(match check.state {
        RunState::Completed => Exit::Done,
        RunState::CompletedWithErrors => Exit::DoneWithErrors,
        _ => Exit::NotDone,
    })
}

/// Starts a check and waits for its end, with a progress bar where there is a terminal.
pub async fn watch(client: &Client, vault: &VaultId, read_data: bool) -> Result<Check> {
    let size = client.get_vault(vault).await?.size_bytes;
    let started = client.start_check(vault, read_data).await?;
    let bar = ProgressBar::new();
    let ended = client.wait_for_check(started.id, |check| {
        let total = if read_data { size } else { 0 };
        let progress = Progress { bytes_total: total, totals_final: true, ..Progress::default() };
        bar.show(check.state, &progress, (check.packs_checked, check.bytes_read));
    });
    let ended = ended.await;
    bar.clear();
    Ok(ended?)
}
