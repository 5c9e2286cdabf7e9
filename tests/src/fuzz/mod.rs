//! Every decoder and the gates behind them, as functions of hostile bytes. None may panic, and what they promise of
//! anything that they accept is asserted.
//!
//! A target is fed by `cargo-fuzz` (`tests/fuzz/`), which looks for new paths, and by the mutation of kept and freshly made
//! seeds ([`mutate`]), which needs nothing but this crate and runs with the other tests.

mod admission;
mod change;
mod exchange;
mod frames;
mod invitation;
mod lines;
mod messages;
pub mod mutate;
mod packed;
mod peer;
pub mod seeds;
mod story;
mod stream;

use std::sync::Once;

/// Something that reads hostile bytes.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which its folder of kept seeds has too.
    pub name: &'static str,
    /// Reads the bytes. It panics only where a promise is broken.
    pub run: fn(&[u8]),
    /// Honest inputs, made now, so that they follow the protocol.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How much slower it is than a decoder: it gets so much fewer inputs of a share.
    pub cost: u32,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "stream", run: stream::run, seeds: stream::seeds, cost: 1 },
    Target { name: "frame", run: frames::frame, seeds: frames::frames, cost: 1 },
    Target { name: "page", run: frames::page, seeds: frames::pages, cost: 1 },
    Target { name: "request", run: frames::request, seeds: frames::requests, cost: 1 },
    Target { name: "change", run: change::run, seeds: change::seeds, cost: 1 },
    Target { name: "packed", run: packed::list, seeds: packed::lists, cost: 2 },
    Target { name: "segment", run: packed::segment, seeds: packed::segments, cost: 2 },
    Target { name: "peer", run: peer::frame, seeds: peer::frames, cost: 2 },
    Target { name: "sketch", run: peer::sketch, seeds: peer::sketches, cost: 1 },
    Target { name: "admission", run: admission::run, seeds: admission::seeds, cost: 20 },
    Target { name: "invitation", run: invitation::run, seeds: invitation::seeds, cost: 1 },
    Target { name: "grant", run: messages::grant, seeds: messages::grants, cost: 1 },
    Target { name: "enrolment", run: messages::enrolment, seeds: messages::enrolments, cost: 1 },
    Target { name: "lines", run: lines::run, seeds: lines::seeds, cost: 50 },
    Target { name: "exchange", run: exchange::run, seeds: exchange::seeds, cost: 100 },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Gives `bytes` to the target of this name, in a process that does nothing else: a fuzzer's.
///
/// # Panics
/// When there is none, or a promise is broken.
pub fn run(name: &str, bytes: &[u8]) {
    static QUIET: Once = Once::new();
    // A fuzzer ends its process at every panic, caught or not; admission catches those of the CRDT library on purpose.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    (target(name).expect("a target of this name").run)(bytes);
}
