//! Invitations: what a QR code or a link carries, `foras://HOST[:PORT]/enrol?…`.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;

use crate::error::WireError;
use crate::id::PublicKey;
use crate::limits::INVITATION_BYTES_MAX;

/// An invitation. Its secret is 128 random bits, used once.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Where the server is reached: `http://…` or `https://…`, without a trailing slash.
    pub server_url: String,
    /// The server's public key, pinned from the first contact on.
    pub server_key: PublicKey,
    /// The secret.
    pub secret: [u8; 16],
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation").field("server_url", &self.server_url).finish_non_exhaustive()
    }
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plain, rest) = match self.server_url.split_once("://") {
            Some(("http", rest)) => (true, rest),
            Some((_, rest)) => (false, rest),
            None => (false, self.server_url.as_str()),
        };
        let key = BASE64URL_NOPAD.encode(self.server_key.as_bytes());
        let secret = BASE64URL_NOPAD.encode(&self.secret);
        let scheme = if plain { "&plain=1" } else { "" };
        write!(f, "foras://{rest}/enrol?key={key}&secret={secret}{scheme}")
    }
}

impl FromStr for Invitation {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, WireError> {
        const BAD: WireError = WireError::Malformed("invitation");
        if text.len() > INVITATION_BYTES_MAX {
            return Err(WireError::TooLarge { what: "invitation", limit: INVITATION_BYTES_MAX });
        }
        let rest = text.trim().strip_prefix("foras://").ok_or(BAD)?;
        let (address, query) = rest.split_once("/enrol?").ok_or(BAD)?;
        if address.is_empty() || address.bytes().any(|b| b <= b' ' || b >= 0x7f || b"\"'<>\\^`{|}@#?%".contains(&b)) {
            return Err(BAD);
        }
        let (mut key, mut secret, mut plain) = (None, None, false);
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("key", value)) => key = decoded(value).and_then(|bytes| PublicKey::from_slice(&bytes).ok()),
                Some(("secret", value)) => secret = decoded(value).and_then(|bytes| bytes.try_into().ok()),
                Some(("plain", "1")) => plain = true,
                _ => {}
            }
        }
        let scheme = if plain { "http" } else { "https" };
        Ok(Self {
            server_url: format!("{scheme}://{address}"),
            server_key: key.ok_or(BAD)?,
            secret: secret.ok_or(BAD)?,
        })
    }
}

fn decoded(value: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(value.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_survives_its_qr_code() {
        let invitation =
            Invitation { server_url: "http://127.0.0.1:8080".into(), server_key: PublicKey([7; 32]), secret: [9; 16] };
        assert_eq!(invitation.to_string().parse(), Ok(invitation));
    }

    #[test]
    fn what_is_no_invitation_is_refused() {
        for text in ["", "foras://", "https://x/enrol?key=a&secret=b", "foras://x/enrol?key=AAAA&secret=AAAA"] {
            assert!(text.parse::<Invitation>().is_err(), "{text}");
        }
        assert!("foras://x".repeat(500).parse::<Invitation>().is_err());
    }
}
