//! Meeting the server: enrolling, and syncing. Everything else works without.

use std::cell::RefCell;

use foras_wire::invitation::Invitation;
use foras_wire::limits::INVITATION_BYTES_MAX;

use super::{Enrolled, Phone};
use crate::error::Error;
use crate::exchange::{self, Bell, Stopped, SyncReport};

impl Phone {
    /// Enrols this device with an invitation's link, or with a code of ten characters and the `server`'s address.
    /// `server` also stands in for the address that the invitation names.
    ///
    /// # Errors
    /// [`Error::Misuse`] for what is no invitation; [`Error::NoAddress`] for a code without a server;
    /// [`Error::Offline`]; [`Error::Refused`] with the server's code; [`Error::AlreadyEnrolled`].
    pub fn enrol(&mut self, invitation: &str, server: Option<&str>) -> Result<Enrolled, Error> {
        if self.store.identity().is_some() {
            return Err(Error::AlreadyEnrolled);
        }
        let invitation = invitation.trim();
        let (url, secret, pinned) = if invitation.starts_with("foras://") {
            let read: Invitation = invitation.parse().map_err(|_| Error::Misuse("what was given is no invitation"))?;
            (server.map_or(read.server_url, str::to_owned), read.secret.to_vec(), Some(read.server_key))
        } else {
            let code = code(invitation)
                .ok_or(Error::Misuse("an invitation is a foras:// link, or a code of ten characters"))?;
            (server.ok_or(Error::NoAddress)?.to_owned(), code.into_bytes(), None)
        };
        let answer = exchange::enrol_blocking(&mut self.store, &url, &secret)?;
        let now_ms = self.now_ms();
        self.store.complete_enrolment(&answer, &url, pinned.as_ref(), now_ms)?;
        self.who()
    }

    /// Pushes what is pending and catches up. `server` stands in for the address that the device knows.
    ///
    /// # Errors
    /// [`Stopped`] with the reason and what was done before; nothing is lost.
    pub fn sync(&mut self, server: Option<&str>) -> Result<SyncReport, Stopped> {
        let clock = &self.clock;
        exchange::sync_blocking(&mut self.store, server, || clock.now_ms())
    }

    /// Keeps in sync until nobody can ring `bell` any more: what others write arrives by itself, and a server that is away
    /// is asked again. `told` hears how each sync ended. Giving the call up loses nothing.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::NoAddress`], or an address that this build cannot reach.
    pub async fn keep(
        &mut self,
        server: Option<&str>,
        bell: &mut Bell,
        told: impl FnMut(Result<SyncReport, Stopped>),
    ) -> Result<(), Error> {
        let (clock, mut link) = (&self.clock, exchange::link_of(&self.store, server)?);
        let store = RefCell::new(&mut self.store);
        exchange::keep(&store, &mut link, || clock.now_ms(), bell, told).await;
        Ok(())
    }
}

/// A code as it is said over the phone: spaces, hyphens and case do not count.
fn code(text: &str) -> Option<String> {
    if text.len() > INVITATION_BYTES_MAX {
        return None;
    }
    let code: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let is_code = code.len() == 10 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_say_it() {
        assert_eq!(code("abcde-23456").as_deref(), Some("ABCDE23456"));
        assert_eq!(code("abc de 234 56").as_deref(), Some("ABCDE23456"));
        for text in ["", "abcde-2345", "abcde-234567", "abcdé23456", "https://example.org"] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
