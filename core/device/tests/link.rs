//! The HTTP link against a listener that answers with given bytes.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use foras::link::http::EnrolFailure;
use foras::link::{Answer, HttpLink, Link};
use foras_sync::LinkFailure;
use foras_wire::enrol::EnrolRequest;
use foras_wire::id::{DeviceId, Incarnation, Nonce, PublicKey, Signature64};
use foras_wire::limits::BODY_BYTES_MAX;
use foras_wire::stream::AnswerWriter;
use foras_wire::sync::{AnswerFrame, Credentials, Refusal};
use foras_wire::version::ProtocolRange;

/// Answers one request with `pieces`, one write each, then closes. Returns what it was sent.
fn answering(pieces: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = whole_request(&mut stream);
        for piece in pieces {
            // The other side may hang up early, as it should on an answer without end.
            if stream.write_all(&piece).and_then(|()| stream.flush()).is_err() {
                break;
            }
        }
        request
    });
    (url, thread)
}

/// Head and body of the request on `stream`.
fn whole_request(stream: &mut impl Read) -> Vec<u8> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if request.len() >= head.len() + 4 + length {
                return request;
            }
        }
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the request was cut");
        request.extend_from_slice(&buffer[..read]);
    }
}

fn head(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes()
}

const FRAMES: &str = "Content-Type: application/octet-stream\r\n";

fn credentials() -> Credentials {
    let proof = Some((Nonce([2; 16]), Signature64([3; 64])));
    Credentials { device: DeviceId([1; 16]), token: [0xab; 32], proof }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn ask(url: &str) -> Result<Vec<u8>, LinkFailure> {
    run(async {
        let mut answer = HttpLink::new(url)?.exchange(&credentials(), b"body".to_vec(), 0).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            bytes.extend(chunk);
        }
        Ok(bytes)
    })
}

#[test]
fn an_answer_comes_in_pieces_and_the_proof_stands_beside_the_body() {
    let (url, server) = answering(vec![
        head("200 OK", &format!("{FRAMES}Transfer-Encoding: chunked\r\n")),
        b"3\r\nsaf\r\n".to_vec(),
        b"1\r\ne\r\n0\r\n\r\n".to_vec(),
    ]);
    assert_eq!(ask(&format!("{url}/")), Ok(b"safe".to_vec()));
    let request = String::from_utf8(server.join().unwrap()).unwrap().to_lowercase();
    assert!(request.starts_with("post /v1/sync http/1.1\r\n"));
    assert!(request.contains(&format!("foras-device: {}\r\n", "01".repeat(16))));
    assert!(request.contains(&format!("authorization: foras {}\r\n", "ab".repeat(32))));
    assert!(request.contains(&format!("foras-proof: {}:{}\r\n", "02".repeat(16), "03".repeat(64))));
    assert!(request.ends_with("\r\n\r\nbody"));
}

#[test]
fn what_is_no_answer_of_foras_is_told_apart() {
    let html = "Content-Type: text/html\r\nContent-Length: 0\r\n";
    for (status, headers, expected) in [
        ("200 OK", html.to_owned(), LinkFailure::NotForas),
        ("302 Found", format!("{html}Location: http://127.0.0.1:1/login\r\n"), LinkFailure::NotForas),
        ("404 Not Found", html.to_owned(), LinkFailure::NotForas),
        ("503 Service Unavailable", format!("{html}Retry-After: 30\r\n"), LinkFailure::Busy { retry_after_s: 30 }),
        ("429 Too Many Requests", format!("{html}Retry-After: soon\r\n"), LinkFailure::Busy { retry_after_s: 0 }),
        ("502 Bad Gateway", html.to_owned(), LinkFailure::Offline),
    ] {
        let (url, server) = answering(vec![head(status, &headers)]);
        assert_eq!(ask(&url), Err(expected), "{status}");
        server.join().unwrap();
    }
}

#[test]
fn a_connection_that_breaks_is_being_offline() {
    for pieces in [
        vec![],
        vec![head("200 OK", &format!("{FRAMES}Content-Length: 10\r\n")), b"half".to_vec()],
        vec![head("200 OK", &format!("{FRAMES}Transfer-Encoding: chunked\r\n")), b"3\r\nsaf\r\n".to_vec()],
    ] {
        let (url, server) = answering(pieces);
        assert_eq!(ask(&url), Err(LinkFailure::Offline));
        server.join().unwrap();
    }
    assert_eq!(ask("http://127.0.0.1:1"), Err(LinkFailure::Offline));
}

#[test]
fn an_answer_without_end_is_left() {
    let mut pieces = vec![head("200 OK", FRAMES)];
    pieces.extend((0..=BODY_BYTES_MAX / (1024 * 1024)).map(|_| vec![0; 1024 * 1024]));
    let (url, server) = answering(pieces);
    assert_eq!(ask(&url), Err(LinkFailure::Malformed));
    server.join().unwrap();
}

#[test]
fn addresses_that_this_build_cannot_reach_are_said_at_once() {
    for url in ["https://foras.example", "ftp://foras.example", "foras.example", "http://", "", "http://a b"] {
        assert_eq!(HttpLink::new(url).err(), Some(LinkFailure::Unsupported), "{url}");
    }
}

#[test]
fn a_refused_enrolment_says_why() {
    let refusal = Refusal { code: "used".into(), retryable: false, nonce: None, retry_after_s: 0 };
    let body = AnswerWriter::new().frame(&AnswerFrame::Refused(refusal.clone()));
    let headers = format!("{FRAMES}Content-Length: {}\r\n", body.len());
    let request = EnrolRequest {
        protocol: ProtocolRange::OURS,
        secret: vec![1; 16],
        key: PublicKey([2; 32]),
        incarnation: Incarnation([3; 16]),
        signature: Signature64([4; 64]),
    };
    let (url, server) = answering(vec![head("403 Forbidden", &headers), body]);
    let refused = run(async { HttpLink::new(&url).unwrap().enrol(&request).await });
    assert_eq!(refused, Err(EnrolFailure::Refused(refusal)));
    server.join().unwrap();
    let (url, server) = answering(vec![head("200 OK", "Content-Length: 5\r\n"), b"hello".to_vec()]);
    let refused = run(async { HttpLink::new(&url).unwrap().enrol(&request).await });
    assert_eq!(refused, Err(EnrolFailure::Link(LinkFailure::NotForas)));
    server.join().unwrap();
}
