//! Weather: what a network, a battery and a careless copy do to phones, each in times of a hundred.

/// How rough it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weather {
    /// A request never arrives.
    pub lose_request: u8,
    /// A request arrives, its answer does not.
    pub lose_answer: u8,
    /// An answer is cut after some of its bytes.
    pub cut: u8,
    /// A request arrives twice.
    pub duplicate: u8,
    /// A copy of a request arrives once more, much later, after others.
    pub stale: u8,
    /// The app is killed between two of its steps.
    pub kill: u8,
}

impl Weather {
    /// Everything arrives, once and in order.
    pub const CALM: Self = Self { lose_request: 0, lose_answer: 0, cut: 0, duplicate: 0, stale: 0, kill: 0 };
    /// A bad day in the field.
    pub const ROUGH: Self = Self { lose_request: 15, lose_answer: 15, cut: 30, duplicate: 10, stale: 15, kill: 4 };
}
