//! The link over HTTP/1.1, on reqwest.

use std::future::Future;
use std::time::Duration;

use foras_sync::LinkFailure;
use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::limits::BODY_BYTES_MAX;
use foras_wire::stream::FrameReader;
use foras_wire::sync::{AnswerFrame, Credentials, Refusal};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};

use super::{Answer, Link, WAIT_S};

/// How long a network may be silent before it counts as gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection is up.
    pub connect: Duration,
    /// Until the other side says something, beside the time that a body takes to travel and a wait that was asked for.
    pub silence: Duration,
    /// The slowest that a body travels, in bytes a second: when it arrives cannot be seen from here.
    pub upload_bytes_s: u32,
    /// Seconds for which a request for news may wait at the server.
    pub wait_s: u16,
}

impl Default for Patience {
    /// Ten seconds to connect; a minute of silence, since a slow mobile network stalls for tens of seconds and then goes
    /// on; 2G at its slowest; and [`WAIT_S`].
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            upload_bytes_s: 4_096,
            wait_s: WAIT_S,
        }
    }
}

impl Patience {
    fn until_answer(&self, body_bytes: usize, wait_s: u16) -> Duration {
        let upload_s = body_bytes as u64 / u64::from(self.upload_bytes_s.max(1));
        self.silence.saturating_add(Duration::from_secs(upload_s.saturating_add(wait_s.into())))
    }
}

/// Probes without an answer after which a silent connection is dead. The first comes after a network may be silent for, so
/// that one is noticed within twice that time.
const PROBES: u32 = 4;
/// Longest answer to an enrolment, in bytes.
const ENROL_ANSWER_BYTES_MAX: usize = 64 * 1024;
const MEDIA_TYPE: &str = "application/octet-stream";

/// The link to one server.
#[derive(Debug, Clone)]
pub struct HttpLink {
    client: Client,
    base: String,
    patience: Patience,
}

/// Why an enrolment came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolFailure {
    /// The server was not reached, or what answered is not it.
    Link(LinkFailure),
    /// The server refused.
    Refused(Refusal),
}

impl From<LinkFailure> for EnrolFailure {
    fn from(failure: LinkFailure) -> Self {
        Self::Link(failure)
    }
}

impl HttpLink {
    /// A link to the server at `url`: `http://HOST[:PORT]`. Nothing is connected yet.
    ///
    /// # Errors
    /// [`LinkFailure::Unsupported`] when `url` is no such address; this build speaks no TLS yet, so `https` is none.
    pub fn new(url: &str) -> Result<Self, LinkFailure> {
        Self::with_patience(url, Patience::default())
    }

    /// As [`HttpLink::new`], with a patience of one's own.
    ///
    /// # Errors
    /// As [`HttpLink::new`].
    pub fn with_patience(url: &str, patience: Patience) -> Result<Self, LinkFailure> {
        let base = url.trim_end_matches('/');
        let parsed = reqwest::Url::parse(base).map_err(|_| LinkFailure::Unsupported)?;
        if parsed.scheme() != "http" || !parsed.has_host() {
            return Err(LinkFailure::Unsupported);
        }
        let builder = Client::builder();
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        let builder = builder.tcp_user_timeout(patience.silence);
        let client = builder
            .connect_timeout(patience.connect)
            // A connection that a network forgot while a request waits is noticed by its probes. Seldom ones, since each
            // wakes a phone's radio; and what is not acknowledged is not given up before a network counts as gone.
            .tcp_keepalive(patience.silence)
            .tcp_keepalive_interval(patience.silence / PROBES)
            .tcp_keepalive_retries(PROBES)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("foras/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| LinkFailure::Unsupported)?;
        Ok(Self { client, base: base.to_owned(), patience })
    }

    fn post(&self, path: &str, body: Vec<u8>) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).header(CONTENT_TYPE, MEDIA_TYPE).body(body)
    }

    /// Hands in an invitation's secret.
    ///
    /// # Errors
    /// [`EnrolFailure`]: not reached, or refused. A lost answer may be asked for again with the same request.
    pub async fn enrol(&self, request: &EnrolRequest) -> Result<EnrolAnswer, EnrolFailure> {
        let body = to_cbor(request);
        let patience = self.patience.until_answer(body.len(), 0);
        let response = within(patience, self.post("/v1/enrol", body).send()).await?;
        let (status, retry_after_s) = (response.status(), retry_after_s(&response));
        let silence = self.patience.silence;
        let mut answer = HttpAnswer { response, left: ENROL_ANSWER_BYTES_MAX, silence };
        let mut body = Vec::new();
        while let Some(bytes) = answer.chunk().await? {
            body.extend_from_slice(&bytes);
        }
        if status.is_success()
            && let Ok(answer) = from_cbor("enrolment", &body)
        {
            return Ok(answer);
        }
        let mut reader = FrameReader::default();
        reader.feed(&body);
        match reader.next_frame() {
            Ok(Some(AnswerFrame::Refused(refusal))) => Err(EnrolFailure::Refused(refusal)),
            _ => Err(failure_of_status(status, retry_after_s).into()),
        }
    }
}

impl Link for HttpLink {
    type Answer = HttpAnswer;

    fn wait_s(&self) -> u16 {
        self.patience.wait_s
    }

    async fn exchange(
        &mut self,
        credentials: &Credentials,
        body: Vec<u8>,
        wait_s: u16,
    ) -> Result<HttpAnswer, LinkFailure> {
        let patience = self.patience.until_answer(body.len(), wait_s);
        let mut request = self
            .post("/v1/sync", body)
            .header("Foras-Device", credentials.device.to_string())
            .header(AUTHORIZATION, format!("Foras {}", hex(&credentials.token)));
        if let Some((nonce, signature)) = &credentials.proof {
            request = request.header("Foras-Proof", format!("{nonce}:{signature}"));
        }
        let response = within(patience, request.send()).await?;
        // A refusal of the request as a whole is a frame, under whatever status. What bears no frames is no Foras server.
        let frames = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == MEDIA_TYPE);
        if !frames {
            return Err(failure_of_status(response.status(), retry_after_s(&response)));
        }
        Ok(HttpAnswer { response, left: BODY_BYTES_MAX, silence: self.patience.silence })
    }
}

/// An answer on its way over HTTP.
#[derive(Debug)]
pub struct HttpAnswer {
    response: Response,
    left: usize,
    silence: Duration,
}

impl Answer for HttpAnswer {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, LinkFailure> {
        let Some(bytes) = within(self.silence, self.response.chunk()).await? else { return Ok(None) };
        self.left = self.left.checked_sub(bytes.len()).ok_or(LinkFailure::Malformed)?;
        Ok(Some(bytes.into()))
    }
}

/// What `work` gives, if it gives it in time.
async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, LinkFailure> {
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done.map_err(|error| failure_of(&error)),
        Err(_) => Err(LinkFailure::TimedOut),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn retry_after_s(response: &Response) -> u32 {
    let value = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    value.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn failure_of(error: &reqwest::Error) -> LinkFailure {
    if error.is_builder() {
        LinkFailure::Unsupported
    } else if error.is_timeout() {
        LinkFailure::TimedOut
    } else {
        LinkFailure::Offline
    }
}

fn failure_of_status(status: StatusCode, retry_after_s: u32) -> LinkFailure {
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => {
            LinkFailure::Busy { retry_after_s }
        }
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => LinkFailure::Offline,
        _ => LinkFailure::NotForas,
    }
}
