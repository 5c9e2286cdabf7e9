//! A server over real HTTP on loopback, and phones enrolled with it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use foras::phone::{Phone, Registration, Setting};
use foras_record::role::Role;
use foras_server::http::{Address, listen};
use foras_server::{Invite, OsEntropy, Server};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that listens until it is dropped.
#[derive(Debug)]
pub struct Office {
    /// The server.
    pub server: Arc<Server>,
    /// Where it is reached.
    pub url: String,
    folder: TempDir,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Office {
    /// Opens a server on a new data folder.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn open() -> Self {
        Self::open_in(tempfile::tempdir().expect("a data folder"))
    }

    /// Opens a server on a data folder, which is gone with it.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn open_in(folder: TempDir) -> Self {
        let server = Arc::new(Server::open(folder.path()).expect("a server"));
        let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let address = Address { listen: SocketAddr::from(([127, 0, 0, 1], 0)), public_url: None };
        let listening = runtime.block_on(listen(Arc::clone(&server), &address)).expect("a server that listens");
        let url = listening.url.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtime.spawn(async move {
            let told = async { drop(stopped.await) };
            listening.serve(told).await.expect("a server that listens");
        });
        Self { server, url, folder, runtime, stop: Some(stop), serving: Some(serving) }
    }

    /// Stops listening, and returns when the last request was answered.
    ///
    /// # Panics
    /// When the server did.
    pub fn stop(&mut self) {
        self.stop = None;
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving).expect("a server that stops");
        }
    }

    /// Another process beside the server, as the command line is.
    ///
    /// # Panics
    /// When the data folder does not open.
    #[must_use]
    pub fn attach(&self) -> Server {
        Server::attach(self.folder.path()).expect("the data folder")
    }

    /// The server's data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A database connection past the server, to look and to harm.
    ///
    /// # Panics
    /// When the database cannot be opened.
    #[must_use]
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("foras.db")).expect("the database")
    }

    /// Changes that the server admitted.
    ///
    /// # Panics
    /// When the database cannot be read.
    #[must_use]
    pub fn chunks(&self) -> Vec<Vec<u8>> {
        let database = self.database();
        let mut statement = database.prepare("SELECT chunk FROM change").expect("the table of changes");
        let rows = statement.query_map([], |row| row.get(0)).expect("changes");
        rows.map(|chunk| chunk.expect("a change")).collect()
    }

    /// Somebody of the point in Oujda, enrolled on a phone in `store`.
    ///
    /// # Panics
    /// When the enrolment fails.
    #[must_use]
    pub fn enrol(&self, role: Role, store: &Path) -> Phone {
        self.enrol_at("oujda", role, store)
    }

    /// Somebody of a point or a country, enrolled on a phone in `store`.
    ///
    /// # Panics
    /// When the enrolment fails.
    #[must_use]
    pub fn enrol_at(&self, place: &str, role: Role, store: &Path) -> Phone {
        let places = [place.parse().expect("a place")].into();
        let invite = Invite { role, places, case: None, name: Some("a colleague".to_owned()) };
        let now_ms = foras_server::clock::now_ms();
        let invited = self.server.invite(&invite, now_ms, &mut OsEntropy).expect("an invitation");
        let mut phone = Phone::open(store).expect("a phone");
        phone.enrol(&invited.invitation, None).expect("an enrolment");
        phone
    }
}

/// A registration in Oujda.
#[must_use]
pub fn registration(name: &str) -> Registration {
    let settings = [
        ("name", name),
        ("sex", "f"),
        ("birth_year", "1996"),
        ("nationality", "ML"),
        ("country", "ML"),
        ("point", "oujda"),
    ];
    Registration {
        settings: settings.into_iter().map(|(field, value)| Setting::new(field, value)).collect(),
        consents: vec![("assist".to_owned(), "oral".to_owned())],
        basis: None,
    }
}
