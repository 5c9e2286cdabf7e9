//! Frames from a blocking thread to an HTTP answer.
//!
//! The channel is unbounded because an answer is bounded: the thread never waits for a slow receiver, and so never holds
//! a snapshot of the database open for one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc;

use super::first::Place;

/// What goes to the answer.
enum Part {
    Bytes(Vec<u8>),
    /// A place of a first sync, held until the answer has left.
    Place(Place),
}

/// The thread's end.
pub(super) struct Sender(mpsc::UnboundedSender<Part>);

/// The answer's end.
pub(super) struct Frames {
    parts: mpsc::UnboundedReceiver<Part>,
    place: Option<Place>,
}

pub(super) fn channel() -> (Sender, Frames) {
    let (sender, parts) = mpsc::unbounded_channel();
    (Sender(sender), Frames { parts, place: None })
}

impl Sender {
    /// Sends bytes; false when nobody receives any more.
    pub(super) fn send(&self, bytes: Vec<u8>) -> bool {
        self.0.send(Part::Bytes(bytes)).is_ok()
    }

    /// The answer keeps the place until it has left, or nobody receives it any more.
    pub(super) fn keep(&self, place: Place) {
        // Nobody receives: the place is free again.
        let _ = self.0.send(Part::Place(place));
    }
}

impl Stream for Frames {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.parts.poll_recv(context) {
                Poll::Ready(Some(Part::Bytes(bytes))) => return Poll::Ready(Some(Ok(bytes))),
                Poll::Ready(Some(Part::Place(place))) => self.place = Some(place),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
