//! Case numbers from this device's own block, so that two phones never give one number twice.

use foras_wire::enrol::CaseNumberBlock;
use rusqlite::Connection;

use super::Store;
use super::meta::{self, name};
use crate::error::Error;

/// Numbers taken since the last commit. A number is used up only together with the case that bears it.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    next: Option<u64>,
}

impl Numbers {
    /// The number after the last one taken, if one was.
    pub(super) fn taken(&self) -> Option<u64> {
        self.next
    }

    /// What was taken is durable.
    pub(super) fn kept(&mut self) {
        self.next = None;
    }
}

pub(super) fn keep(connection: &Connection, next: u64) -> Result<(), Error> {
    meta::put_cbor(connection, name::CASE_NUMBER_NEXT, &next)
}

impl Store {
    /// The next case number of this device's block. It is used up by the next commit; numbers taken for an action that
    /// failed are given again by [`Store::return_case_numbers`], or after a restart.
    ///
    /// # Errors
    /// [`Error::NoCaseNumber`] when the block is used up, or the role has none.
    pub fn take_case_number(&mut self) -> Result<String, Error> {
        let block: CaseNumberBlock =
            meta::get_cbor(&self.connection, name::CASE_NUMBERS)?.ok_or(Error::NoCaseNumber)?;
        let stored = meta::get_cbor(&self.connection, name::CASE_NUMBER_NEXT)?.unwrap_or(block.first);
        let next = self.numbers.next.unwrap_or(stored).max(block.first);
        if next > block.last {
            return Err(Error::NoCaseNumber);
        }
        self.numbers.next = Some(next.saturating_add(1));
        Ok(format!("{}-{next}", block.prefix))
    }

    /// Gives back the numbers that were taken since the last commit.
    pub fn return_case_numbers(&mut self) {
        self.numbers.next = None;
    }
}
