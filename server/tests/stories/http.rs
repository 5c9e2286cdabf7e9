//! Stories over real HTTP, told byte by byte: what strangers, cut connections and garbage do, and do not.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use foras_record::role::Role;
use foras_server::http::{Address, listen};
use foras_server::{Invite, OsEntropy, Server, clock};
use foras_wire::frame;
use foras_wire::invitation::Invitation;
use foras_wire::stream::FrameReader;
use foras_wire::sync::AnswerFrame;
use tokio::sync::oneshot;

use crate::field::{Answer, Office, Person, Phone};

/// A server that listens on a port of its own until dropped.
struct Listening {
    server: Arc<Server>,
    address: SocketAddr,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<std::thread::JoinHandle<()>>,
}

impl Listening {
    fn start() -> Self {
        let mut entropy = OsEntropy;
        let server = Arc::new(Server::open_in_memory(clock::now_ms(), &mut entropy).unwrap());
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let serving = {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let address = Address { listen: "127.0.0.1:0".parse().unwrap(), public_url: None };
                    let listening = listen(server, &address).await.unwrap();
                    tell.send(listening.url.clone()).unwrap();
                    listening.serve(async { drop(stopped.await) }).await.unwrap();
                });
            })
        };
        let url = told.recv().unwrap();
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        Self { server, address, url, stop: Some(stop), serving: Some(serving) }
    }

    /// Sends raw bytes and reads the answer to its end.
    fn send(&self, bytes: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // The server may answer and close before it has read everything.
        drop(stream.write_all(bytes));
        read_answer(&mut stream)
    }

    fn post(&self, path: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
        self.send(&request(path, headers, body, body.len()))
    }

    fn secret(&self, role: Role, places: &[&str]) -> [u8; 16] {
        let places = places.iter().map(|place| place.parse().unwrap()).collect();
        let invite = Invite { role, places, case: None, name: Some("Agent".into()) };
        let invited = self.server.invite(&invite, clock::now_ms(), &mut OsEntropy).unwrap();
        invited.invitation.parse::<Invitation>().unwrap().secret
    }

    fn sync(&self, phone: &Phone, request: &foras_wire::sync::SyncRequest) -> Answer {
        let (status, body) = self.post("/v1/sync", &headers(phone), &frame::encode_request(request));
        assert_eq!(status, 200);
        frames(&body)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody hears it when the server has stopped by itself.
            let _ = stop.send(());
        }
        drop(self.serving.take().map(std::thread::JoinHandle::join));
    }
}

fn request(path: &str, headers: &str, body: &[u8], claimed: usize) -> Vec<u8> {
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {claimed}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn headers(phone: &Phone) -> String {
    let token = HEXLOWER.encode(&phone.token);
    format!("Foras-Device: {}\r\nAuthorization: Foras {token}\r\n", phone.grant.device)
}

/// The answer, read as far as it says that it goes: the server may keep the connection for what is still on its way.
fn read_answer(stream: &mut TcpStream) -> (u16, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut more = |bytes: &mut Vec<u8>| {
        let mut piece = [0; 4096];
        // A reset after the answer is as good as an end.
        let length = stream.read(&mut piece).unwrap_or(0);
        bytes.extend_from_slice(&piece[..length]);
        length > 0
    };
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        assert!(more(&mut bytes), "no answer");
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let chunked = head.contains("transfer-encoding: chunked");
    let is_whole = |bytes: &[u8]| match length {
        Some(length) => bytes.len() >= end + length,
        None => chunked && bytes.ends_with(b"\r\n0\r\n\r\n"),
    };
    while !is_whole(&bytes) && more(&mut bytes) {}
    let body = &bytes[end..];
    (status, if chunked { unchunked(body) } else { body.to_vec() })
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 4 + length..];
    }
}

fn frames(body: &[u8]) -> Answer {
    let (mut reader, mut answer) = (FrameReader::default(), Answer::default());
    reader.feed(body);
    while let Some(frame) = reader.next_frame().unwrap() {
        answer.take(frame);
    }
    answer
}

/// A phone of Oujda, enrolled over HTTP, and the office whose ids and keys it draws.
fn enrolled(listening: &Listening) -> (Office, Phone) {
    let mut office = Office::open();
    office.now_ms = clock::now_ms();
    let secret = listening.secret(Role::Outreach, &["oujda"]);
    let (key, request) = Phone::request(&mut office, &secret);
    let (status, body) = listening.post("/v1/enrol", "", &frame::to_cbor(&request));
    assert_eq!(status, 200);
    (office, Phone::of_answer(key, &request, &body))
}

#[test]
fn a_phone_enrols_pushes_and_catches_up_over_http() {
    let listening = Listening::start();
    let (mut office, mut phone) = enrolled(&listening);
    Person::register(&mut office, &mut phone, "oujda", "Awa");
    let answer = listening.sync(&phone, &phone.request_with(vec![phone.push()])).durable();
    phone.apply(&answer);
    assert_eq!(phone.records.len(), 8, "five modules and three records of Awa");
    let again = listening.sync(&phone, &phone.request_with(Vec::new())).durable();
    assert!(again.pages.is_empty());
}

#[test]
fn a_supervisor_of_processes_is_answered() {
    let listening = Listening::start();
    let get =
        |path: &str| listening.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
    assert_eq!(get("/livez"), (200, b"live\n".to_vec()));
    assert_eq!(get("/readyz"), (200, b"ready\n".to_vec()));
    let (status, body) = get("/version");
    assert_eq!(status, 200);
    let version: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(version["protocol_max"], 2);
    assert_eq!(get("/nothing").0, 404);
    assert_eq!(get("/v1/sync").0, 405);
    assert!(listening.url.starts_with("http://127.0.0.1:"));
}

#[test]
fn strangers_get_a_code_and_no_more() {
    let listening = Listening::start();
    let (_, phone) = enrolled(&listening);
    let body = frame::encode_request(&phone.request_with(Vec::new()));
    let refusal = |headers: &str, body: &[u8]| {
        let (status, body) = listening.post("/v1/sync", headers, body);
        (status, frames(&body).refusal().to_owned())
    };
    assert_eq!(refusal("", &body), (200, "unauthenticated".into()));
    assert_eq!(refusal("Foras-Device: x\r\nAuthorization: Foras y\r\n", &body), (200, "unauthenticated".into()));
    assert_eq!(refusal("Authorization: Bearer x\r\n", &body), (200, "unauthenticated".into()));
    let mut wrong = phone.clone();
    wrong.token = [1; 32];
    assert_eq!(refusal(&headers(&wrong), &body), (200, "unauthenticated".into()));
    wrong.grant.device = foras_wire::id::DeviceId([2; 16]);
    assert_eq!(refusal(&headers(&wrong), &body), (200, "unknown_device".into()));
    assert_eq!(refusal(&headers(&phone), b""), (200, "malformed".into()));
    assert_eq!(refusal(&headers(&phone), &[0xff; 500]), (200, "malformed".into()));
    assert_eq!(refusal(&headers(&phone), &body[..body.len() - 1]), (200, "malformed".into()));
    assert_eq!(refusal(&headers(&phone), &body), (200, "none".into()));
}

#[test]
fn bodies_that_are_too_long_are_not_read() {
    let listening = Listening::start();
    let (_, phone) = enrolled(&listening);
    let known = request("/v1/sync", &headers(&phone), &[0; 1024], 9 * 1024 * 1024);
    assert_eq!(listening.send(&known).0, 413);
    let mut wrong = phone.clone();
    wrong.token = [1; 32];
    let stranger = request("/v1/sync", &headers(&wrong), &[0; 1024], 300 * 1024);
    let (status, body) = listening.send(&stranger);
    let answer = frames(&body);
    assert_eq!((status, answer.refusal()), (200, "unauthenticated"), "a challenge, before anything is read");
    assert!(answer.refused.unwrap().nonce.is_some());
    let enrolment = request("/v1/enrol", "", &[0; 1024], 5_000);
    let (status, body) = listening.send(&enrolment);
    assert_eq!((status, frames(&body).refusal()), (413, "too_large"));
    // A zstd frame that claims, or unpacks to, more than a body may hold.
    let mut bomb = foras_wire::codec::pack(&vec![0; 33 * 1024 * 1024]);
    let (_, body) = listening.post("/v1/sync", &headers(&phone), &bomb);
    assert_eq!(frames(&body).refusal(), "too_large");
    bomb.truncate(20);
    let (_, body) = listening.post("/v1/sync", &headers(&phone), &bomb);
    assert_eq!(frames(&body).refusal(), "malformed");
}

#[test]
fn connections_that_are_cut_hurt_nobody() {
    let listening = Listening::start();
    let (mut office, mut phone) = enrolled(&listening);
    Person::register(&mut office, &mut phone, "oujda", "Awa");
    let body = frame::encode_request(&phone.request_with(vec![phone.push()]));
    let whole = request("/v1/sync", &headers(&phone), &body, body.len());
    for cut in (0..whole.len()).step_by(37) {
        let mut stream = TcpStream::connect(listening.address).unwrap();
        stream.write_all(&whole[..cut]).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    // Sent in full: it is taken, and taking it again says so. A cut request that the server sees only now is newer, and
    // may push this one out of the device's own queue; a phone is told so, and asks again.
    let taken = (0..1_000).find_map(|_| {
        let mut stream = TcpStream::connect(listening.address).unwrap();
        stream.write_all(&whole).unwrap();
        let (status, body) = read_answer(&mut stream);
        assert_eq!(status, 200);
        let answer = frames(&body);
        (answer.refused.is_none() || answer.refusal() != "server_busy").then_some(answer)
    });
    taken.expect("the cut requests end").durable();
    let answer = listening.sync(&phone, &phone.request_with(vec![phone.push()]));
    assert_eq!(answer.exceptions(), ["duplicate"; 3]);
}

#[test]
fn strangers_who_hold_connections_open_stop_no_enrolled_phone() {
    let listening = Listening::start();
    let (mut office, phone) = enrolled(&listening);
    let held: Vec<_> = (0..100)
        .map(|at| {
            let mut stream = TcpStream::connect(listening.address).unwrap();
            let path = if at % 2 == 0 { "/v1/enrol" } else { "/v1/sync" };
            let device = "Foras-Device: 00000000000000000000000000000000\r\n";
            let token = format!("Authorization: Foras {}\r\n", "0".repeat(64));
            stream.write_all(&request(path, &format!("{device}{token}"), b"a", 200)).unwrap();
            stream
        })
        .collect();
    listening.sync(&phone, &phone.request_with(Vec::new())).durable();
    drop(held);
    let secret = listening.secret(Role::Outreach, &["oujda"]);
    let (_, request) = Phone::request(&mut office, &secret);
    let mut tries = 0;
    while listening.post("/v1/enrol", "", &frame::to_cbor(&request)).0 != 200 {
        tries += 1;
        assert!(tries < 1000, "enrolment goes on once the strangers are gone");
    }
}

#[test]
fn silent_connections_make_room_and_a_phones_own_stays() {
    let listening = Listening::start();
    let (_, phone) = enrolled(&listening);
    // The phone keeps its connection open, as phones do.
    let mut own = TcpStream::connect(listening.address).unwrap();
    let body = frame::encode_request(&phone.request_with(Vec::new()));
    let whole = [
        format!("POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{}\r\n", body.len(), headers(&phone))
            .as_bytes(),
        &body,
    ]
    .concat();
    let ask = |own: &mut TcpStream| {
        own.write_all(&whole).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n0\r\n\r\n") {
            let mut byte = [0];
            own.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    };
    ask(&mut own);
    // More silent strangers than the server keeps, and than a process may usually open.
    let mut silent: Vec<_> = (0..400).map(|_| TcpStream::connect(listening.address).unwrap()).collect();
    listening.sync(&phone, &phone.request_with(Vec::new())).durable();
    silent[0].set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert!(matches!(silent[0].read(&mut [0; 1]), Ok(0) | Err(_)), "the oldest made room");
    // The phone's own connection stays.
    ask(&mut own);
}

#[test]
fn when_all_phones_come_at_once_none_is_shown_out() {
    let listening = Listening::start();
    let (_, phone) = enrolled(&listening);
    // After a restart, say. More than the server keeps of those whom it does not know yet.
    let body = frame::encode_request(&phone.request_with(Vec::new()));
    let whole = request("/v1/sync", &headers(&phone), &body, body.len());
    let connections: Vec<_> = (0..700)
        .map(|_| {
            let mut stream = TcpStream::connect(listening.address).unwrap();
            stream.write_all(&whole).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream
        })
        .collect();
    for mut stream in connections {
        assert_eq!(read_answer(&mut stream).0, 200);
    }
}

#[test]
fn a_server_that_is_told_to_stop_stops_with_connections_open() {
    let mut listening = Listening::start();
    let idle = TcpStream::connect(listening.address).unwrap();
    listening.stop.take().unwrap().send(()).unwrap();
    listening.serving.take().unwrap().join().unwrap();
    assert!(TcpStream::connect(listening.address).is_err());
    drop(idle);
}

#[test]
fn a_wrong_code_over_http_is_forbidden_and_an_answer_is_one_frame() {
    let listening = Listening::start();
    let mut office = Office::open();
    let (_, request) = Phone::request(&mut office, &[5; 16]);
    let (status, body) = listening.post("/v1/enrol", "", &frame::to_cbor(&request));
    assert_eq!((status, frames(&body).refusal()), (403, "invitation_unknown"));
    let (status, body) = listening.post("/v1/enrol", "", b"garbage");
    assert_eq!((status, frames(&body).refusal()), (400, "malformed"));
    assert!(matches!(FrameReader::default().next_frame(), Ok(None::<AnswerFrame>)));
}
