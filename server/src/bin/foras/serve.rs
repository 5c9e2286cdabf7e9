//! `foras serve`.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use foras_server::http::{self, Address};
use foras_server::{Server, ServerError};
use serde_json::json;

use crate::output::{Failure, Terminal};

/// Longest public address, in bytes: it has to fit into an invitation.
const URL_BYTES_MAX: usize = 300;

/// Serve phones from a data folder.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The data folder; made if there is none.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8421", value_parser = address)]
    listen: SocketAddr,
    /// Where phones reach the server, if not there: what invitations name.
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<String>,
}

impl Serve {
    /// Runs the command until the process is told to stop.
    pub(crate) fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        log_to_stderr();
        open_more_files();
        let server = Arc::new(Server::open(&self.data)?);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let address = Address { listen: self.listen, public_url: self.public_url };
        runtime.block_on(async {
            let stop = stop_signal()?;
            let listening = http::listen(server, &address).await?;
            terminal.line(&json!({"listening": listening.url}))?;
            tracing::info!(url = listening.url, "listening");
            listening.serve(stop).await?;
            tracing::info!("stopped");
            Ok(())
        })
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self {
            code: error.code().into(),
            message: error.to_string(),
            retryable: error.retryable(),
            what_to_do: error.what_to_do().into(),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| "not HOST:PORT, or the host is not known here".to_owned())
}

fn public_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let host = rest.map(|rest| rest.trim_end_matches('/')).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}@#?%".contains(&byte);
    if host.is_empty() || text.len() > URL_BYTES_MAX || !host.bytes().all(plain) {
        return Err("not an address such as https://foras.example".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Most files that the server asks to hold open: each phone that waits for news is one.
#[cfg(unix)]
const FILES_MAX: u64 = 1 << 20;

/// Raises how many files the process may hold open to what the system lets it: the usual 1,024 are fewer than phones.
#[cfg(unix)]
fn open_more_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(FILES_MAX).min(FILES_MAX);
    if limit.current.is_some_and(|current| current < most) {
        // Where it is refused, fewer phones can wait at a time; they are served all the same.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum });
    }
}

#[cfg(not(unix))]
fn open_more_files() {}

/// Logs go to stderr, one line each, without personal data; `FORAS_LOG` sets what is logged.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("FORAS_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // A line that cannot be written, as on a full disk, is lost. Saying so on the same stderr would panic.
        .log_internal_errors(false)
        .try_init();
    // Another subscriber is there already: its choice.
    drop(logging);
}

/// Done when the process is told to stop.
#[cfg(unix)]
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Done when the process is told to stop.
#[cfg(not(unix))]
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_one_that_an_invitation_can_name() {
        assert_eq!(public_url("https://foras.example/"), Ok("https://foras.example".to_owned()));
        for wrong in ["", "foras.example", "http://", "https:///", "https://a b", "ftp://x", "https://x?y"] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
