//! The disk as SQLite asks for it: a virtual file system (<https://sqlite.org/vfs.html>) in front of the system's own.
//!
//! It is the default of the process, so that every connection goes through it. Files outside all machines' folders are
//! opened by the system's file system alone. Locks and shared memory are always the system's: they end with the power
//! anyway, as they end with the process.
#![allow(unsafe_code, reason = "SQLite's interface is C; each pointer comes from SQLite and is used as it documents")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use super::disk::{Disk, Fault};

/// Folders that are machines' disks.
static MACHINES: Mutex<Vec<(PathBuf, Arc<Mutex<Disk>>)>> = Mutex::new(Vec::new());
static REGISTERED: Once = Once::new();

/// An open file: SQLite's part first, the system's own file behind it.
#[repr(C)]
struct Opened {
    base: sqlite3_file,
    place: *mut Place,
}

/// Which file of which disk.
struct Place {
    path: PathBuf,
    disk: Arc<Mutex<Disk>>,
}

fn machines() -> MutexGuard<'static, Vec<(PathBuf, Arc<Mutex<Disk>>)>> {
    MACHINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on files in `folder` stand on `disk`.
pub(super) fn serve(folder: &Path, disk: &Arc<Mutex<Disk>>) {
    REGISTERED.call_once(register);
    machines().push((folder.to_owned(), Arc::clone(disk)));
}

/// Files in `folder` are ordinary ones again.
pub(super) fn leave(folder: &Path) {
    let mut machines = machines();
    if let Some(at) = machines.iter().position(|(other, _)| other == folder) {
        let (_, disk) = machines.swap_remove(at);
        disk.lock().unwrap_or_else(PoisonError::into_inner).settle();
    }
}

fn place_of(name: *const c_char) -> Option<Place> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite passes a name that ends with a zero byte and lives as long as the call.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    let path = Path::new(OsStr::from_bytes(bytes));
    let machines = machines();
    let (_, disk) = machines.iter().find(|(folder, _)| path.starts_with(folder))?;
    Some(Place { path: path.to_owned(), disk: Arc::clone(disk) })
}

fn system() -> *mut sqlite3_vfs {
    // SAFETY: finds a file system by name, which ends with a zero byte.
    unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()) }
}

fn register() {
    let system = system();
    assert!(!system.is_null(), "SQLite has no file system of this name");
    // SAFETY: the system's description is never freed; a copy of it differs where it is replaced, and is never freed either.
    unsafe {
        let mut ours = *system;
        ours.pNext = ptr::null_mut();
        ours.zName = c"power".as_ptr();
        ours.szOsFile = c_int::try_from(size_of::<Opened>()).unwrap_or(c_int::MAX) + (*system).szOsFile;
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        ours.xAccess = Some(access);
        let answer = ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 1);
        assert_eq!(answer, ffi::SQLITE_OK, "the file system is registered");
    }
}

/// The place of an open file, and the system's file behind it.
///
/// # Safety
/// `file` was opened by [`open`] inside a machine and is not closed.
unsafe fn parts<'a>(file: *mut sqlite3_file) -> (&'a Place, *mut sqlite3_file, &'a sqlite3_io_methods) {
    let opened: *mut Opened = file.cast();
    // SAFETY: `open` made both, one behind the other; the system's file has methods while it is open.
    unsafe {
        let real: *mut sqlite3_file = opened.add(1).cast();
        (&*(*opened).place, real, &*(*real).pMethods)
    }
}

fn code(fault: Fault, when: c_int) -> c_int {
    if fault == Fault::Full { ffi::SQLITE_FULL } else { when }
}

fn asked(place: &Place, when: c_int, ask: impl FnOnce(&mut Disk, &Path) -> Result<(), Fault>) -> c_int {
    let mut disk = place.disk.lock().unwrap_or_else(PoisonError::into_inner);
    ask(&mut disk, &place.path).map_or_else(|fault| code(fault, when), |()| ffi::SQLITE_OK)
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let system = system();
    // SAFETY: as SQLite passes them on; `file` has room for both parts, as registered.
    unsafe {
        let Some(real_open) = (*system).xOpen else { return ffi::SQLITE_CANTOPEN };
        let Some(place) = place_of(name) else { return real_open(system, name, file, flags, out) };
        (*file).pMethods = ptr::null();
        let opened: *mut Opened = file.cast();
        let real: *mut sqlite3_file = opened.add(1).cast();
        let was_there = place.path.exists();
        if place.disk.lock().unwrap_or_else(PoisonError::into_inner).off {
            return ffi::SQLITE_CANTOPEN;
        }
        let answer = real_open(system, name, real, flags, out);
        if answer != ffi::SQLITE_OK {
            return answer;
        }
        let answer = asked(&place, ffi::SQLITE_CANTOPEN, |disk, path| disk.opened(path, was_there));
        if answer != ffi::SQLITE_OK {
            if let Some(close) = (*real).pMethods.as_ref().and_then(|methods| methods.xClose) {
                close(real);
            }
            return answer;
        }
        (*opened).place = Box::into_raw(Box::new(place));
        (*file).pMethods = &raw const METHODS;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    if let Some(place) = place_of(name) {
        let answer = asked(&place, ffi::SQLITE_IOERR_DELETE, |disk, path| disk.deleting(path, sync_folder != 0));
        if answer != ffi::SQLITE_OK {
            return answer;
        }
    }
    let system = system();
    // SAFETY: as SQLite passes them on.
    unsafe { (*system).xDelete.map_or(ffi::SQLITE_IOERR_DELETE, |delete| delete(system, name, sync_folder)) }
}

unsafe extern "C" fn access(_: *mut sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    if let Some(place) = place_of(name)
        && flags == ffi::SQLITE_ACCESS_EXISTS
        && let Some(has) = place.disk.lock().unwrap_or_else(PoisonError::into_inner).has_content(&place.path)
    {
        // SAFETY: SQLite passes a place for the answer.
        unsafe { *out = c_int::from(has) };
        return ffi::SQLITE_OK;
    }
    let system = system();
    // SAFETY: as SQLite passes them on.
    unsafe { (*system).xAccess.map_or(ffi::SQLITE_IOERR_ACCESS, |access| access(system, name, flags, out)) }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes each file once, and uses it no more.
    unsafe {
        let (place, real, methods) = parts(file);
        place.disk.lock().unwrap_or_else(PoisonError::into_inner).closed(&place.path);
        let answer = methods.xClose.map_or(ffi::SQLITE_OK, |close| close(real));
        drop(Box::from_raw((*file.cast::<Opened>()).place));
        (*file).pMethods = ptr::null();
        answer
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, length: c_int, at: i64) -> c_int {
    // SAFETY: SQLite passes room for `length` bytes.
    let ((place, ..), into) =
        unsafe { (parts(file), slice::from_raw_parts_mut(into.cast::<u8>(), usize::try_from(length).unwrap_or(0))) };
    let mut short = false;
    let answer = asked(place, ffi::SQLITE_IOERR_READ, |disk, path| {
        let wanted = into.len();
        short = disk.read(path, u64::try_from(at).unwrap_or(0), into)? < wanted;
        Ok(())
    });
    if short { ffi::SQLITE_IOERR_SHORT_READ } else { answer }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, bytes: *const c_void, length: c_int, at: i64) -> c_int {
    // SAFETY: SQLite passes `length` bytes.
    let ((place, ..), bytes) =
        unsafe { (parts(file), slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(length).unwrap_or(0))) };
    asked(place, ffi::SQLITE_IOERR_WRITE, |disk, path| disk.write(path, u64::try_from(at).unwrap_or(0), bytes))
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, bytes: i64) -> c_int {
    // SAFETY: SQLite passes an open file.
    let (place, ..) = unsafe { parts(file) };
    asked(place, ffi::SQLITE_IOERR_TRUNCATE, |disk, path| disk.truncate(path, u64::try_from(bytes).unwrap_or(0)))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let (place, ..) = unsafe { parts(file) };
    asked(place, ffi::SQLITE_IOERR_FSYNC, Disk::sync)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: SQLite passes an open file and a place for the answer.
    let ((place, ..), out) = unsafe { (parts(file), &mut *out) };
    asked(place, ffi::SQLITE_IOERR_FSTAT, |disk, path| {
        *out = i64::try_from(disk.length(path)?).unwrap_or(i64::MAX);
        Ok(())
    })
}

/// Methods that only the system's file answers.
macro_rules! passed_on {
    ($($name:ident => $method:ident($($argument:ident: $type:ty),*) -> $answer:ty, $otherwise:expr;)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> $answer {
            // SAFETY: as SQLite passes them on.
            unsafe {
                let (_, real, methods) = parts(file);
                methods.$method.map_or($otherwise, |method| method(real $(, $argument)*))
            }
        }
    )*};
}

passed_on! {
    lock => xLock(level: c_int) -> c_int, ffi::SQLITE_IOERR_LOCK;
    unlock => xUnlock(level: c_int) -> c_int, ffi::SQLITE_IOERR_UNLOCK;
    check_reserved => xCheckReservedLock(out: *mut c_int) -> c_int, ffi::SQLITE_IOERR_CHECKRESERVEDLOCK;
    control => xFileControl(what: c_int, with: *mut c_void) -> c_int, ffi::SQLITE_NOTFOUND;
    sector_size => xSectorSize() -> c_int, 4096;
    shm_map => xShmMap(region: c_int, bytes: c_int, extend: c_int, out: *mut *mut c_void) -> c_int, ffi::SQLITE_IOERR_SHMMAP;
    shm_lock => xShmLock(offset: c_int, count: c_int, flags: c_int) -> c_int, ffi::SQLITE_IOERR_SHMLOCK;
    shm_barrier => xShmBarrier() -> (), ();
    shm_unmap => xShmUnmap(delete: c_int) -> c_int, ffi::SQLITE_OK;
}

/// No promise but the one that SQLite makes itself for an ordinary disk.
unsafe extern "C" fn characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Without memory maps, which would see the real file.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
