//! How many items a message in CBOR holds, counted before any of them is made.
//!
//! An item of one byte becomes 8 to 100 bytes of memory: 1 KB, well packed, once asked for 425 MB. So the items are counted
//! first, without making any; a claimed length is worth nothing here, only what is there counts.

use crate::limits::ITEMS_MAX;

/// Whether `bytes` hold no more than [`ITEMS_MAX`] items of CBOR. Where the bytes are none, the decoder says so.
#[must_use]
pub fn are_few(bytes: &[u8]) -> bool {
    let (mut rest, mut items) = (bytes, 0);
    while let Some((&head, after)) = rest.split_first() {
        items += 1;
        if items > ITEMS_MAX {
            return false;
        }
        // RFC 8949, 3: three bits say what it is, five how long the number behind it is.
        let (major, short) = (head >> 5, head & 0x1f);
        let number_bytes = match short {
            24..=27 => 1 << (short - 24),
            _ => 0,
        };
        let Some((number, after)) = after.split_at_checked(number_bytes) else { return true };
        let is_string = matches!(major, 2 | 3) && short < 28;
        let length = match (is_string, number_bytes) {
            (false, _) => 0,
            (true, 0) => u64::from(short),
            (true, _) => number.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte)),
        };
        let Some(next) = usize::try_from(length).ok().and_then(|length| after.get(length..)) else { return true };
        rest = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted_and_the_bytes_of_strings_are_not() {
        assert!(are_few(&[]));
        assert!(are_few(&minicbor::to_vec(vec![1_u8; ITEMS_MAX - 1]).unwrap_or_default()));
        assert!(!are_few(&minicbor::to_vec(vec![1_u8; ITEMS_MAX]).unwrap_or_default()));
        assert!(!are_few(&minicbor::to_vec(vec![1_000_000_u64; ITEMS_MAX]).unwrap_or_default()));
        let long = minicbor::bytes::ByteVec::from(vec![0; 3 * ITEMS_MAX]);
        assert!(are_few(&minicbor::to_vec(vec![long.clone(), long]).unwrap_or_default()));
        assert!(!are_few(&vec![0x9f; ITEMS_MAX + 1]));
    }

    #[test]
    fn what_is_no_cbor_is_left_to_the_decoder() {
        for bytes in [&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[0x1b, 1], &[0x58, 9, 1]] {
            assert!(are_few(bytes));
        }
    }
}
