//! The dictionary that both sides carry, so that a first page and a lone push compress as if much had gone before.
//!
//! A dictionary is part of the protocol: its bytes never change once a build with it was shipped. Another one gets another
//! flag in a body and another switch in a stream. How it was made: `core/wire/dictionary/README.md`.

use std::io;
use std::sync::OnceLock;

use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::stream::raw::{CParameter, DParameter, Decoder, Encoder};

use crate::limits::WINDOW_LOG;

/// The first dictionary, at most 32 KiB.
const FIRST: &[u8] = include_bytes!("../dictionary/first.zdict");
/// A level for what is made while somebody waits. The receiver does not care which.
const LEVEL: i32 = 6;

/// An encoder of one frame, its header as short as it can be: sizes and checksums are checked elsewhere, and which
/// dictionary it is stands beside the frame.
pub(crate) fn encoder() -> io::Result<Encoder<'static>> {
    static PREPARED: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    let mut encoder =
        Encoder::with_prepared_dictionary(PREPARED.get_or_init(|| EncoderDictionary::copy(FIRST, LEVEL)))?;
    encoder.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
    encoder.set_parameter(CParameter::ContentSizeFlag(false))?;
    encoder.set_parameter(CParameter::ChecksumFlag(false))?;
    encoder.set_parameter(CParameter::DictIdFlag(false))?;
    Ok(encoder)
}

/// A decoder that keeps no larger window than [`WINDOW_LOG`] says.
pub(crate) fn decoder() -> io::Result<Decoder<'static>> {
    static PREPARED: OnceLock<DecoderDictionary<'static>> = OnceLock::new();
    let mut decoder = Decoder::with_prepared_dictionary(PREPARED.get_or_init(|| DecoderDictionary::copy(FIRST)))?;
    decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
    Ok(decoder)
}
