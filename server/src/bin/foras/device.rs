//! `foras device`: letting devices in and out. Works beside a running server.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use foras_record::place::Place;
use foras_record::role::Role;
use foras_server::{EnrolledDevice, Invite, OsEntropy, Revocation, Server, ServerError, clock};
use foras_wire::id::{DeviceId, RecordId};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::output::{Failure, Terminal};

/// Devices on one page of the list.
const PAGE: usize = 50;

/// Invite, list and revoke devices.
#[derive(Debug, Args)]
pub(crate) struct Device {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an invitation: single use, 24 hours; its code 15 minutes.
    Invite(InviteArgs),
    /// List devices, the first enrolled first.
    List(ListArgs),
    /// Let a device in no more.
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct InviteArgs {
    /// The server's data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// outreach, trainer, host_counsellor, origin_counsellor, migrant, coordinator or admin.
    #[arg(long, value_parser = role)]
    role: Role,
    /// casablanca, rabat, oujda, or a country such as ML; may be repeated. Left out for coordinator and admin.
    #[arg(long = "place", value_name = "PLACE", value_parser = place)]
    places: Vec<Place>,
    /// A migrant's own case: its id or case number.
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// What colleagues call the person.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// The server's data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Which page.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    /// The server's data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The device's id, 32 hex digits.
    device: String,
    /// The phone is lost or stolen: refused at once, unsent work with it.
    #[arg(long, required_unless_present = "left", conflicts_with = "left")]
    lost: bool,
    /// Its person left: what is unsent is received into quarantine first.
    #[arg(long)]
    left: bool,
}

impl Device {
    /// Runs the command.
    pub(crate) fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        match self.command {
            Command::Invite(args) => args.run(terminal),
            Command::List(args) => args.run(terminal),
            Command::Revoke(args) => args.run(terminal),
        }
    }
}

fn role(code: &str) -> Result<Role, String> {
    code.parse().map_err(|_| "no such role".to_owned())
}

fn place(code: &str) -> Result<Place, String> {
    let country = || code.to_uppercase().parse().map(Place::Country);
    code.parse().or_else(|_| country()).map_err(|error| error.to_string())
}

impl InviteArgs {
    fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        // What makes no sense is misuse whatever the folder holds; the case is looked up after that.
        let unknown = self.person.as_ref().map(|_| RecordId([0; 16]));
        let places: BTreeSet<_> = self.places.into_iter().collect();
        let mut invite = Invite { role: self.role, places, case: unknown, name: self.name };
        invite.check()?;
        let server = match Server::attach(&self.data) {
            // Nobody has served here: there is no address to name.
            Err(ServerError::NoFolder) => return Err(ServerError::NoAddress.into()),
            server => server?,
        };
        invite.case = self.person.map(|named| server.find_case(&named)).transpose()?;
        let invited = server.invite(&invite, clock::now_ms(), &mut OsEntropy)?;
        let result = json!({
            "invitation": invited.invitation,
            "code": invited.code,
            "expires": time(invited.expires_ms),
        });
        terminal
            .result(&result, || format!("invitation: {}\ncode, for 15 minutes: {}", invited.invitation, invited.code))
    }
}

impl ListArgs {
    fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        let devices = Server::attach(&self.data)?.devices()?;
        let page = usize::try_from(self.page).unwrap_or(usize::MAX);
        let shown: Vec<_> = devices.iter().skip(PAGE.saturating_mul(page - 1)).take(PAGE).collect();
        let result = json!({
            "items": shown.iter().map(|device| item(device)).collect::<Vec<_>>(),
            "page": page,
            "pages": devices.len().div_ceil(PAGE).max(1),
            "total": devices.len(),
        });
        terminal.result(&result, || {
            let lines = shown.iter().map(|device| {
                let name = device.name.as_deref().unwrap_or("-");
                let places = device.places.join(" ");
                let seen = time(device.seen_ms);
                format!(
                    "{}  {:8} {:18} {places:20} {name}  last heard {seen}",
                    device.device, device.state, device.role
                )
            });
            lines.chain([format!("{} devices", devices.len())]).collect::<Vec<_>>().join("\n")
        })
    }
}

impl RevokeArgs {
    fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        let server = Server::attach(&self.data)?;
        let device: DeviceId = self.device.parse().map_err(|_| ServerError::NotFound("device"))?;
        let why = if self.lost { Revocation::Lost } else { Revocation::Left };
        server.revoke(&device, why)?;
        let state = if self.lost { "lost" } else { "left" };
        terminal.result(&json!({"device": self.device, "state": state}), || format!("{}: {state}", self.device))
    }
}

fn item(device: &EnrolledDevice) -> Value {
    json!({
        "id": device.device.to_string(),
        "state": device.state,
        "role": device.role,
        "places": device.places,
        "name": device.name,
        "enrolled": time(device.enrolled_ms),
        "last_seen": time(device.seen_ms),
        "quarantined": device.quarantined,
    })
}

/// RFC 3339, in UTC.
fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}
