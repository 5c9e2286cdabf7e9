//! The data folder: `foras.db`, `server.key` (0600), and `server.lock`, which the serving process holds.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use foras_wire::id::ServerId;

use crate::entropy::{Entropy, draw};
use crate::error::ServerError;

const DATABASE: &str = "foras.db";
const KEY: &str = "server.key";
const LOCK: &str = "server.lock";
/// Id and key in hex, with a line break each.
const KEY_FILE_BYTES_MAX: u64 = 256;

/// A data folder that is there.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`, made if there is nothing.
    pub(crate) fn make(path: &Path) -> Result<Self, ServerError> {
        if path.exists() && !path.is_dir() {
            return Err(ServerError::NotAFolder);
        }
        let folder = Self(path.to_owned());
        // Before anything is written: it may be somebody else's folder, a phone's store for one.
        folder.keyed()?;
        fs::create_dir_all(path)?;
        Ok(folder)
    }

    /// The folder at `path`, which a server has worked on before.
    pub(crate) fn existing(path: &Path) -> Result<Self, ServerError> {
        if path.exists() && !path.is_dir() {
            return Err(ServerError::NotAFolder);
        }
        if !path.join(KEY).is_file() {
            return Err(ServerError::NoFolder);
        }
        Ok(Self(path.to_owned()))
    }

    /// A database never stands without the key: the key is written first.
    fn keyed(&self) -> Result<(), ServerError> {
        if self.database().exists() && !self.0.join(KEY).exists() {
            return Err(ServerError::Corrupt("server.key is missing beside foras.db"));
        }
        Ok(())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    /// The serving process's claim: an operating system's lock, which goes with the process, however it ends.
    pub(crate) fn lock(&self) -> Result<File, ServerError> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(self.0.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ServerError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The server's id and key: those of the folder, or new ones. A database without its key is never given another.
    pub(crate) fn identity(&self, entropy: &mut dyn Entropy) -> Result<(ServerId, SigningKey), ServerError> {
        let path = self.0.join(KEY);
        if path.exists() {
            return read_key(&path);
        }
        self.keyed()?;
        let (server, seed) = (ServerId(draw(entropy)?), draw::<32>(entropy)?);
        // Written aside and renamed, so that a crash leaves a whole key or none.
        let aside = self.0.join("server.key.new");
        let mut file = private_file(&aside)?;
        file.set_len(0)?;
        file.write_all(format!("{server}\n{}\n", HEXLOWER.encode(&seed)).as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, &path)?;
        File::open(&self.0)?.sync_all()?;
        Ok((server, SigningKey::from_bytes(&seed)))
    }
}

fn read_key(path: &Path) -> Result<(ServerId, SigningKey), ServerError> {
    const BAD: ServerError = ServerError::Corrupt("server.key does not read");
    let mut text = String::new();
    File::open(path)?.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text)?;
    let (server, seed) = text.trim_end().split_once('\n').ok_or(BAD)?;
    let seed = HEXLOWER.decode(seed.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(BAD)?;
    Ok((server.parse().map_err(|_| BAD)?, SigningKey::from_bytes(&seed)))
}

/// A file that only its owner reads, made if there is none.
pub(crate) fn private_file(path: &Path) -> Result<File, ServerError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    Ok(options.open(path)?)
}
