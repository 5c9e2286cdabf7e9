//! An answer as one stream of bytes: frames one after the other, compressed in one context, flushed after each.
//!
//! A frame is a code, the length of its body as a varint (seven bits a byte, the lowest first), and the body. Frames stand
//! plain until one is worth compressing; the byte 0 in the place of a code then says that all that follows is one zstd
//! stream, made with the first dictionary, in which frames stand the same way. So an answer that says that nothing changed costs
//! nothing beside its frames, and a later page is compressed with all that went before it. Each frame ends where a block of
//! zstd ends: after a cut, every frame that arrived whole can be read. The stream has no end mark; its last frame says that
//! it is the last.

mod reader;
mod writer;

pub use reader::FrameReader;
pub use writer::AnswerWriter;

/// Stands in the place of a code: from here on one zstd stream with the first dictionary.
const PACKED_FROM_HERE: u8 = 0;
