//! How two copies find out what they hold differently, in bytes that follow the difference and not the copies.
//!
//! A copy of an audience is a set of [`Item`]s, one for each change that the server acknowledged. [`Sum`] tells whether two
//! sets are equal; [`coded`] finds what differs; the other types carry both, and what follows, over the exchange.

pub mod coded;
mod difference;
mod item;
mod offer;
mod request;

pub use difference::{Difference, DifferenceState, LackedChange};
pub use item::{COMBINED_BYTES, Combined, Item, Sum, combined};
pub use offer::{Claim, OfferedChange, OfferedPage, OfferedWhole, Offers};
pub use request::{Reconcile, Sketch, Witness};
