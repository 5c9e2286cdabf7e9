//! The server of the demonstration: on a folder of its own, reached over real HTTP.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use foras_record::place::Place;
use foras_record::role::Role;
use foras_server::http::{self, Address};
use foras_server::{Invite, OsEntropy, Server, ServerError, clock};
use foras_wire::id::RecordId;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::output::Failure;

/// How the folder's name begins, in the system's folder for temporary files.
const FOLDER_NAME: &str = "foras-demo-";

/// A running server, and the folder that holds it and the phones. Both are gone when it is closed.
#[derive(Debug)]
pub(super) struct Office {
    server: Arc<Server>,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<Result<(), ServerError>>>,
    dir: TempDir,
}

impl Office {
    /// Starts a server on a new folder, listening on loopback; port 0 takes a free one.
    pub(super) fn open(port: u16) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new().prefix(FOLDER_NAME).tempdir()?;
        let server = Arc::new(Server::open(&dir.path().join("data"))?);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let address = Address { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), public_url: None };
        let listening = runtime.block_on(http::listen(Arc::clone(&server), &address)).map_err(not_listening)?;
        let url = listening.url.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = std::thread::spawn(move || {
            runtime.block_on(listening.serve(async move {
                // A sender that is dropped means the same.
                let _ = stopped.await;
            }))
        });
        Ok(Self { server, url, stop: Some(stop), serving: Some(serving), dir })
    }

    /// Where phones reach the server.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The server itself, to read what it holds.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// The server's data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The folder of a phone's store.
    pub(super) fn store(&self, phone: &str) -> PathBuf {
        self.dir.path().join("phones").join(phone)
    }

    /// The folder of everything.
    pub(super) fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// An invitation, as `foras device invite` makes it.
    pub(super) fn invite(
        &self,
        role: Role,
        place: Option<Place>,
        case: Option<RecordId>,
        name: &str,
    ) -> Result<String, Failure> {
        let places: BTreeSet<Place> = place.into_iter().collect();
        let invite = Invite { role, places, case, name: Some(name.to_owned()) };
        Ok(self.server.invite(&invite, clock::now_ms(), &mut OsEntropy)?.invitation)
    }

    /// Stops the server and removes the folder.
    pub(super) fn close(mut self) -> Result<(), Failure> {
        self.stop_serving()?;
        self.dir.close()?;
        Ok(())
    }

    fn stop_serving(&mut self) -> Result<(), Failure> {
        if let Some(stop) = self.stop.take() {
            // Nobody receiving it means that serving has ended already.
            let _ = stop.send(());
        }
        match self.serving.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(error.into()),
            Some(Err(_)) => Err(Failure::refused("server_stopped", "the server stopped unexpectedly", "repeat")),
        }
    }
}

fn not_listening(error: ServerError) -> Failure {
    match error {
        ServerError::Listen(error) if error.kind() == io::ErrorKind::AddrInUse => Failure {
            retryable: true,
            ..Failure::refused(
                "port_in_use",
                "something else listens on this port",
                "name another --port, or leave it out",
            )
        },
        ServerError::Listen(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Failure::refused("port_not_allowed", "this port is not yours to listen on", "name a --port from 1024 up")
        }
        error => error.into(),
    }
}
