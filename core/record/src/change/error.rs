//! Why a change chunk was refused.

/// A change chunk that this device or the server does not take. Nothing was changed by reading it.
///
/// Sending the same bytes again never helps: a chunk is refused for what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The chunk is longer than `limits::CHANGE_BYTES_MAX`.
    #[error("the change is longer than the limit")]
    TooLarge,
    /// The chunk does not start with automerge's magic bytes.
    #[error("the bytes are no automerge chunk")]
    BadMagic,
    /// A document, compressed change, bundle, or a type that does not exist.
    #[error("the chunk is no plain change chunk")]
    NotAChangeChunk,
    /// The checksum is not the beginning of the chunk's SHA-256.
    #[error("the checksum does not fit the change")]
    BadChecksum,
    /// The chunk ends before what it announces.
    #[error("the change ends too early")]
    Truncated,
    /// Bytes follow the chunk.
    #[error("bytes follow the change")]
    TrailingBytes,
    /// A LEB128 number that overflows or is longer than it need be.
    #[error("a number in the change is not written in its shortest form, or overflows")]
    BadNumber,
    /// An actor that is not 16 bytes long; or other actors that are unsorted, repeated, or named by no operation.
    #[error("an actor of the change is malformed, out of order, repeated or unused")]
    BadActor,
    /// More dependencies than `limits::CHANGE_DEPS_MAX`.
    #[error("the change has too many dependencies")]
    TooManyDeps,
    /// A dependency named twice.
    #[error("the change names a dependency twice")]
    DuplicateDep,
    /// Dependencies in another order than automerge writes them.
    #[error("the change's dependencies are out of order")]
    UnsortedDeps,
    /// More operations than `limits::CHANGE_OPS_MAX`.
    #[error("the change has too many operations")]
    TooManyOps,
    /// More predecessors, over all operations, than `limits::CHANGE_PREDS_MAX`.
    #[error("the change's operations have too many predecessors")]
    TooManyPreds,
    /// A sequence number of zero, or above `limits::OP_COUNTER_MAX`.
    #[error("the change's sequence number is out of range")]
    BadSeq,
    /// A first operation counter of zero, or operations that reach above `limits::OP_COUNTER_MAX`.
    #[error("the change's operation counters are out of range")]
    BadStartOp,
    /// A time further from 1970 than `limits::CHANGE_TIME_S_MAX`, in either direction.
    #[error("the change's time is out of range")]
    BadTime,
    /// A commit message: this library writes none.
    #[error("the change carries a message")]
    MessageNotAllowed,
    /// Bytes after the operations, such as automerge's author footer: this library writes none.
    #[error("the change carries extra bytes")]
    ExtraBytesNotAllowed,
    /// A column that is unknown, compressed, out of order, repeated, empty, of another length than the others,
    /// or encoded otherwise than automerge encodes it.
    #[error("a column of the change is malformed")]
    BadColumn,
    /// A map key or mark name longer than `limits::FIELD_KEY_BYTES_MAX`.
    #[error("a key in the change is too long")]
    KeyTooLong,
    /// An operation that refers to what cannot exist, or whose parts do not fit together.
    #[error("an operation of the change is malformed")]
    BadOperation,
    /// An operation that names an object, a place or a predecessor which is not part of what the change builds on,
    /// or does not fit. Only [`Lineage::check`](super::Lineage::check) can tell.
    #[error("an operation of the change refers to what it does not build on")]
    BadReference,
}

impl ChangeError {
    /// The stable code, for protocols and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "change_too_large",
            Self::BadMagic => "bad_magic",
            Self::NotAChangeChunk => "not_a_change_chunk",
            Self::BadChecksum => "bad_checksum",
            Self::Truncated => "truncated",
            Self::TrailingBytes => "trailing_bytes",
            Self::BadNumber => "bad_number",
            Self::BadActor => "bad_actor",
            Self::TooManyDeps => "too_many_deps",
            Self::DuplicateDep => "duplicate_dep",
            Self::UnsortedDeps => "unsorted_deps",
            Self::TooManyOps => "too_many_ops",
            Self::TooManyPreds => "too_many_preds",
            Self::BadSeq => "bad_seq",
            Self::BadStartOp => "bad_start_op",
            Self::BadTime => "bad_time",
            Self::MessageNotAllowed => "message_not_allowed",
            Self::ExtraBytesNotAllowed => "extra_bytes_not_allowed",
            Self::BadColumn => "bad_column",
            Self::KeyTooLong => "key_too_long",
            Self::BadOperation => "bad_operation",
            Self::BadReference => "bad_reference",
        }
    }

    /// Whether sending the same bytes again can help: never.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        false
    }
}
