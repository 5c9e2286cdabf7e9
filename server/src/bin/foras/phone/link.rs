//! The commands that meet the server.

use foras::exchange::SyncReport;
use foras::phone::FirstSyncStatus;
use serde::Serialize;

use crate::output::{Failure, Terminal};

/// What a sync did, as it is printed.
#[derive(Serialize)]
struct Synced {
    sent: u32,
    carried: u32,
    received: u32,
    pending: u64,
    refused: u32,
    bytes_up: u64,
    bytes_down: u64,
    round_trips: u32,
    /// How far a first sync has come that was cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_sync: Option<FirstSyncStatus>,
}

impl From<SyncReport> for Synced {
    fn from(report: SyncReport) -> Self {
        let SyncReport { sent, carried, received, pending, refused, bytes_up, bytes_down, round_trips } = report;
        Self { sent, carried, received, pending, refused, bytes_up, bytes_down, round_trips, first_sync: None }
    }
}

impl Synced {
    fn print(&self, terminal: &Terminal) -> Result<(), Failure> {
        terminal.result(self, || {
            let Self { sent, carried, received, pending, refused, bytes_up, bytes_down, round_trips, .. } = self;
            format!(
                "sent {sent}, carried {carried}, received {received}, pending {pending}, refused {refused}; \
                 {bytes_up} bytes up, {bytes_down} bytes down in {round_trips} round trips"
            )
        })
    }
}

pub(super) fn enrol(
    phone: &mut foras::Phone,
    invitation: &str,
    server: Option<&str>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let enrolled = phone.enrol(invitation, server)?;
    terminal.result(&enrolled, || {
        let places = if enrolled.places.is_empty() { "everywhere".to_owned() } else { enrolled.places.join(", ") };
        format!("enrolled as {} ({places}); sync to get the records", enrolled.role)
    })
}

/// Prints what was done, also of a sync that did not do all of it.
pub(super) fn sync(phone: &mut foras::Phone, server: Option<&str>, terminal: &Terminal) -> Result<(), Failure> {
    let (report, error) = match phone.sync(server) {
        Ok(report) => (report, None),
        Err(stopped) => (stopped.report, Some(stopped.error)),
    };
    let mut synced = Synced::from(report);
    if error.is_some()
        && let Ok(status) = phone.status()
    {
        synced.pending = status.pending;
        synced.first_sync = status.first_sync;
    }
    synced.print(terminal)?;
    if let Some(error) = error {
        return Err(error.into());
    }
    if synced.refused > 0 {
        return Err(Failure::refused(
            "refused",
            format!("the server refused {} changes; they are kept on this phone", synced.refused),
            "see `foras phone status` for each with its code; correct it and sync again",
        ));
    }
    if synced.pending > 0 {
        return Err(Failure {
            retryable: true,
            ..Failure::refused(
                "pending",
                format!("{} changes are still pending", synced.pending),
                "sync again; nothing is lost",
            )
        });
    }
    Ok(())
}
