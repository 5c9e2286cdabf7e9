//! Scalar values: a column of types and lengths, and a column of bytes.

use super::ChangeError;
use super::ParsedScalar;
use super::reader::Reader;

/// Reads the next value: `meta` is its length in bytes `<< 4 |` its type.
pub(super) fn read(meta: u64, raw: &mut Reader<'_>) -> Result<ParsedScalar, ChangeError> {
    let len = usize::try_from(meta >> 4).map_err(|_| ChangeError::BadColumn)?;
    let code = (meta & 0x0f) as u8;
    let bytes = raw.take(len)?;
    let value = match code {
        0..=2 if len > 0 => return Err(ChangeError::BadOperation),
        0 => ParsedScalar::Null,
        1 => ParsedScalar::Bool(false),
        2 => ParsedScalar::Bool(true),
        3 => ParsedScalar::Uint(whole(bytes, Reader::unsigned)?),
        4 => ParsedScalar::Int(whole(bytes, Reader::signed)?),
        5 => ParsedScalar::F64(f64::from_le_bytes(bytes.try_into().map_err(|_| ChangeError::BadOperation)?)),
        6 => ParsedScalar::Str(text(bytes)?),
        7 => ParsedScalar::Bytes(bytes.to_vec()),
        8 => ParsedScalar::Counter(whole(bytes, Reader::signed)?),
        9 => ParsedScalar::Timestamp(whole(bytes, Reader::signed)?),
        _ => ParsedScalar::Unknown { code, bytes: bytes.to_vec() },
    };
    Ok(value)
}

/// Reads a number that fills `bytes`.
fn whole<'a, T>(bytes: &'a [u8], read: impl Fn(&mut Reader<'a>) -> Result<T, ChangeError>) -> Result<T, ChangeError> {
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader)?;
    if reader.is_empty() { Ok(value) } else { Err(ChangeError::BadOperation) }
}

/// UTF-8 text.
pub(super) fn text(bytes: &[u8]) -> Result<String, ChangeError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| ChangeError::BadOperation)
}
