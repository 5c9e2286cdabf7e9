//! What is kept, in the field's words: kinds of records, who may see and write them, merging, admission, rulings and
//! indicators. The only crate that speaks automerge. It opens no file, reads no clock and draws no random number.

pub mod access;
pub mod admission;
pub mod audience;
pub mod calendar;
pub mod change;
pub mod document;
pub mod event;
pub mod field;
pub mod identity;
pub mod indicator;
pub mod kind;
pub mod kinds;
pub mod matching;
pub mod pack;
pub mod packed;
pub mod place;
pub mod projection;
pub mod proof;
pub mod received;
pub mod registry;
pub mod role;
pub mod ruling;
pub mod standing;
pub mod value;

#[doc = include_str!("../../docs/merging.md")]
pub mod merging {}
