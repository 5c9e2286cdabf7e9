//! The laws of sync, looked at when the world has come to rest.
//!
//! | file | law |
//! |---|---|
//! | `converged` | devices that hold an audience hold the server's content, and have nothing left to send |
//! | `leaked` | no device holds a record outside its audiences, nor a byte of one in its files |
//! | `lost` | no acknowledged edit is gone, and what nobody overwrote is visible |

mod converged;
mod leaked;
mod lost;

use std::collections::BTreeMap;

use foras_wire::audience::AudienceName;
use foras_wire::id::Digest32;
use foras_wire::record::RecordKey;

use super::{DeviceNumber, World};

type Content = BTreeMap<AudienceName, BTreeMap<RecordKey, Digest32>>;

/// Every breach of a law that was found, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Acknowledged edits that are gone, or not visible though nobody overwrote them.
    pub lost: Vec<String>,
    /// Records that differ between a device and the server.
    pub diverged: Vec<String>,
    /// Records and values that a device holds outside its audiences.
    pub leaked: Vec<String>,
}

impl Findings {
    /// Every finding.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.lost.iter().chain(&self.diverged).chain(&self.leaked)
    }

    /// Adds other findings.
    pub fn extend(&mut self, other: Self) {
        self.lost.extend(other.lost);
        self.diverged.extend(other.diverged);
        self.leaked.extend(other.leaked);
    }
}

/// Looks at every law, among these devices, which have just synced.
///
/// # Panics
/// When a store or the server cannot be read.
pub fn look(world: &mut World, among: &[DeviceNumber]) -> Findings {
    let truth = world.server().content_by_audience().expect("the server's content");
    let mut findings = Findings::default();
    let mut among = among.to_vec();
    among.retain(|number| !world.is_revoked(*number));
    for number in &among {
        converged::look(world, *number, &truth, &mut findings);
        leaked::look(world, *number, &truth, &mut findings);
    }
    lost::look(world, &among, &mut findings);
    findings
}

/// Asserts every law over all devices.
///
/// # Panics
/// When one is broken.
pub fn assert_all(world: &mut World) {
    let everybody: Vec<_> = world.devices().collect();
    let findings = look(world, &everybody);
    assert_eq!(findings, Findings::default());
}
