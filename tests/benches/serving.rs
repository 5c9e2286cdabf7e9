//! This program as a server: a process of its own, so that its memory and its processor time are a server's.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use foras_server::Server;
use foras_server::http::{Address, listen};
use tokio::runtime::Builder;

/// How this program is started as a server.
pub(crate) const SERVER_ROLE: &str = "as-a-server";

/// What this program does as a server: `FOLDER`. It says where it listens, and serves until its input ends.
pub(crate) fn as_a_server(words: &[String]) {
    let [folder] = words else { panic!("a server is told its folder") };
    let server = Arc::new(Server::open(Path::new(folder)).expect("a server"));
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let address = Address { listen: SocketAddr::from(([127, 0, 0, 1], 0)), public_url: None };
        let listening = listen(server, &address).await.expect("a server that listens");
        println!("{}", listening.url);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            let _ = stop.send(());
        });
        let ended = async move { drop(stopped.await) };
        listening.serve(ended).await.expect("a server that ends well");
    });
}
