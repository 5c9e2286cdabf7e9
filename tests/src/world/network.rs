//! The network between phones and the server: bytes, with the weather's faults.

use std::collections::VecDeque;

use foras_server::Server;
use foras_wire::stream::AnswerWriter;
use foras_wire::sync::Credentials;

use super::chance::Chance;
use super::faults::Faults;
use super::weather::Weather;

/// What arrives at a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Some bytes of an answer.
    Bytes(Vec<u8>),
    /// The answer's end.
    End,
    /// The connection is lost.
    Lost,
}

/// A request on its way.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub credentials: Credentials,
    /// The body.
    pub body: Vec<u8>,
}

/// The network.
#[derive(Debug, Default)]
pub struct Network {
    /// Copies that linger somewhere, to arrive after others.
    lingering: VecDeque<Request>,
    overheard: Option<Vec<u8>>,
    cut_next: Option<usize>,
    cut_each: Option<usize>,
    cut_answer_bytes: usize,
    faults: Faults,
}

impl Network {
    /// A network that counts its faults.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// Carries a request to the server; gives what arrives of its answer.
    pub fn carry(
        &mut self,
        server: &Server,
        request: Request,
        weather: Weather,
        now_ms: i64,
        chance: &Chance,
    ) -> VecDeque<Arrival> {
        self.overheard = Some(request.body.clone());
        if chance.percent(weather.lose_request) {
            self.faults.count("request_lost");
            if chance.percent(weather.stale) {
                self.lingering.push_back(request);
            }
            return [Arrival::Lost].into();
        }
        if chance.percent(weather.duplicate) {
            self.faults.count("request_twice");
            answer(server, &request, now_ms, chance);
        }
        let bytes = answer(server, &request, now_ms, chance);
        if chance.percent(weather.stale) {
            self.lingering.push_back(request);
        }
        if chance.percent(weather.lose_answer) {
            self.faults.count("answer_lost");
            return [Arrival::Lost].into();
        }
        let by_chance = chance.percent(weather.cut).then(|| chance.below(bytes.len() + 1));
        let planned = self.cut_next.take();
        if planned.is_some() {
            self.cut_answer_bytes = bytes.len();
        }
        let cut = planned.or(self.cut_each).or(by_chance).map(|cut| cut.min(bytes.len()));
        self.faults.add("answer_cut", u64::from(cut.is_some()));
        pieces(&bytes, cut, chance)
    }

    /// The body of the last request, as somebody beside the wire has it.
    #[must_use]
    pub fn overheard(&self) -> Option<Vec<u8>> {
        self.overheard.clone()
    }

    /// The next answer is cut after so many bytes.
    pub fn cut_next(&mut self, bytes: usize) {
        self.cut_next = Some(bytes);
    }

    /// From now on every answer is cut after so many bytes; or none is.
    pub fn cut_each(&mut self, bytes: Option<usize>) {
        self.cut_each = bytes;
    }

    /// How long the last answer was that was cut on purpose.
    #[must_use]
    pub fn last_answer_bytes(&self) -> usize {
        self.cut_answer_bytes
    }

    /// A copy that lingered arrives; its answer goes nowhere.
    pub fn deliver_stale(&mut self, server: &Server, now_ms: i64, chance: &Chance) {
        if let Some(request) = self.lingering.pop_front() {
            self.faults.count("request_late");
            answer(server, &request, now_ms, chance);
        }
    }

    /// Everything that lingered arrives.
    pub fn settle(&mut self, server: &Server, now_ms: i64, chance: &Chance) {
        while !self.lingering.is_empty() {
            self.deliver_stale(server, now_ms, chance);
        }
    }
}

/// The whole answer to a request, as it travels.
pub(crate) fn answer(server: &Server, request: &Request, now_ms: i64, chance: &Chance) -> Vec<u8> {
    let (mut writer, mut bytes) = (AnswerWriter::new(), Vec::new());
    server.exchange(Some(&request.credentials), &request.body, now_ms, &mut chance.clone(), &mut |frame| {
        bytes.extend(writer.frame(&frame));
        true
    });
    bytes
}

/// Cuts `bytes` into pieces as a network does, up to where the connection is lost.
fn pieces(bytes: &[u8], cut: Option<usize>, chance: &Chance) -> VecDeque<Arrival> {
    let mut rest = &bytes[..cut.unwrap_or(bytes.len())];
    let mut arrivals = VecDeque::new();
    while !rest.is_empty() {
        let length = (1 + chance.below(4_096)).min(rest.len());
        let (piece, after) = rest.split_at(length);
        arrivals.push_back(Arrival::Bytes(piece.to_vec()));
        rest = after;
    }
    arrivals.push_back(if cut.is_some() { Arrival::Lost } else { Arrival::End });
    arrivals
}
