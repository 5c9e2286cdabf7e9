//! The sync engine, sans IO: `(event, now, randomness)` in, effects out.
//!
//! An [`Engine`] opens no connection and no file, starts no thread and reads no clock. Whoever drives it performs each
//! [`Effect`] in the order given, and tells it what came of it by an [`Event`]. The same engine therefore runs on
//! a phone over HTTP, in a browser's worker, and by the thousand in the simulated world.
//!
//! One exchange is one request and its streamed answer: pushed changes are settled, then pages of the audiences' logs are
//! applied, each in a transaction of its own. An answer may be cut anywhere: what was settled or applied stays, and the
//! next request goes on from there.
//!
//! - [`work`]: what a device has to exchange, as its store tells it.
//! - [`event`], [`effect`]: what goes in and out.
//! - [`engine`]: when to ask, how often, and when to stop.
//! - [`exchange`]: one request in flight; what an answer may say, and in which order.
//! - [`live`]: the request that waits for news.
//! - [`backoff`]: how long to wait after a failure.

pub mod backoff;
pub mod effect;
pub mod engine;
pub mod event;
pub mod exchange;
pub mod live;
pub mod work;

pub use effect::{Effect, Summary};
pub use engine::Engine;
pub use event::{Event, LinkFailure};
pub use work::{Fate, OutgoingCarried, OutgoingPush, Settlement, Work};
