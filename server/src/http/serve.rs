//! Listening, and stopping gracefully.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use super::door::{Door, Guest};
use super::live::look_for_news;
use super::router;
use crate::error::ServerError;
use crate::server::Server;

/// How long requests may go on once the server was told to stop.
const DRAIN_S: u64 = 20;

/// Connections that the system keeps until they are taken, if it lets a process have so many.
const WAITING_OUTSIDE: u32 = 4_096;

/// Where to listen, and what invitations name.
#[derive(Debug, Clone)]
pub struct Address {
    /// `HOST:PORT`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the server is reached from outside, if not there.
    pub public_url: Option<String>,
}

/// A server that listens.
#[derive(Debug)]
pub struct Listening {
    server: Arc<Server>,
    listener: TcpListener,
    /// `http://HOST:PORT`, with the port that was taken.
    pub url: String,
}

/// Takes the address and notes it in the data folder, where invitations find it.
///
/// # Errors
/// [`ServerError::Listen`] when the address cannot be taken, or a failing database.
pub async fn listen(server: Arc<Server>, address: &Address) -> Result<Listening, ServerError> {
    let listener = take(address.listen).map_err(ServerError::Listen)?;
    let url = format!("http://{}", listener.local_addr()?);
    let (noted, public) = (url.clone(), address.public_url.clone());
    let noting = Arc::clone(&server);
    let noted = tokio::task::spawn_blocking(move || noting.set_address(&noted, public.as_deref())).await;
    noted.map_err(|_| ServerError::Corrupt("the address could not be noted"))??;
    Ok(Listening { server, listener, url })
}

/// Takes the address. More may wait outside than the usual 1,024: after a restart all phones come within seconds.
fn take(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As `TcpListener::bind` does: elsewhere than on Windows a port is free again as soon as its server is gone.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_OUTSIDE)
}

impl Listening {
    /// Serves until `stop` is done; then takes no new connections and lets what runs come to its end.
    ///
    /// # Errors
    /// [`ServerError::Io`] when the listener fails.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServerError> {
        let (stopping, mut stopped) = watch::channel(false);
        let news = look_for_news(Arc::clone(&self.server));
        let routes = router(self.server, stopped.clone()).into_make_service_with_connect_info::<Guest>();
        let serving = axum::serve(Door::new(self.listener), routes).with_graceful_shutdown(async move {
            stop.await;
            stopping.send_replace(true);
        });
        let late = async move {
            // An error means that serving ended without being told to.
            if stopped.wait_for(|stopped| *stopped).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_secs(DRAIN_S)).await;
        };
        tokio::select! {
            done = async { serving.await } => Ok(done?),
            () = late => Ok(()),
            () = news => Ok(()),
        }
    }
}
