//! The disk: what stands in each file, and what of it is durable.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{Counts, Survives};
use crate::world::chance::Chance;

/// Why the disk did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The power is gone.
    Off,
    /// There is no room.
    Full,
    /// The real disk failed.
    Real,
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Self {
        Self::Real
    }
}

/// Something that was done to a file and not synced.
#[derive(Debug, Clone)]
enum Unsynced {
    Write { at: u64, bytes: Vec<u8> },
    Truncate { bytes: u64 },
}

/// A file as every connection sees it.
#[derive(Debug, Default)]
struct Image {
    content: Vec<u8>,
    unsynced: Vec<Unsynced>,
    /// Its name is not durable yet.
    new: bool,
    handles: usize,
    inode: u64,
    /// The real file, once something of it was synced.
    real: Option<File>,
}

/// The disk of one machine.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) counts: Counts,
    pub(super) cut_at_sync: Option<u64>,
    pub(super) cut_at_write: Option<u64>,
    pub(super) room_bytes: Option<u64>,
    pub(super) off: bool,
    files: BTreeMap<PathBuf, Image>,
    /// Files whose deletion is not durable yet, with their durable content.
    ghosts: BTreeMap<PathBuf, Vec<u8>>,
}

impl Disk {
    fn on(&self) -> Result<(), Fault> {
        if self.off { Err(Fault::Off) } else { Ok(()) }
    }

    fn image(&mut self, path: &Path) -> Result<&mut Image, Fault> {
        self.files.get_mut(path).ok_or(Fault::Real)
    }

    /// A connection opened the file, which is there; `was_there` before it was opened.
    pub(super) fn opened(&mut self, path: &Path, was_there: bool) -> Result<(), Fault> {
        self.on()?;
        let inode = fs::metadata(path)?.ino();
        let known = self.files.get(path).is_some_and(|image| image.inode == inode);
        if !known {
            // New here, or moved into the place of the one that was known.
            let image = Image { content: fs::read(path)?, new: !was_there, inode, ..Image::default() };
            self.files.insert(path.to_owned(), image);
        }
        self.image(path)?.handles += 1;
        Ok(())
    }

    /// A connection closed the file. What is not synced stays so.
    pub(super) fn closed(&mut self, path: &Path) {
        if let Some(image) = self.files.get_mut(path) {
            image.handles = image.handles.saturating_sub(1);
        }
    }

    /// Reads into `into`; the number of bytes that were there.
    pub(super) fn read(&mut self, path: &Path, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
        self.on()?;
        let content = &self.image(path)?.content;
        let rest = usize::try_from(at).ok().and_then(|at| content.get(at..)).unwrap_or_default();
        let there = rest.len().min(into.len());
        into[..there].copy_from_slice(&rest[..there]);
        into[there..].fill(0);
        Ok(there)
    }

    pub(super) fn write(&mut self, path: &Path, at: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.on()?;
        if self.cut_at_write.is_some_and(|cut| self.counts.writes >= cut) {
            self.off = true;
            return Err(Fault::Off);
        }
        let length = self.image(path)?.content.len() as u64;
        let grows = (at + bytes.len() as u64).saturating_sub(length);
        if let Some(room) = self.room_bytes {
            self.room_bytes = Some(room.checked_sub(grows).ok_or(Fault::Full)?);
        }
        let image = self.image(path)?;
        put(&mut image.content, at, bytes);
        image.unsynced.push(Unsynced::Write { at, bytes: bytes.to_vec() });
        self.counts.writes += 1;
        self.counts.written_bytes += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn truncate(&mut self, path: &Path, bytes: u64) -> Result<(), Fault> {
        self.on()?;
        let image = self.image(path)?;
        image.content.resize(usize::try_from(bytes).map_err(|_| Fault::Real)?, 0);
        image.unsynced.push(Unsynced::Truncate { bytes });
        Ok(())
    }

    /// What stands in the file is durable when this returns; and its name, and what was deleted beside it before.
    pub(super) fn sync(&mut self, path: &Path) -> Result<(), Fault> {
        self.on()?;
        if self.cut_at_sync.is_some_and(|cut| self.counts.syncs >= cut) {
            self.off = true;
            return Err(Fault::Off);
        }
        let image = self.image(path)?;
        let real = match &mut image.real {
            Some(real) => real,
            none => none.insert(OpenOptions::new().write(true).open(path)?),
        };
        for change in image.unsynced.drain(..) {
            carry_out(real, &change)?;
        }
        if std::mem::take(&mut image.new) {
            self.ghosts.clear();
        }
        self.counts.syncs += 1;
        Ok(())
    }

    pub(super) fn length(&mut self, path: &Path) -> Result<u64, Fault> {
        self.on()?;
        Ok(self.image(path)?.content.len() as u64)
    }

    /// Whether the file has content that only its connections see; `None`: ask the real disk.
    pub(super) fn has_content(&self, path: &Path) -> Option<bool> {
        let image = self.files.get(path)?;
        (image.handles > 0 || !image.unsynced.is_empty()).then_some(!image.content.is_empty())
    }

    /// The file as every connection sees it.
    pub(super) fn seen(&self, path: &Path) -> Option<&[u8]> {
        self.files.get(path).map(|image| image.content.as_slice())
    }

    /// Before the file is deleted, which is durable at once if `folder_synced`.
    pub(super) fn deleting(&mut self, path: &Path, folder_synced: bool) -> Result<(), Fault> {
        self.on()?;
        let image = self.files.remove(path);
        let durable = image.is_none_or(|image| !image.new);
        if folder_synced {
            self.ghosts.clear();
        } else if durable && let Ok(content) = fs::read(path) {
            self.ghosts.insert(path.to_owned(), content);
        }
        Ok(())
    }

    /// What survives of the unsynced goes to the real files, the rest is forgotten.
    pub(super) fn reboot(&mut self, survives: Survives, chance: &Chance) -> io::Result<()> {
        let by_chance = || match survives {
            Survives::Nothing => false,
            Survives::Everything => true,
            Survives::Sectors(_) => chance.percent(50),
        };
        for (path, image) in std::mem::take(&mut self.files) {
            assert_eq!(image.handles, 0, "a connection to {} is open still", path.display());
            // A file that was renamed away keeps what was durable of it.
            let Ok(real) = OpenOptions::new().write(true).open(&path) else { continue };
            if image.new && !by_chance() {
                fs::remove_file(&path)?;
                continue;
            }
            for change in &image.unsynced {
                match (survives, change) {
                    (Survives::Sectors(sector), Unsynced::Write { at, bytes }) => {
                        for (at, part) in sectors(*at, bytes, sector) {
                            if by_chance() {
                                real.write_all_at(part, at)?;
                            }
                        }
                    }
                    (_, change) if by_chance() => carry_out(&real, change)?,
                    _ => {}
                }
            }
        }
        // A deletion that did not reach the disk: the file stands there again.
        for (path, content) in std::mem::take(&mut self.ghosts) {
            if !path.exists() && !by_chance() {
                fs::write(&path, content)?;
            }
        }
        *self = Self { counts: self.counts, ..Self::default() };
        Ok(())
    }

    /// Everything that was written goes to the real files.
    pub(super) fn settle(&mut self) {
        for (path, image) in &mut self.files {
            let Ok(real) = OpenOptions::new().write(true).open(path) else { continue };
            for change in image.unsynced.drain(..) {
                // Whoever reads the folder afterwards sees it.
                let _ = carry_out(&real, &change);
            }
        }
    }
}

fn put(content: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let from = usize::try_from(at).unwrap_or(usize::MAX);
    let to = from.saturating_add(bytes.len());
    if content.len() < to {
        content.resize(to, 0);
    }
    content[from..to].copy_from_slice(bytes);
}

fn carry_out(real: &File, change: &Unsynced) -> io::Result<()> {
    match change {
        Unsynced::Write { at, bytes } => real.write_all_at(bytes, *at),
        Unsynced::Truncate { bytes } => real.set_len(*bytes),
    }
}

/// The parts of a write that stand in sectors of their own.
fn sectors(at: u64, bytes: &[u8], sector: usize) -> impl Iterator<Item = (u64, &[u8])> {
    let size = sector.max(1);
    let first = size - usize::try_from(at).unwrap_or(0) % size;
    let (head, tail) = bytes.split_at(first.min(bytes.len()));
    let mut next = at;
    std::iter::once(head).chain(tail.chunks(size)).filter(|part| !part.is_empty()).map(move |part| {
        let at = next;
        next += part.len() as u64;
        (at, part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_torn_where_sectors_end() {
        let bytes = [7; 1_100];
        let parts: Vec<(u64, usize)> = sectors(500, &bytes, 512).map(|(at, part)| (at, part.len())).collect();
        assert_eq!(parts, [(500, 12), (512, 512), (1_024, 512), (1_536, 64)]);
        assert_eq!(sectors(1_024, &bytes[..512], 512).count(), 1);
    }
}
