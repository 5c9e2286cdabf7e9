//! Limits that every decoder checks before it works or allocates.
//! A new limit is a protocol change: a sender must know it.

/// Longest request or answer body, in bytes, as sent.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest answer after decompression, in bytes.
pub const PLAIN_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The window of a compressed body or stream, as a power of two of bytes: a receiver keeps a mebibyte, and no sender may
/// ask it to keep more.
pub const WINDOW_LOG: u32 = 20;
/// Longest time that a request may ask to be held back, in seconds.
pub const WAIT_S_MAX: u16 = 300;
/// Longest request body after decompression, in bytes. It is held whole while it is read, and once more as what was read.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most items of CBOR in one message: a list, a number, a text, a run of bytes.
pub const ITEMS_MAX: usize = 262_144;
/// Longest single frame, in bytes. A page is about [`PAGE_BYTES`]; one record with a long history may exceed that.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A page is closed once its entries carry this many raw bytes.
pub const PAGE_BYTES: usize = 64 * 1024;
/// Longest change chunk, in bytes.
pub const CHANGE_BYTES_MAX: usize = 256 * 1024;
/// Most dependencies of one change.
pub const CHANGE_DEPS_MAX: usize = 64;
/// Most operations of one change.
pub const CHANGE_OPS_MAX: u64 = 2_000;
/// Highest operation counter that a change may reach: automerge keeps counters in 32 bits.
pub const OP_COUNTER_MAX: u64 = (1 << 31) - 1;
/// Most changes in one push.
pub const PUSH_CHANGES_MAX: usize = 2_000;
/// Raw bytes after which a push is closed; the rest goes in the next request.
pub const PUSH_BYTES: usize = 1024 * 1024;
/// Most changes parked for missing dependencies, for one record.
pub const PARKED_CHANGES_MAX: usize = 64;
/// Most audiences (and so cursors) of one device.
pub const AUDIENCES_MAX: usize = 64;
/// Most deposits in one request.
pub const DEPOSITS_MAX: usize = 500;
/// Longest line of an import or of edits, in bytes.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Longest invitation, in bytes.
pub const INVITATION_BYTES_MAX: usize = 1024;
/// How far ahead of the server's clock a change's own time may lie, in seconds. Wrong clocks are data, not errors;
/// only what breaks arithmetic is refused.
pub const CHANGE_TIME_S_MAX: i64 = 253_402_300_799;
/// Most predecessors of one change, over all its operations: each is a value that the change replaces or removes.
pub const CHANGE_PREDS_MAX: usize = 8_000;
/// Longest key of a field inside a record, in bytes.
pub const FIELD_KEY_BYTES_MAX: usize = 256;
/// Most changes in one packed list.
pub const PACKED_ITEMS_MAX: usize = 32_768;
/// Most operations that are rebuilt of one packed list; further changes of it travel as their chunks.
pub const PACKED_OPS_MAX: usize = 262_144;
/// Most bytes of chunks that are rebuilt of one packed list.
pub const PACKED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest piece of a pack, in bytes: what a cut can cost.
pub const PIECE_BYTES: usize = 64 * 1024;
/// Longest blob of a segment of a pack, in bytes, as sent.
pub const SEGMENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most records of one segment of a pack.
pub const SEGMENT_RECORDS_MAX: usize = PACKED_ITEMS_MAX;
/// Longest content of a segment, unpacked, in bytes.
pub const SEGMENT_PLAIN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest frame between two phones, in bytes as sent.
pub const PEER_FRAME_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Longest frame between two phones after decompression, in bytes. A push is closed at [`PUSH_BYTES`]; one change set may
/// exceed that.
pub const PEER_PLAIN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest frame from a phone that has not proved who it is, in bytes: a grant fits many times.
pub const STRANGER_FRAME_BYTES_MAX: usize = 16 * 1024;
/// Most changes that one meeting of two phones offers each way; the rest waits for the next meeting.
pub const OFFER_CHANGES_MAX: usize = 4_000;
/// Most frames of newer builds that are skipped in one meeting.
pub const PEER_UNKNOWN_FRAMES_MAX: u32 = 16;
/// Raw bytes of other devices' changes that a phone keeps for the server.
pub const CARRIED_BYTES_MAX: usize = 64 * 1024 * 1024;
