//! The exchange in its plainest form: devices offer what the other's vector lacks, over links that may lose, repeat and
//! reorder messages. No seal and no signatures, so that many seeds fit; the sessions of `sync-core` run in [`sealed`].
//!
//! [`sealed`]: super::sealed

use std::{collections::VecDeque, rc::Rc, sync::Arc};

use sync_core::{
    ids::{Origin, Seq},
    vector::{SeqRange, VersionVector},
};

use super::{
    changeset::Stored,
    checker::{Check, Checked, Checker, Failure, must},
    device::{Device, origin},
    plant::Plant,
};

/// Most messages that wait on a link.
const QUEUE: usize = 10;

/// What goes over a link.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// What the sender holds; begins a link, and answers a heartbeat with another digest.
    Holds(Arc<VersionVector>),
    /// Changesets that the other one lacks.
    Changes(Vec<Rc<Stored>>),
    /// What the sender holds now that what it received is durable.
    Acknowledged(Arc<VersionVector>),
    /// The digest of what the sender holds.
    Beat([u8; 16]),
}

/// One direction of an edge.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a link")]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) open: bool,
    /// Loses everything, and nobody notices.
    pub(super) deaf: bool,
    pub(super) queue: VecDeque<Message>,
    /// What the other one holds or was sent.
    offered: VersionVector,
    /// Nothing was left to send when it was last looked for.
    idle: bool,
    owes: bool,
}

/// All links; the two directions of an edge stand side by side.
pub(super) struct Plain {
    pub(super) links: Vec<Link>,
    batch: usize,
    /// Messages with changesets that were sent.
    pub(super) transfers: u64,
    /// Messages other than heartbeats that were sent.
    pub(super) talk: u64,
    pub(super) plant: Option<Plant>,
}

impl Plain {
    pub(super) fn new(edges: &[(usize, usize)], batch: usize, plant: Option<Plant>) -> Self {
        let link = |from, to| Link {
            from,
            to,
            open: false,
            deaf: false,
            queue: VecDeque::new(),
            offered: VersionVector::new(),
            idle: true,
            owes: false,
        };
        let links = edges.iter().flat_map(|(a, b)| [link(*a, *b), link(*b, *a)]).collect();
        Self { links, batch, transfers: 0, talk: 0, plant }
    }

    /// Puts a message on a link, where there is room.
    fn say(&mut self, at: usize, message: Message) -> Checked {
        let unbounded = self.plant == Some(Plant::UnboundedQueue);
        let Some(link) = self.links.get_mut(at).filter(|link| link.open) else { return Ok(()) };
        if !matches!(message, Message::Beat(_)) {
            self.talk += 1;
        }
        if !link.deaf && (unbounded || link.queue.len() < QUEUE) {
            link.queue.push_back(message);
        }
        must(link.queue.len() <= QUEUE, Check::BoundedQueues, || format!("{} on a link", link.queue.len()))
    }

    /// Opens an edge: both say what they hold.
    pub(super) fn connect(&mut self, edge: usize, devices: &[Device], checker: &mut Checker) -> Checked {
        for at in [2 * edge, 2 * edge + 1] {
            let Some(link) = self.links.get_mut(at) else { continue };
            (link.open, link.deaf, link.idle, link.owes) = (true, false, true, false);
            link.queue.clear();
            // Until the other one says what it holds, nothing is sent.
            link.offered = VersionVector::new();
            let from = link.from;
            self.tell(at, from, devices, checker, Message::Holds)?;
        }
        Ok(())
    }

    /// Says what a device holds for good.
    fn tell(
        &mut self,
        at: usize,
        from: usize,
        devices: &[Device],
        checker: &mut Checker,
        form: impl FnOnce(Arc<VersionVector>) -> Message,
    ) -> Checked {
        let Some(device) = devices.get(from) else { return Ok(()) };
        let vector = match self.plant {
            Some(Plant::EarlyAcknowledgement) => Arc::new(device.vector.clone()),
            _ => Arc::clone(&device.stated),
        };
        if self.links.get(at).is_some_and(|link| link.open && !link.deaf && link.queue.len() < QUEUE) {
            checker.tells(device, &vector)?;
        }
        self.say(at, form(vector))
    }

    /// Closes an edge; what it carries is lost.
    pub(super) fn cut(&mut self, edge: usize) -> bool {
        let mut was_open = false;
        for link in self.links.iter_mut().skip(2 * edge).take(2) {
            was_open |= link.open;
            link.open = false;
            link.queue.clear();
        }
        was_open
    }

    /// Edges that a device is an end of.
    pub(super) fn edges_of(&self, device: usize) -> Vec<usize> {
        let forward = self.links.iter().step_by(2).enumerate();
        forward.filter(|(_, link)| link.from == device || link.to == device).map(|(edge, _)| edge).collect()
    }

    /// What is durable grew: acknowledgements that are owed go out, and there is more to send.
    pub(super) fn synced(&mut self, number: usize, devices: &[Device], checker: &mut Checker) -> Checked {
        for at in 0..self.links.len() {
            let Some(link) = self.links.get_mut(at).filter(|link| link.from == number && link.open) else {
                continue;
            };
            link.idle = false;
            if std::mem::take(&mut link.owes) {
                self.tell(at, number, devices, checker, Message::Acknowledged)?;
            }
        }
        Ok(())
    }

    /// Sends the next changesets that the other one lacks; returns whether there were any.
    pub(super) fn send(&mut self, at: usize, devices: &[Device]) -> Result<bool, Failure> {
        let (batch, plant) = (self.batch, self.plant);
        let Some(link) = self.links.get_mut(at).filter(|link| link.open && !link.idle) else {
            return Ok(false);
        };
        if link.queue.len() >= QUEUE && plant != Some(Plant::UnboundedQueue) {
            return Ok(false);
        }
        let Some(device) = devices.get(link.from) else { return Ok(false) };
        let holds: &VersionVector = match plant {
            Some(Plant::SentBeforeDurable) => &device.vector,
            _ => &device.stated,
        };
        let lacking = holds.missing_from(&link.offered);
        let own = |origin: &Origin| plant != Some(Plant::NoRelay) || *origin == device.origin;
        let Some((author, range)) = lacking.into_iter().find(|(author, _)| own(author)) else {
            link.idle = true;
            return Ok(false);
        };
        let number = (0..devices.len()).find(|number| origin(*number) == author).unwrap_or_default();
        let seqs = (range.first.0..=range.last.0).take(batch);
        let changesets: Vec<Rc<Stored>> = seqs.filter_map(|seq| device.get(number, seq).cloned()).collect();
        let sent = u64::try_from(changesets.len()).unwrap_or_default();
        if plant != Some(Plant::Echo) {
            let last = Seq(range.first.0 + sent.max(1) - 1);
            link.offered.insert(author, SeqRange { first: range.first, last });
        }
        for stored in &changesets {
            let durable = device.stated.contains(&author, Seq(stored.seq));
            must(durable, Check::DurableFirst, || format!("{author}/{} left before it was", stored.seq))?;
        }
        self.transfers += 1;
        self.say(at, Message::Changes(changesets))?;
        Ok(true)
    }

    /// A link says in short what its sender holds.
    pub(super) fn beat(&mut self, at: usize, devices: &[Device]) -> Result<bool, Failure> {
        let Some(link) = self.links.get(at).filter(|link| link.open) else { return Ok(false) };
        let Some(device) = devices.get(link.from) else { return Ok(false) };
        self.say(at, Message::Beat(device.stated_digest))?;
        Ok(true)
    }

    /// A message about vectors arrived; the ones with changesets are the world's.
    pub(super) fn hear(
        &mut self,
        at: usize,
        message: &Message,
        devices: &[Device],
        checker: &mut Checker,
    ) -> Checked {
        let back = at ^ 1;
        let Some(receiver) = self.links.get(at).map(|link| link.to) else { return Ok(()) };
        match message {
            Message::Changes(_) => {
                if let Some(link) = self.links.get_mut(back) {
                    link.owes = true;
                }
            }
            Message::Holds(vector) => {
                if let Some(link) = self.links.get_mut(back)
                    && self.plant != Some(Plant::NeverOfferedAgain)
                {
                    link.offered = VersionVector::clone(vector);
                    link.idle = false;
                }
            }
            Message::Acknowledged(vector) => {
                if let Some(link) = self.links.get_mut(back) {
                    link.offered.merge(vector);
                }
            }
            Message::Beat(digest) => {
                let Some(device) = devices.get(receiver) else { return Ok(()) };
                if device.stated_digest != *digest || self.plant == Some(Plant::Chatter) {
                    return self.tell(back, receiver, devices, checker, Message::Holds);
                }
                if let Some(link) = self.links.get_mut(back) {
                    link.offered.merge(&device.stated);
                }
            }
        }
        Ok(())
    }

    /// The link at which the `nth` of those with messages is.
    pub(super) fn carrying(&self, nth: u8) -> Option<usize> {
        let count = self.links.iter().filter(|link| !link.queue.is_empty()).count();
        let nth = usize::from(nth).checked_rem(count)?;
        self.links.iter().enumerate().filter(|(_, link)| !link.queue.is_empty()).nth(nth).map(|(at, _)| at)
    }
}
