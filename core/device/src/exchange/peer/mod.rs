//! Two phones and no server: what one has written and the other lacks goes from one to the other, over any pipe of bytes.
//!
//! [`Meeting`] does everything but read and write: bytes in, bytes out, one effect on the store at a time. A pipe is driven
//! by [`meet`]; a file is written by [`write_file`] and read by [`read_file`].
//!
//! Who is met must show a grant of the same server that has not expired, and prove the grant's key over fresh challenges of both
//! sides. Only what its author signed is taken, so who hands it over can leave out and cannot alter.

mod file;
mod meeting;
mod pipe;
mod report;

pub use file::{read_file, write_file};
pub use meeting::{Meeting, MeetingStep};
pub use pipe::meet;
pub use report::{Met, PeerReport, PeerStopped};
