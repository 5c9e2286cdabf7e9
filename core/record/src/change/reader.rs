//! Reads bytes and LEB128 numbers from a slice, in their only allowed form.

use super::ChangeError;

/// What is left to read. A failed read is an error, never a panic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], ChangeError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(ChangeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ChangeError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(ChangeError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, ChangeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// An unsigned LEB128 number in its shortest form.
    pub(super) fn unsigned(&mut self) -> Result<u64, ChangeError> {
        let mut value = 0;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            // The tenth byte holds the 64th bit and nothing else.
            if shift == 63 && byte > 1 {
                return Err(ChangeError::BadNumber);
            }
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return if shift > 7 && byte == 0 { Err(ChangeError::BadNumber) } else { Ok(value) };
            }
        }
    }

    /// A signed LEB128 number in its shortest form.
    pub(super) fn signed(&mut self) -> Result<i64, ChangeError> {
        let mut value = 0;
        let mut shift = 0;
        let mut previous = 0;
        loop {
            let byte = self.byte()?;
            // The tenth byte only repeats the sign.
            if shift == 63 && byte != 0 && byte != 0x7f {
                return Err(ChangeError::BadNumber);
            }
            value |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                let repeats_sign = (byte == 0 && previous & 0x40 == 0) || (byte == 0x7f && previous & 0x40 != 0);
                if shift > 7 && repeats_sign {
                    return Err(ChangeError::BadNumber);
                }
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1 << shift;
                }
                return Ok(value);
            }
            previous = byte;
        }
    }

    /// A length in bytes, and that many bytes.
    pub(super) fn length_prefixed(&mut self) -> Result<&'a [u8], ChangeError> {
        let len = usize::try_from(self.unsigned()?).map_err(|_| ChangeError::Truncated)?;
        self.take(len)
    }
}
