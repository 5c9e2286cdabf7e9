//! Being told to stop: in the middle of the story nothing is left behind; afterwards it is what is waited for.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};

use crate::output::{Failure, Terminal};
use crate::serve;

/// How often the folder is emptied before the process ends whatever is left.
const TURNS_MAX: u32 = 100;

/// Watches for being told to stop.
#[derive(Debug)]
pub(super) struct Interrupt {
    /// Somebody waits to be told.
    awaited: Arc<AtomicBool>,
    told: Receiver<()>,
}

impl Interrupt {
    /// From now on, being told to stop removes `folder` and ends the process, unless [`Interrupt::wait`] waits for it.
    pub(super) fn watch(folder: PathBuf, terminal: Terminal) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signal = {
            let _within = runtime.enter();
            serve::stop_signal()?
        };
        let awaited = Arc::new(AtomicBool::new(false));
        let (tell, told) = mpsc::channel();
        let is_awaited = Arc::clone(&awaited);
        std::thread::spawn(move || {
            runtime.block_on(signal);
            if is_awaited.load(Ordering::SeqCst) && tell.send(()).is_ok() {
                return;
            }
            // Phones and server still write: what appears while the folder is emptied takes another turn. Whether or not
            // everything goes, the process ends here.
            for _ in 0..TURNS_MAX {
                if fs::remove_dir_all(&folder).is_ok() {
                    break;
                }
            }
            let failure = Failure::refused("interrupted", "the demonstration was interrupted", "run it again");
            let _ = terminal.failed(&failure);
            process::exit(1);
        });
        Ok(Self { awaited, told })
    }

    /// Returns when told to stop.
    pub(super) fn wait(self) {
        self.awaited.store(true, Ordering::SeqCst);
        // A watch that ended without telling means the same.
        let _ = self.told.recv();
    }
}
