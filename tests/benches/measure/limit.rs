//! The limit of bytes: what zstd at level 19 makes of the same content, in one go.

/// A window that holds any input of the benchmarks: 2^27 bytes.
const WINDOW_LOG: u32 = 27;

/// The bytes of `content` under zstd-19 with a long window, without checksum.
pub(crate) fn zstd_19(content: &[u8]) -> u64 {
    let mut compressor = zstd::bulk::Compressor::new(19).expect("a compressor");
    compressor.set_parameter(zstd::zstd_safe::CParameter::WindowLog(WINDOW_LOG)).expect("a window");
    compressor.compress(content).expect("compressed bytes").len() as u64
}
