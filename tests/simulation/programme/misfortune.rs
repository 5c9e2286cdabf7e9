//! What befalls phones, people and the server, beyond the weather.

use foras_record::role::Role;
use foras_server::Revocation;
use foras_tests::world::DeviceNumber;
use foras_tests::world::canary::canaries_in;
use foras_tests::world::clock::DAY_MS;
use foras_tests::world::hostile::HostilePhone;
use foras_wire::id::DeviceId;

use super::Programme;
use super::cast::Member;
use super::deck::Card;

/// Most phones of a programme, clones among them.
const PHONES_MAX: usize = 10;
/// Backups that are kept.
const BACKUPS_MAX: usize = 3;

impl Programme {
    /// What happens on one day.
    pub(crate) fn misfortunes(&mut self) {
        self.fall();
        if !self.is_settled() {
            for post in std::mem::take(&mut self.vacant) {
                self.world.faults.count("enrolled_again");
                self.take_up(post);
            }
        }
        self.server_troubles();
        for _ in 0..self.chance.below(4) {
            self.forge();
        }
        let card = self.draw();
        if !self.befall(card) {
            self.put_off(card);
        }
    }

    /// The hostile phone tries the next forgery.
    fn forge(&mut self) {
        if self.forgeries.is_empty() {
            self.forgeries = self.shuffled(&HostilePhone::forgeries().collect::<Vec<_>>());
        }
        let Some(name) = self.forgeries.pop() else { return };
        if self.hostile.try_forgery(&mut self.world, name) == Some(true) {
            self.outcome.diverged += 1;
            self.outcome.findings.push(format!("the server took {name}"));
        }
    }

    /// Something befalls somebody; whether it could.
    fn befall(&mut self, card: Card) -> bool {
        let at = self.chance.below(self.cast.len());
        let Some(member) = self.cast.get(at).cloned() else { return false };
        let number = member.number;
        match card {
            Card::ClockAhead => self.clock_off(number, true),
            Card::ClockBehind => self.clock_off(number, false),
            Card::Backup => self.backup(number),
            Card::Restore | Card::Clone if !self.may_copy() => return false,
            Card::Restore if self.backups.is_empty() => {
                self.backup(number);
                return false;
            }
            Card::Restore => self.restore(),
            Card::Clone => return self.clone_phone(&member),
            Card::Lost | Card::Left | Card::RevokedInSync | Card::InvitePerson if self.is_settled() => return false,
            Card::Lost => return self.revoke(&member, Revocation::Lost, 0),
            Card::Left => return self.revoke(&member, Revocation::Left, 0),
            Card::RevokedInSync => {
                let why = if self.chance.percent(50) { Revocation::Lost } else { Revocation::Left };
                let steps = 1 + self.chance.below(12);
                return self.revoke(&member, why, steps);
            }
            Card::SetOut => self.set_out(at),
            Card::InvitePerson => self.invite_person_once(),
            Card::Meet => self.meet(false),
            Card::MeetingCut => self.meet(true),
            Card::File => self.hand_file(),
            Card::ServerPutBack => self.copy_server(),
        }
        true
    }

    fn server_troubles(&mut self) {
        if self.chance.percent(10) {
            self.world.restart_server();
        }
        let fails = self.chance.percent(12);
        self.world.server_writes(!fails);
        if fails {
            self.world.faults.count("server_disk_failing");
        }
    }

    /// Somebody leaves for a month, to where there is no network.
    fn set_out(&mut self, at: usize) {
        if self.cast.iter().any(|member| member.away_until_ms.is_some()) {
            return;
        }
        let days = 30 + i64::try_from(self.chance.below(10)).unwrap_or(0);
        let until_ms = self.world.truth.now_ms() + days * DAY_MS;
        if let Some(member) = self.cast.get_mut(at) {
            member.away_until_ms = Some(until_ms);
        }
    }

    /// Time passes until everybody is back.
    pub(crate) fn come_home(&mut self) {
        let last_ms = self.cast.iter().filter_map(|member| member.away_until_ms).max();
        let days = last_ms.map_or(0, |last_ms| (last_ms - self.world.truth.now_ms() + DAY_MS - 1).div_euclid(DAY_MS));
        self.world.days_pass(days.max(0));
        self.back_from_the_road();
    }

    /// Whoever was to be back by now is.
    pub(crate) fn back_from_the_road(&mut self) {
        let now_ms = self.world.truth.now_ms();
        for member in &mut self.cast {
            if member.away_until_ms.is_some_and(|until_ms| until_ms <= now_ms) {
                member.away_until_ms = None;
                self.world.faults.count("offline_30_days");
            }
        }
    }

    fn invite_person_once(&mut self) {
        if !self.cast.iter().any(|member| member.own_case.is_some()) && self.cast.len() < PHONES_MAX {
            self.invite_person();
        }
    }

    fn backup(&mut self, number: DeviceNumber) {
        if self.backups.len() < BACKUPS_MAX {
            let backup = self.world.backup_of(number);
            self.backups.push((number, backup));
        }
    }

    /// A phone is what it was at its backup. What was written since and not sent is gone; what was acknowledged is not.
    fn restore(&mut self) {
        if self.backups.is_empty() {
            return;
        }
        let (number, backup) = self.backups.swap_remove(self.chance.below(self.backups.len()));
        self.world.faults.count("phone_restored");
        let before = self.unsent(number);
        let pending = self.world.phone(number).store().pending().expect("the outbox");
        self.world.oracle.deposits_unsure += usize::try_from(pending.deposits).unwrap_or(0);
        self.world.oracle.shows.remove(&number);
        self.world.oracle.copied(number);
        self.world.restore(number, backup);
        let after = self.unsent(number);
        // What waits again in the backup may be written once more, once its numbers turn out to be used.
        self.world.oracle.double(&after);
        self.world.oracle.gone.extend(before.difference(&after).cloned());
    }

    fn unsent(&mut self, number: DeviceNumber) -> std::collections::BTreeSet<String> {
        self.world.chunks_to_send(number).iter().flat_map(|chunk| canaries_in(chunk)).collect()
    }

    /// A copy of the phone comes to life: same folder, same key.
    fn clone_phone(&mut self, member: &Member) -> bool {
        if self.cast.len() >= PHONES_MAX || member.is_leaving {
            return false;
        }
        self.world.faults.count("phone_cloned");
        let name = format!("clone of the {} of {}", member.post.role.code(), member.post.place);
        let number = self.world.clone_of(member.number, &name);
        self.world.oracle.copied(member.number);
        self.world.oracle.copied(number);
        self.cast.push(Member { number, away_until_ms: None, ..member.clone() });
        true
    }

    /// The server lets a device in no more, perhaps in the middle of its sync; its copies neither.
    fn revoke(&mut self, member: &Member, why: Revocation, steps: usize) -> bool {
        if member.is_leaving || member.post.role == Role::Migrant {
            return false;
        }
        self.world.faults.count(if why == Revocation::Lost { "revoked_lost" } else { "revoked_left" });
        if steps > 0 {
            self.world.faults.count("revoked_in_a_sync");
            self.world.device(member.number).set_online(true);
            self.world.sync_for_steps(member.number, steps);
        }
        let device = self.device_of(member.number);
        self.world.server().revoke(&device, why).expect("a device that the server knows");
        if steps > 0 {
            self.attempt(member.number);
        }
        let copies: Vec<_> = self.cast.iter().map(|member| member.number).collect();
        let copies: Vec<_> = copies.into_iter().filter(|number| self.device_of(*number) == device).collect();
        for copy in copies {
            if why == Revocation::Lost {
                self.bury(copy);
            } else if let Some(member) = self.cast.iter_mut().find(|member| member.number == copy) {
                member.is_leaving = true;
            }
        }
        self.vacant.push(member.post);
        true
    }

    fn device_of(&mut self, number: DeviceNumber) -> DeviceId {
        self.world.phone(number).store().identity().expect("an enrolled phone").grant().device
    }

    /// A phone is no more.
    pub(crate) fn bury(&mut self, number: DeviceNumber) {
        self.cast.retain(|member| member.number != number);
        self.backups.retain(|(of, _)| *of != number);
        self.world.destroy(number);
    }
}
