//! After the faults: all links work, and within a bounded number of rounds all devices are equal and quiet.

use super::{
    checker::{Check, Checked, must},
    world::World,
};

impl World {
    /// Brings the run to rest and checks what must hold then.
    pub(super) fn heal(&mut self) -> Checked {
        for edge in 0..self.net.links.len() / 2 {
            let both = self.net.links.iter().skip(2 * edge).take(2);
            if both.clone().any(|link| !link.open || link.deaf) {
                self.reconnect(edge)?;
            }
        }
        // One for what is not durable yet, one to hear what the other lacks, and one for each device on the way.
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
        for quiet in 0..3 {
            let before = self.net.talk;
            self.round()?;
            // The first one may still tell a peer what he holds already.
            must(quiet == 0 || self.net.talk == before, Check::OnlyHeartbeats, || {
                format!("{} messages between equal devices", self.net.talk - before)
            })?;
        }
        self.checker.complete(&self.devices)?;
        // All are equal, by digest and set: one stands for all.
        match self.devices.first() {
            Some(device) => self.checker.final_state(device),
            None => Ok(()),
        }
    }

    fn is_equal(&self) -> bool {
        let Some(first) = self.devices.first() else { return true };
        let same = |device: &super::device::Device| {
            device.durable() == device.len()
                && device.stated == first.stated
                && (device.set, device.digest) == (first.set, first.digest)
        };
        self.devices.iter().all(same) && self.net.links.iter().all(|link| link.queue.is_empty())
    }

    /// Everybody says what he holds, sends what the other lacks, and makes durable what came.
    fn round(&mut self) -> Checked {
        let links = self.net.links.len();
        for at in 0..links {
            self.net.beat(at, &self.devices)?;
        }
        self.drain()?;
        let most: usize = 100 + self.devices.iter().map(super::device::Device::len).sum::<usize>() * links;
        let mut sent = 0;
        while self.send(0)? {
            sent += 1;
            must(sent <= most, Check::BoundedRounds, || format!("{sent} messages in one round"))?;
            self.drain()?;
        }
        for number in 0..self.devices.len() {
            self.tally.resting += u64::from(self.sync(number)?);
        }
        self.drain()
    }

    /// Delivers until nothing is on the way.
    fn drain(&mut self) -> Checked {
        for at in 0..self.net.links.len() {
            self.drain_link(at)?;
        }
        for at in 0..self.net.links.len() {
            self.drain_link(at)?;
        }
        Ok(())
    }

    fn drain_link(&mut self, at: usize) -> Checked {
        while self.deliver(at)? {
            self.tally.resting += 1;
        }
        Ok(())
    }
}
