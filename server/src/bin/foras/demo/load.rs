//! The programme enters through the front door: at each point a host counsellor's phone imports its lines and syncs.

use std::io::BufRead;
use std::thread;

use foras::Phone;
use foras::phone::{NewSession, Setting};
use foras_record::place::{Place, Point};
use foras_record::role::Role;

use super::device::Device;
use super::office::Office;
use super::programme::{Programme, VirtualSession};
use super::tell::Teller;
use crate::output::Failure;

/// How long a virtual session takes, and how many can take part.
const VIRTUAL_MINUTES: i64 = 90;
const VIRTUAL_CAPACITY: i64 = 12;

/// The phones that loaded the programme, one per point.
pub(super) fn load(office: &Office, programme: &Programme, teller: &Teller) -> Result<Vec<Device>, Failure> {
    let mut devices = Vec::new();
    for point in Point::ALL {
        let name = format!("Registry of {}", title(point));
        let store = format!("registry-{point}");
        devices.push(Device::enrol(office, &store, &name, Role::HostCounsellor, Some(Place::Point(point)), None)?);
    }
    let files = Point::ALL.map(|point| file(programme, point));
    let files: Vec<Vec<u8>> = files.into_iter().collect::<Result<_, _>>()?;
    let bar = teller.bar(files.iter().map(|file| file.len() as u64).sum());
    // Each point works for itself, at the same time.
    let done = thread::scope(|scope| {
        let working = devices.iter_mut().zip(Point::ALL).zip(&files).map(|((device, point), file)| {
            let lines = bar.wrap_read(file.as_slice());
            scope.spawn(move || {
                plan(&mut device.phone, programme, point)?;
                register(&mut device.phone, lines, point, teller)?;
                device.sync_all()
            })
        });
        let working: Vec<_> = working.collect();
        working.into_iter().map(|point| point.join()).collect::<Vec<_>>()
    });
    bar.finish_and_clear();
    for (result, point) in done.into_iter().zip(Point::ALL) {
        let interrupted = || Failure::refused("interrupted", "loading the programme was interrupted", "repeat");
        result.unwrap_or_else(|_| Err(interrupted()))?;
        teller.tell(&format!("{}: {} people, registered and synced", title(point), programme.at(point).count()))?;
    }
    Ok(devices)
}

/// A point's name for people.
pub(super) fn title(point: Point) -> String {
    let code = point.code();
    let (first, rest) = code.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// The lines of a point, as a file of an import.
fn file(programme: &Programme, point: Point) -> Result<Vec<u8>, Failure> {
    let mut file = Vec::new();
    for line in programme.at(point) {
        serde_json::to_writer(&mut file, line).map_err(std::io::Error::other)?;
        file.push(b'\n');
    }
    Ok(file)
}

fn register(phone: &mut Phone, file: impl BufRead, point: Point, teller: &Teller) -> Result<(), Failure> {
    let name = title(point);
    let done = phone.import(file, |read| teller.registered(&name, read)).map_err(|stopped| stopped.error)?;
    if let Some(refused) = done.refused.first() {
        let field = refused.field.as_deref().unwrap_or("-");
        return Err(Failure::refused(
            "import_refused",
            format!("line {} of {point} was refused: {} ({field})", refused.line, refused.code),
            "report it: the demonstration makes these lines itself",
        ));
    }
    Ok(())
}

/// The sessions of a point that people are registered for.
fn plan(phone: &mut Phone, programme: &Programme, point: Point) -> Result<(), Failure> {
    for session in programme.sessions.iter().filter(|session| session.point == point) {
        let planned = phone.add_session(&NewSession {
            module: VirtualSession::MODULE.to_owned(),
            point: session.point.code().to_owned(),
            start: format!("{}T10:00:00+01:00", session.on),
            minutes: VIRTUAL_MINUTES,
            capacity: VIRTUAL_CAPACITY,
            is_virtual: true,
            individual: session.individual,
        })?;
        phone.edit(&planned.id, &[Setting::new("country", session.country)])?;
    }
    Ok(())
}
