//! How a device makes itself known to a server that cannot tell who asks.

use foras_wire::sync::Refusal;

use super::Engine;

/// Whether requests of this sync go without what waits to be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Bare {
    #[default]
    Never,
    UntilWelcome,
    Tried,
}

/// Whether a request says who the device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Introduces {
    #[default]
    Never,
    /// The next one does.
    Now,
    /// One did.
    Once,
}

impl Engine {
    /// Whether the same request may be taken once the device says more, or less, of itself.
    pub(super) fn makes_itself_known(&mut self, refusal: &Refusal) -> bool {
        match refusal.code.as_str() {
            "unauthenticated" if refusal.nonce.is_some() && !self.proved_again => {
                self.proved_again = true;
                self.challenge = refusal.nonce;
            }
            // Perhaps its database was put back to a copy from before this device was enrolled.
            "unknown_device" if refusal.nonce.is_some() && self.introduces == Introduces::Never => {
                (self.introduces, self.bare, self.challenge) = (Introduces::Now, Bare::UntilWelcome, refusal.nonce);
            }
            "too_large" if self.bare == Bare::Never => self.bare = Bare::UntilWelcome,
            _ => return false,
        }
        true
    }
}
