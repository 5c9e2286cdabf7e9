//! CPU time, in nanoseconds: user and system, of this thread or of the whole process.

use rustix::time::{ClockId, clock_gettime};

fn clock_ns(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// What this thread has used.
pub(crate) fn thread_ns() -> u64 {
    clock_ns(ClockId::ThreadCPUTime)
}

/// What all threads of this process have used.
pub(crate) fn process_ns() -> u64 {
    clock_ns(ClockId::ProcessCPUTime)
}

/// What `work` used on this thread, and what it gave.
pub(crate) fn of_thread<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = thread_ns();
    let done = work();
    (thread_ns() - before, done)
}

/// What `work` used on this thread, and what the process used beside it meanwhile.
pub(crate) fn here_and_beside<T>(work: impl FnOnce() -> T) -> (u64, u64, T) {
    let (thread, process) = (thread_ns(), process_ns());
    let done = work();
    let (thread, process) = (thread_ns() - thread, process_ns() - process);
    (thread, process.saturating_sub(thread), done)
}
