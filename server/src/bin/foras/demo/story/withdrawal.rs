//! Somebody changes their mind, and the mission's copy disappears.

use std::fs;
use std::io;
use std::path::Path;

use super::{BAMAKO, HOST, OUTREACH, Story};
use crate::output::Failure;

/// What left the mission's phone.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Gone {
    /// Records that it held before.
    pub(super) records: usize,
    /// Files of its store in which the person's name is still written.
    pub(super) traces: usize,
}

impl Story<'_> {
    /// Consent given and a handover proposed; then the consent is withdrawn.
    pub(super) fn withdraw(&mut self) -> Result<Gone, Failure> {
        self.teller.part("A second person withdraws consent")?;
        let person = self.second.clone();
        self.share(HOST, &person.case, "given")?;
        self.propose(&person)?;
        self.come_to_rest()?;
        let before = self.held_in_bamako(&person)?;
        let store = self.device(BAMAKO)?.store.clone();
        let written = files_with(&store, person.name.as_bytes())?;
        self.teller
            .tell(&format!("{} consented, and was proposed to Mali: Bamako holds {before} records", person.name))?;
        self.share(OUTREACH, &person.case, "withdrawn")?;
        self.come_to_rest()?;
        let after = self.held_in_bamako(&person)?;
        let traces = files_with(&store, person.name.as_bytes())?;
        if before == 0 || written == 0 {
            return Err(Failure::refused("never_opened", "the mission never held the case", "report it"));
        }
        self.teller.tell(&format!(
            "The outreach worker records the withdrawal; after its next contact Bamako holds {after} records, and {traces} files of its phone name the person"
        ))?;
        Ok(Gone { records: before.saturating_sub(after), traces })
    }
}

/// Files below `dir` that hold these bytes.
fn files_with(dir: &Path, bytes: &[u8]) -> io::Result<usize> {
    let mut found = 0;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found += files_with(&path, bytes)?;
        } else if fs::read(&path)?.windows(bytes.len()).any(|window| window == bytes) {
            found += 1;
        }
    }
    Ok(found)
}
