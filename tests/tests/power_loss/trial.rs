//! One trial: a script runs until the power goes, the machine boots again, and what was acknowledged is looked for.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_tests::point::{Point, registration};
use foras_tests::power::{Machine, Survives, plug_in};
use foras_tests::world::chance::Chance;
use rusqlite::Connection;
use tempfile::TempDir;

/// What may survive of unsynced writes, and how often it is drawn by lot.
const SURVIVES: [Survives; 6] = [
    Survives::Nothing,
    Survives::Everything,
    Survives::Sectors(512),
    Survives::Sectors(512),
    Survives::Sectors(4_096),
    Survives::Sectors(4_096),
];

/// What a script was told is durable.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Values that an edit was acknowledged for.
    pub(crate) durable: Vec<String>,
    /// Values that the server acknowledged.
    pub(crate) on_server: Vec<String>,
}

/// What stops a script: an error that the power's end brought about. Its text is never looked into.
pub(crate) type Stopped = String;

/// A folder with the point's server, its phones, and the case that they edit.
pub(crate) struct Scene {
    folder: TempDir,
    /// The case.
    pub(crate) case: String,
}

/// Where things are in a scene's copy.
pub(crate) struct Place<'a> {
    root: &'a Path,
    /// The case.
    pub(crate) case: &'a str,
    /// Each opening of the point draws from a stream of its own, as no machine draws the same numbers twice.
    seed: Cell<u64>,
}

impl<'a> Place<'a> {
    pub(crate) fn new(root: &'a Path, case: &'a str) -> Self {
        Self { root, case, seed: Cell::new(7) }
    }

    pub(crate) fn server(&self) -> PathBuf {
        self.root.join("server")
    }

    pub(crate) fn phone(&self) -> PathBuf {
        self.root.join("phone")
    }

    pub(crate) fn colleague(&self) -> PathBuf {
        self.root.join("colleague")
    }

    /// The point as it lies in the folder.
    pub(crate) fn point(&self) -> Result<Point, Stopped> {
        self.seed.set(self.seed.get() + 1);
        Point::open(&self.server(), self.seed.get()).map_err(|error| error.to_string())
    }
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Scene {
    /// An outreach worker of Oujda and a counsellor, one case that both hold.
    pub(crate) fn in_oujda() -> Self {
        let folder = folder();
        let place = Place::new(folder.path(), "");
        place.seed.set(0);
        let point = place.point().unwrap();
        let mut phone = point.enrolled(&place.phone(), Role::Outreach, &["oujda"]);
        let mut colleague = point.enrolled(&place.colleague(), Role::HostCounsellor, &["oujda"]);
        let case = phone.register(&registration("Mariama Essai")).unwrap().id;
        point.sync(&mut phone).unwrap();
        point.sync(&mut colleague).unwrap();
        Self { folder, case }
    }

    /// Where the scene lies.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A scene of a folder that was made otherwise.
    pub(crate) fn of(folder: TempDir, case: &str) -> Self {
        Self { folder, case: case.to_owned() }
    }
}

/// Runs `script` once to count its syncs, then once for each sync and each choice of what survives, with the power of the
/// machine in the folder `on` going there; `verify` looks at what is left.
pub(crate) fn cut_everywhere(
    scene: &Scene,
    on: &str,
    script: &dyn Fn(&Place<'_>, &mut Told) -> Result<(), Stopped>,
    verify: &dyn Fn(&Place<'_>, &Told, &str),
) {
    let syncs = {
        let (copied, machine) = staged(scene, on);
        let place = Place::new(copied.path(), &scene.case);
        script(&place, &mut Told::default()).unwrap();
        machine.counts().syncs
    };
    assert!(syncs > 0, "a script that syncs nothing cannot be cut");
    let mut stopped = 0;
    for cut in 0..=syncs {
        for (number, survives) in SURVIVES.iter().enumerate() {
            let (copied, machine) = staged(scene, on);
            let place = Place::new(copied.path(), &scene.case);
            let mut told = Told::default();
            machine.cut_after_syncs(cut);
            let ended = script(&place, &mut told);
            stopped += u64::from(ended.is_err());
            machine.cut();
            machine.reboot(*survives, &Chance::new(cut * 10 + number as u64));
            let trial = format!("power cut at sync {cut} of {syncs}, {survives:?} ({number}) survived, {ended:?}");
            verify(&place, &told, &trial);
        }
    }
    println!("{} cuts at {syncs} syncs, {stopped} of them stopped the script", (syncs + 1) * SURVIVES.len() as u64);
    assert!(stopped > 0, "no cut ever stopped the script");
}

fn staged(scene: &Scene, on: &str) -> (TempDir, Machine) {
    let copied = folder();
    copy(scene.folder.path(), copied.path());
    let machine = plug_in(&copied.path().join(on));
    (copied, machine)
}

/// The database is not torn.
pub(crate) fn assert_whole(folder: &Path, trial: &str) {
    let path = folder.join("foras.db");
    if !path.exists() {
        return;
    }
    let connection = Connection::open(path).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok", "{trial}: torn");
}

/// Changes that the server admitted.
pub(crate) fn chunks(server: &Path) -> Vec<Vec<u8>> {
    let connection = Connection::open(server.join("foras.db")).unwrap();
    let mut statement = connection.prepare("SELECT chunk FROM change").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Asserts that the server admitted a change with each value.
pub(crate) fn assert_on_server(server: &Path, values: &[String], trial: &str) {
    let chunks = chunks(server);
    for value in values {
        let there = chunks.iter().any(|chunk| chunk.windows(value.len()).any(|window| window == value.as_bytes()));
        assert!(there, "{trial}: the server has not {value:?}");
    }
}

/// Sets the field that the scripts edit.
pub(crate) fn edit(phone: &mut Phone, case: &str, value: &str) -> Result<(), Stopped> {
    let settings = [Setting::new("needs", value)];
    phone.edit(case, &settings).map(drop).map_err(|error| error.to_string())
}

/// Asserts that both hold the same content in every audience of the phone.
pub(crate) fn assert_same_content(point: &Point, phone: &mut Phone, trial: &str) {
    let truth = point.server.content_by_audience().unwrap();
    let granted: BTreeSet<_> = phone.store().identity().unwrap().audiences().iter().cloned().collect();
    let held = phone.store_mut().content_by_audience().unwrap();
    for audience in granted {
        let here = held.get(&audience).cloned().unwrap_or_default();
        assert_eq!(here, truth.get(&audience).cloned().unwrap_or_default(), "{trial}: {audience}");
    }
}
