//! The stream of an answer, cut into pieces anywhere.

use foras_wire::error::WireError;
use foras_wire::stream::FrameReader;
use foras_wire::sync::AnswerFrame;

use super::story;

/// Frames that are read of one input at most: a stream of empty frames is long, and says nothing new.
const FRAMES_MAX: usize = 2_000;

pub(super) fn seeds() -> Vec<Vec<u8>> {
    // The first byte says how the stream is cut into pieces.
    story::travelled().answers.iter().map(|answer| [&[7], answer.as_slice()].concat()).collect()
}

/// A stream read in pieces gives what it gives when read at once.
#[allow(clippy::indexing_slicing)]
pub(super) fn run(bytes: &[u8]) {
    let Some((&piece, stream)) = bytes.split_first() else { return };
    let whole = read([stream].into_iter());
    let pieces = read(stream.chunks(usize::from(piece).max(1)));
    // Where a stream is broken, frames before the damage may be out already, or not.
    let both = whole.0.len().min(pieces.0.len());
    assert_eq!(whole.0[..both], pieces.0[..both], "a stream reads otherwise in pieces of {piece} bytes");
    if both < FRAMES_MAX {
        assert_eq!(whole.1.is_some(), pieces.1.is_some(), "a stream breaks otherwise in pieces of {piece} bytes");
        assert!(whole.1.is_some() || whole.0.len() == pieces.0.len(), "pieces of {piece} bytes lose frames");
    }
}

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<AnswerFrame>, Option<WireError>) {
    let (mut reader, mut frames) = (FrameReader::default(), Vec::new());
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.next_frame() {
                Ok(Some(_)) if frames.len() >= FRAMES_MAX => return (frames, None),
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}
