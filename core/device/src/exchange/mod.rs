//! The exchange: the engine's effects, performed on a store and over a link.
//!
//! [`Courier`] does everything but wait: the HTTP driver here and the simulated world both run it. `sync_once` brings one
//! sync to its end, `keep` syncs for as long as an app runs. They hold the store only for one step at a time ([`Lend`]),
//! so that a person goes on working while the network is waited for; a call that is given up between steps loses nothing.

mod courier;
#[cfg(feature = "http")]
mod keep;
mod pace;
pub mod peer;
#[cfg(feature = "http")]
mod sync;

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::store::Store;

pub use courier::{Courier, Outward, Step};
#[cfg(feature = "http")]
pub use keep::{Bell, Ringer, bell, keep};
#[cfg(feature = "http")]
pub(crate) use sync::link_of;
#[cfg(feature = "http")]
pub use sync::{enrol, enrol_blocking, sync_blocking, sync_once, sync_over_http};

/// What one sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// Changes and deposits that the server acknowledged as durable, or keeps for a supervisor.
    pub sent: u32,
    /// Changes of other devices that were taken along, and that the server acknowledged.
    pub carried: u32,
    /// Changes that were new to this device.
    pub received: u32,
    /// Changes and deposits that wait for the next sync.
    pub pending: u64,
    /// Changes and deposits that the server refused. What was written anew within the same sync is not among them.
    pub refused: u32,
    /// Bytes of request bodies, as sent.
    pub bytes_up: u64,
    /// Bytes of answer bodies, as received.
    pub bytes_down: u64,
    /// Requests sent.
    pub round_trips: u32,
}

/// A sync that stopped before its end. What it settled and applied stays.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Stopped {
    /// Why.
    pub error: Error,
    /// What was done before.
    pub report: SyncReport,
}

/// Lends the store for one short step at a time.
pub trait Lend {
    /// Runs `step` with the store.
    fn lend<T>(&self, step: impl FnOnce(&mut Store) -> T) -> T;
}

impl Lend for RefCell<&mut Store> {
    fn lend<T>(&self, step: impl FnOnce(&mut Store) -> T) -> T {
        step(*self.borrow_mut())
    }
}

impl Lend for Mutex<Store> {
    fn lend<T>(&self, step: impl FnOnce(&mut Store) -> T) -> T {
        // Every write is a transaction: a panic elsewhere left the store whole.
        step(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
