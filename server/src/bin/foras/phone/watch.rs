//! `foras phone sync --watch`: in sync for as long as it runs, told state by state.

use std::cell::RefCell;

use foras::exchange::{Ringer, Stopped, SyncReport, bell};
use serde::Serialize;

use crate::output::{Failure, Terminal};
use crate::serve::stop_signal;

/// A change of state, as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Change {
    /// `live`: in sync, and news arrives by itself; `offline`: the server does not answer, and is asked again.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    sent: u32,
    received: u32,
    pending: u64,
    refused: u32,
}

/// What is told, and when to stop.
struct Watch<'a> {
    terminal: &'a Terminal,
    last: Option<Change>,
    failed: Option<Failure>,
    /// Dropped when there is nothing to watch any more.
    ringer: Option<Ringer>,
}

/// Keeps in sync until the process is told to stop, or the server lets the phone in no more.
pub(super) fn watch(phone: &mut foras::Phone, server: Option<&str>, terminal: &Terminal) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (ringer, mut bell) = bell();
    let watch = RefCell::new(Watch { terminal, last: None, failed: None, ringer: Some(ringer) });
    runtime.block_on(async {
        let stop = stop_signal()?;
        tokio::select! {
            kept = phone.keep(server, &mut bell, |end| watch.borrow_mut().told(end)) => kept?,
            () = stop => {}
        }
        Ok::<_, Failure>(())
    })?;
    watch.into_inner().failed.map_or(Ok(()), Err)
}

impl Watch<'_> {
    fn told(&mut self, end: Result<SyncReport, Stopped>) {
        let (state, code, report, fatal) = match end {
            Ok(report) => ("live", None, report, None),
            Err(Stopped { error, report }) if error.retryable() => {
                ("offline", Some(error.code().to_owned()), report, None)
            }
            Err(Stopped { error, report }) => ("stopped", Some(error.code().to_owned()), report, Some(error)),
        };
        let SyncReport { sent, received, pending, refused, .. } = report;
        let change = Change { state, code, sent, received, pending, refused };
        let is_news = sent + received + refused > 0 || self.last.as_ref().is_none_or(|last| last.state != state);
        if is_news && let Err(failure) = self.print(&change) {
            self.end(failure);
        }
        self.last = Some(change);
        if let Some(error) = fatal {
            self.end(error.into());
        }
    }

    fn print(&self, change: &Change) -> Result<(), Failure> {
        self.terminal.result(change, || {
            let Change { state, sent, received, pending, refused, .. } = change;
            let why = change.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            format!("{state}{why}: sent {sent}, received {received}, pending {pending}, refused {refused}")
        })
    }

    fn end(&mut self, failure: Failure) {
        self.failed.get_or_insert(failure);
        self.ringer = None;
    }
}
