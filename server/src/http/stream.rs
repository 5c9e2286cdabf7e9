//! Frames from a blocking thread to an HTTP answer.
//!
//! The channel is unbounded because an answer is bounded: the thread never waits for a slow receiver, and so never holds
//! a snapshot of the database open for one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc;

/// The thread's end.
pub(super) struct Sender(mpsc::UnboundedSender<Vec<u8>>);

/// The answer's end.
pub(super) struct Frames(mpsc::UnboundedReceiver<Vec<u8>>);

pub(super) fn channel() -> (Sender, Frames) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Sender(sender), Frames(receiver))
}

impl Sender {
    /// Sends a frame; false when nobody receives any more.
    pub(super) fn send(&self, frame: Vec<u8>) -> bool {
        self.0.send(frame).is_ok()
    }
}

impl Stream for Frames {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}
