//! Who asks, from the headers.

use axum::http::{HeaderMap, header};
use data_encoding::HEXLOWER;
use foras_wire::id::{Nonce, Signature64};
use foras_wire::sync::Credentials;

/// The credentials that the headers hold; `None` when they hold none that read.
pub(super) fn of(headers: &HeaderMap) -> Option<Credentials> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let token = text(header::AUTHORIZATION.as_str())?.strip_prefix("Foras ")?;
    Some(Credentials {
        device: text("foras-device")?.parse().ok()?,
        token: HEXLOWER.decode(token.as_bytes()).ok()?.try_into().ok()?,
        proof: text("foras-proof").and_then(proof),
    })
}

fn proof(text: &str) -> Option<(Nonce, Signature64)> {
    let (nonce, signature) = text.split_once(':')?;
    Some((nonce.parse().ok()?, signature.parse().ok()?))
}
