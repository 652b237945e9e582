//! After the faults: all edges have a session, and within a bounded number of rounds all devices are equal and quiet.

use sync_core::{session::HEARTBEAT_EVERY, vector::VersionVector};

use super::{
    super::checker::{Check, Checked, must},
    end::End,
    world::Sealed,
};

impl Sealed {
    /// Brings the run to rest and checks what must hold then.
    pub(in crate::model) fn heal(&mut self) -> Checked {
        for edge in 0..self.sessions.len() {
            self.cut(edge);
            self.connect(edge);
        }
        let bound = self.devices.len() as u64 + 2;
        let mut rounds = 0;
        while !self.is_equal() {
            rounds += 1;
            must(rounds <= bound, Check::BoundedRounds, || {
                let vectors: Vec<_> = self.devices.iter().map(|device| &device.stated).collect();
                format!("not equal after {bound} rounds: {vectors:?}")
            })?;
            self.round()?;
        }
        self.tally.rounds = rounds;
        self.round()?;
        self.pull_everything()?;
        for _ in 0..2 {
            let before = self.sent();
            self.round()?;
            let live = self.sessions.iter().flatten().count() as u64;
            let sent = self.sent() - before;
            must(sent == 2 * live, Check::OnlyHeartbeats, || {
                format!("{sent} frames over {live} sessions of equal devices")
            })?;
        }
        self.checker.complete(&self.devices)?;
        match self.devices.first() {
            Some(device) => self.checker.final_state(device),
            None => Ok(()),
        }
    }

    /// Equal devices ask each other for everything: all of it comes, and nothing changes.
    fn pull_everything(&mut self) -> Checked {
        let now = self.now();
        let before: Vec<u64> = self.devices.iter().map(|device| device.digest).collect();
        for end in self.sessions.iter_mut().flatten().flatten() {
            (end.pulling, end.pulled) = (0, 0);
            end.pull(now, &VersionVector::new(), false);
        }
        let asked = self.ends().filter(|end| end.pulling > 0).count();
        self.round()?;
        let answered = self.ends().filter(|end| end.pulled > 0).count();
        must(asked == answered, Check::BoundedRounds, || format!("{asked} asked, {answered} were answered"))?;
        let same = self.devices.iter().map(|device| device.digest).eq(before);
        must(same, Check::SameSetSameState, || "what was asked for again changed a state".to_owned())
    }

    fn ends(&self) -> impl Iterator<Item = &End> {
        self.sessions.iter().flatten().flatten()
    }

    fn sent(&self) -> u64 {
        self.ends().map(|end| end.sent).sum()
    }

    fn is_equal(&self) -> bool {
        let Some(first) = self.devices.first() else { return true };
        let same = self.devices.iter().all(|device| {
            device.durable() == device.len()
                && device.stated == first.stated
                && (device.set, device.digest) == (first.set, first.digest)
        });
        same && self.ends().all(|end| end.queue.is_empty() && !end.has_work() && end.waiting.is_empty())
    }

    /// Everything that is under way arrives and becomes durable; then a heartbeat goes.
    fn round(&mut self) -> Checked {
        self.drain()?;
        for number in 0..self.devices.len() {
            self.tally.resting += u64::from(self.sync(number)?);
        }
        self.drain()?;
        self.pass(HEARTBEAT_EVERY.0);
        self.drain()
    }

    fn drain(&mut self) -> Checked {
        let most = 1_000 + 40 * self.devices.iter().map(super::super::device::Device::len).sum::<usize>();
        for _ in 0..most {
            let moved = self.deliver(0) || self.work(0, false)?;
            self.tally.resting += u64::from(moved);
            self.settle_sessions()?;
            if !moved {
                return Ok(());
            }
        }
        must(false, Check::BoundedRounds, || "a round does not end".to_owned())
    }
}
