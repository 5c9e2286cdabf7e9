//! What is measured on: people, sessions and edits of a programme that never was, always the same for one seed.

pub(crate) mod edits;
pub(crate) mod people;
pub(crate) mod programme;
