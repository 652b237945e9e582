//! Sending: what the peer lacks, one question to the engine at a time, inside the window.

use std::collections::{BTreeMap, VecDeque};

use super::{
    Failure, Output, ServePurpose, ServeRequest, Session, SessionError, SessionEvent, machine::WINDOW,
};
use crate::{
    hlc::Millis,
    ids::Origin,
    vector::{SeqRange, VersionVector},
    wire::{About, ErrorCode, ErrorMessage, Message, RangeRequest, RangeResponse, Run, RunPart, split_run},
};

const MAX_ASKED: usize = 16;
const MAX_LACKING: usize = 256;
const LONGEST_WAIT: u64 = 16_000;

/// What is under way to the peer.
#[derive(Default)]
pub(super) struct Sending {
    /// What the peer holds or was sent.
    pub(super) offered: VersionVector,
    in_flight: BTreeMap<u64, usize>,
    pub(super) in_flight_bytes: usize,
    next_transfer: u64,
    next_ticket: u64,
    serving: Option<Serving>,
    asked: VecDeque<Asked>,
    pub(super) retry_at: Option<Millis>,
    failures: u32,
}

/// A question to the engine.
struct Serving {
    ticket: u64,
    lacking: Vec<(Origin, SeqRange)>,
    asked: Option<Asked>,
}

/// A request of the peer.
struct Asked {
    request: RangeRequest,
    purpose: ServePurpose,
}

impl Session {
    /// Asks the engine for what goes next, if anything may go.
    pub(super) fn pump(&mut self) -> Result<(), SessionError> {
        if !self.is_live() || self.sending.serving.is_some() {
            return Ok(());
        }
        let room = WINDOW.saturating_sub(self.sending.in_flight_bytes);
        // A nearly full window waits for the next acknowledgement rather than go on in small pieces.
        if self.sending.in_flight_bytes > 0 && room < WINDOW / 4 {
            return Ok(());
        }
        let asked = self.sending.asked.pop_front();
        let (lacking, max_bytes, purpose) = match &asked {
            Some(asked) => {
                let ranges = asked.request.ranges.iter().map(|wanted| (wanted.origin, wanted.range));
                let max = usize::try_from(asked.request.max_bytes).unwrap_or(WINDOW).clamp(1, room);
                (self.held_of(ranges), max, asked.purpose)
            }
            None if self.sending.retry_at.is_some_and(|at| at > self.now) => return Ok(()),
            None => (self.local.missing_from(&self.sending.offered), room, ServePurpose::Push),
        };
        if lacking.is_empty() {
            return asked.map_or(Ok(()), |asked| self.respond(&asked, Vec::new(), false));
        }
        let lacking: Vec<_> = lacking.into_iter().take(MAX_LACKING).collect();
        let ticket = self.sending.next_ticket;
        self.sending.next_ticket += 1;
        self.sending.retry_at = None;
        self.sending.serving = Some(Serving { ticket, lacking: lacking.clone(), asked });
        let request = ServeRequest { partition: self.profile.partition, lacking, max_bytes, purpose };
        self.out.push(Output::Serve { ticket, request });
        Ok(())
    }

    /// The parts of `ranges` that are held here.
    fn held_of(&self, ranges: impl Iterator<Item = (Origin, SeqRange)>) -> Vec<(Origin, SeqRange)> {
        let mut wanted = VersionVector::new();
        for (origin, range) in ranges {
            wanted.insert(origin, range);
        }
        wanted.intersection(&self.local).missing_from(&VersionVector::new())
    }

    pub(super) fn on_served(
        &mut self,
        ticket: u64,
        reply: Result<Vec<Run>, Failure>,
    ) -> Result<(), SessionError> {
        let Some(serving) = self.sending.serving.take_if(|serving| serving.ticket == ticket) else {
            return Ok(());
        };
        match (reply, serving.asked) {
            (Ok(runs), None) => {
                self.sending.failures = 0;
                if runs.is_empty() {
                    // Nothing to send for what was asked: not asked again before the next heartbeat differs.
                    for (origin, range) in serving.lacking {
                        self.sending.offered.insert(origin, range);
                    }
                }
                for run in runs {
                    self.sending.offered.insert(run.origin, run.range());
                    self.send_run(run)?;
                }
            }
            (Ok(runs), Some(asked)) => {
                let mut got = VersionVector::new();
                for run in &runs {
                    got.insert(run.origin, run.range());
                }
                let more = !runs.is_empty()
                    && serving.lacking.iter().any(|(origin, range)| {
                        let mut wanted = VersionVector::new();
                        wanted.insert(*origin, *range);
                        !got.covers(&wanted)
                    });
                self.respond(&asked, runs, more)?;
            }
            (Err(failure), asked) => self.on_serve_failed(&failure, asked)?,
        }
        self.pump()
    }

    fn on_serve_failed(&mut self, failure: &Failure, asked: Option<Asked>) -> Result<(), SessionError> {
        let wait = (1_000_u64 << self.sending.failures.min(4)).min(LONGEST_WAIT);
        self.sending.failures = self.sending.failures.saturating_add(1);
        self.sending.retry_at = Some(Millis(self.now.0.saturating_add(wait)));
        self.out.push(Output::Event(SessionEvent::ServeFailed(failure.clone())));
        let Some(asked) = asked else { return Ok(()) };
        self.send_error(ErrorMessage {
            code: ErrorCode::ServeFailed,
            about: About::Request(asked.request.request),
            retryable: failure.retryable,
            detail: String::new(),
        })
    }

    /// Takes a run apart and counts it as being under way.
    fn parts_of(&mut self, run: Run) -> Vec<RunPart> {
        let bytes = run.bytes();
        let transfer = self.sending.next_transfer;
        match split_run(run, transfer) {
            Ok(parts) => {
                self.sending.next_transfer += 1;
                self.sending.in_flight.insert(transfer, bytes);
                self.sending.in_flight_bytes += bytes;
                parts
            }
            Err(error) => {
                self.out.push(Output::Event(SessionEvent::Unsendable(error.to_string())));
                Vec::new()
            }
        }
    }

    fn send_run(&mut self, run: Run) -> Result<(), SessionError> {
        self.parts_of(run).into_iter().try_for_each(|part| self.send(&Message::Run(part)))
    }

    fn respond(&mut self, asked: &Asked, runs: Vec<Run>, more: bool) -> Result<(), SessionError> {
        let mut parts: VecDeque<RunPart> = runs.into_iter().flat_map(|run| self.parts_of(run)).collect();
        loop {
            let part = parts.pop_front();
            let last = parts.is_empty();
            let response = RangeResponse {
                request: asked.request.request,
                part,
                last,
                more: last && more,
                cursor: None,
            };
            self.send(&match asked.purpose {
                ServePurpose::State => Message::StateResponse(response),
                ServePurpose::Changes | ServePurpose::Push => Message::SharedChangeResponse(response),
            })?;
            if last {
                return Ok(());
            }
        }
    }

    /// The peer asks for ranges.
    pub(super) fn on_request(
        &mut self,
        request: RangeRequest,
        purpose: ServePurpose,
    ) -> Result<(), SessionError> {
        if self.sending.asked.len() >= MAX_ASKED {
            return self.send_error(ErrorMessage {
                code: ErrorCode::Busy,
                about: About::Request(request.request),
                retryable: true,
                detail: String::new(),
            });
        }
        if request.ranges.iter().any(|wanted| wanted.range.last.0 == u64::MAX) {
            return Err(SessionError::ImpossibleVector);
        }
        if request.partition != self.profile.partition {
            return self.respond(&Asked { request, purpose }, Vec::new(), false);
        }
        self.sending.asked.push_back(Asked { request, purpose });
        self.pump()
    }

    /// The peer is done with these transfers. Repetition and strangers do no harm.
    pub(super) fn on_done(&mut self, done: &[u64]) {
        for transfer in done {
            if let Some(bytes) = self.sending.in_flight.remove(transfer) {
                self.sending.in_flight_bytes = self.sending.in_flight_bytes.saturating_sub(bytes);
            }
        }
    }

    /// Begins again from what the peer certainly holds, when nothing is under way.
    pub(super) fn reoffer(&mut self) {
        if !self.sending.in_flight.is_empty() || self.sending.serving.is_some() {
            return;
        }
        let lost =
            self.local.missing_from(&self.peer_holds) != self.local.missing_from(&self.sending.offered);
        self.sending.offered = self.peer_holds.clone();
        if lost {
            self.out.push(Output::Event(SessionEvent::Reoffered));
        }
    }
}
