//! Pulling: asking the peer for ranges, page by page, until all has come or the peer has no more.

use std::collections::BTreeMap;

use super::{Output, PullRequest, Session, SessionError, machine::WINDOW};
use crate::{
    vector::VersionVector,
    wire::{Message, RangeRequest, RangeResponse, WantedRange},
};

const MAX_PULLS: usize = 16;
const MAX_RANGES: usize = 1024;

/// Requests that wait for answers.
#[derive(Default)]
pub(super) struct Pulls {
    open: BTreeMap<u64, Pull>,
    next: u64,
}

struct Pull {
    ticket: u64,
    state: bool,
    wanted: VersionVector,
    got: VersionVector,
    /// Whether the present answer brought anything.
    progress: bool,
}

impl Session {
    pub(super) fn on_pull(&mut self, request: &PullRequest) -> Result<(), SessionError> {
        let mut wanted = VersionVector::new();
        let remembered = request.ranges.iter().all(|(origin, range)| wanted.insert(*origin, *range));
        if !self.is_live() || self.pulls.open.len() >= MAX_PULLS || !remembered {
            self.out.push(Output::Pulled { ticket: request.ticket, complete: false });
            return Ok(());
        }
        self.ask(Pull {
            ticket: request.ticket,
            state: request.state,
            wanted,
            got: VersionVector::new(),
            progress: false,
        })
    }

    fn ask(&mut self, pull: Pull) -> Result<(), SessionError> {
        let missing = pull.wanted.missing_from(&pull.got);
        if missing.is_empty() {
            self.out.push(Output::Pulled { ticket: pull.ticket, complete: true });
            return Ok(());
        }
        let number = self.pulls.next;
        self.pulls.next += 1;
        let ranges = missing.into_iter().take(MAX_RANGES);
        let request = RangeRequest {
            request: number,
            partition: self.profile.partition,
            ranges: ranges.map(|(origin, range)| WantedRange { origin, range, previous: None }).collect(),
            max_bytes: u32::try_from(WINDOW).unwrap_or(u32::MAX),
            cursor: None,
        };
        let message =
            if pull.state { Message::StateRequest(request) } else { Message::SharedChangeRequest(request) };
        self.pulls.open.insert(number, pull);
        self.send(&message)
    }

    pub(super) fn on_response(&mut self, response: RangeResponse) -> Result<(), SessionError> {
        if !self.pulls.open.contains_key(&response.request) {
            return self.on_unsolicited(response.request);
        }
        if let Some(part) = response.part
            && let Some((origin, range)) = self.on_part(part)?
            && let Some(pull) = self.pulls.open.get_mut(&response.request)
        {
            pull.got.insert(origin, range);
            pull.progress = true;
        }
        if !response.last {
            return Ok(());
        }
        let Some(mut pull) = self.pulls.open.remove(&response.request) else { return Ok(()) };
        if response.more && pull.progress {
            pull.progress = false;
            return self.ask(pull);
        }
        let complete = pull.got.covers(&pull.wanted);
        self.out.push(Output::Pulled { ticket: pull.ticket, complete });
        Ok(())
    }

    /// The peer cannot answer this one.
    pub(super) fn on_request_failed(&mut self, request: u64) {
        if let Some(pull) = self.pulls.open.remove(&request) {
            self.out.push(Output::Pulled { ticket: pull.ticket, complete: false });
        }
    }
}
