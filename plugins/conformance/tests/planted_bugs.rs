//! The suite is shown to fail: a transport that works, with one fault planted at a time, and the behaviour that must
//! find it.

use sync_conformance::transport::{behaviors, check_one, run_all};
use sync_conformance::{Failure, Harness};
use sync_plugin::{
    Capabilities, Context, ErrorKind, Link, LinkReceiver, LinkSender, Listener, PluginError, Result,
    Transport, TransportInfo, Url,
};
use sync_transport_memory::{
    MemoryConfig, MemoryLink, MemoryListener, MemoryReceiver, MemorySender, MemoryTransport,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    SwapsNeighbours,
    AltersLastByte,
    SwallowsEmptyFrames,
    RefusesTheLargest,
    BreaksOnOversize,
    NeverWaits,
    LosesOnDroppedReceive,
    CallsACutAnEnd,
    SendsAfterClose,
    DialsAnything,
    CallsUnreachableRefused,
    ReportsWhatWasAsked,
    ChangesItsInfo,
    CanDoNothing,
}

#[derive(Debug)]
struct Faulty {
    inner: MemoryTransport,
    fault: Fault,
    asked: std::sync::atomic::AtomicUsize,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        // What never waits is the same as what waits only after more than the suite allows.
        let window = if fault == Fault::NeverWaits { u32::MAX >> 4 } else { 1024 * 1024 };
        Self { inner: MemoryTransport::new(MemoryConfig { window, backlog: 16 }), fault, asked: 0.into() }
    }
}

impl Transport for Faulty {
    type Link = FaultyLink;
    type Listener = FaultyListener;

    fn info(&self) -> TransportInfo {
        let mut info = Transport::info(&self.inner);
        let asked = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match self.fault {
            Fault::ChangesItsInfo => info.max_frame -= asked,
            Fault::CanDoNothing => {
                info.capabilities = Capabilities { dial: false, listen: false, local_only: true };
            }
            _ => {}
        }
        info
    }

    async fn dial(&self, ctx: &Context, address: &Url) -> Result<FaultyLink> {
        let address = match self.fault {
            Fault::DialsAnything => address.clone().with_path(""),
            _ => address.clone(),
        };
        match Transport::dial(&self.inner, ctx, &address).await {
            Ok(inner) => Ok(FaultyLink { inner, fault: self.fault }),
            Err(error) if self.fault == Fault::CallsUnreachableRefused => {
                Err(PluginError::new(ErrorKind::Refused, "dial", error.context()))
            }
            Err(error) => Err(error),
        }
    }

    async fn listen(&self, ctx: &Context, address: &Url) -> Result<FaultyListener> {
        let inner = Transport::listen(&self.inner, ctx, address).await?;
        Ok(FaultyListener { inner, fault: self.fault, asked: address.clone() })
    }
}

struct FaultyListener {
    inner: MemoryListener,
    fault: Fault,
    asked: Url,
}

impl Listener for FaultyListener {
    type Link = FaultyLink;

    fn address(&self) -> Url {
        if self.fault == Fault::ReportsWhatWasAsked { self.asked.clone() } else { self.inner.address() }
    }

    async fn accept(&mut self) -> Result<FaultyLink> {
        Ok(FaultyLink { inner: self.inner.accept().await?, fault: self.fault })
    }
}

struct FaultyLink {
    inner: MemoryLink,
    fault: Fault,
}

impl Link for FaultyLink {
    type Sender = FaultySender;
    type Receiver = FaultyReceiver;

    fn split(self) -> (FaultySender, FaultyReceiver) {
        let (sender, receiver) = self.inner.split();
        (
            FaultySender { inner: sender, fault: self.fault, held: None, closed: false },
            FaultyReceiver { inner: receiver, fault: self.fault },
        )
    }

    fn peer(&self) -> String {
        self.inner.peer()
    }
}

struct FaultySender {
    inner: MemorySender,
    fault: Fault,
    held: Option<Vec<u8>>,
    closed: bool,
}

impl LinkSender for FaultySender {
    async fn send(&mut self, mut frame: Vec<u8>) -> Result<()> {
        let info_max = sync_plugin::MAX_FRAME;
        match self.fault {
            Fault::SwallowsEmptyFrames if frame.is_empty() => return Ok(()),
            Fault::RefusesTheLargest if frame.len() == info_max => {
                return Err(PluginError::new(ErrorKind::Limit, "send", "off by one"));
            }
            Fault::BreaksOnOversize if frame.len() > info_max => self.closed = true,
            Fault::SendsAfterClose if self.closed => return Ok(()),
            Fault::AltersLastByte => {
                if let Some(last) = frame.last_mut() {
                    *last ^= 1;
                }
            }
            Fault::SwapsNeighbours => {
                let Some(earlier) = self.held.take() else {
                    self.held = Some(frame);
                    return Ok(());
                };
                self.inner.send(frame).await?;
                return self.inner.send(earlier).await;
            }
            _ => {}
        }
        if self.closed && self.fault == Fault::BreaksOnOversize {
            let kind = if frame.len() > info_max { ErrorKind::Limit } else { ErrorKind::Closed };
            return Err(PluginError::new(kind, "send", "broken since the large one"));
        }
        self.inner.send(frame).await
    }

    async fn close(&mut self) -> Result<()> {
        if let Some(frame) = self.held.take() {
            self.inner.send(frame).await?;
        }
        self.closed = true;
        self.inner.close().await
    }
}

struct FaultyReceiver {
    inner: MemoryReceiver,
    fault: Fault,
}

impl LinkReceiver for FaultyReceiver {
    async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        let received = self.inner.receive().await;
        match self.fault {
            Fault::LosesOnDroppedReceive => {
                // Holding the frame across an await is the classical mistake.
                tokio::task::yield_now().await;
                received
            }
            Fault::CallsACutAnEnd => Ok(received.unwrap_or_default()),
            _ => received,
        }
    }
}

fn harness(fault: Fault) -> Harness {
    Harness::new(Faulty::new(fault), "memory://", "memory://nobody-listens-here")
        .invalid("memory://name/with/a/path")
        .invalid("memory://user@name")
}

/// The behaviour is met without the fault and not met with it.
fn finds(behavior: &str, fault: Fault) {
    let without = check_one(behavior, || harness(Fault::None));
    assert!(matches!(without, Some(Ok(()))), "{behavior} without a fault: {without:?}");
    let with = check_one(behavior, || harness(fault));
    assert!(matches!(with, Some(Err(_))), "{behavior} does not find {fault:?}: {with:?}");
}

#[test]
fn faults_in_the_exchange_are_found() {
    finds("frames_arrive_in_order", Fault::SwapsNeighbours);
    finds("frames_of_every_size_arrive_unaltered", Fault::AltersLastByte);
    finds("empty_frames_arrive", Fault::SwallowsEmptyFrames);
    finds("large_frames_arrive_unaltered", Fault::AltersLastByte);
    finds("info_is_stable_and_within_bounds", Fault::ChangesItsInfo);
}

#[test]
fn faults_at_the_limits_are_found() {
    finds("the_largest_frame_passes", Fault::RefusesTheLargest);
    finds("one_byte_more_is_refused_and_the_link_stays_usable", Fault::BreaksOnOversize);
    finds("the_sender_waits_for_a_peer_that_never_reads", Fault::NeverWaits);
    finds("a_dropped_receive_loses_nothing", Fault::LosesOnDroppedReceive);
}

#[test]
fn faults_at_the_end_are_found() {
    finds("send_after_close_is_closed", Fault::SendsAfterClose);
    finds("a_cut_is_an_error_and_no_end", Fault::CallsACutAnEnd);
    finds("cut_and_linked_again_many_times", Fault::CallsACutAnEnd);
}

#[test]
fn faults_of_addresses_are_found() {
    finds("nobody_is_unreachable", Fault::CallsUnreachableRefused);
    finds("unreadable_addresses_are_configuration_errors", Fault::DialsAnything);
    finds("the_reported_address_can_be_dialled", Fault::ReportsWhatWasAsked);
}

#[test]
fn a_transport_that_can_do_nothing_does_not_pass() {
    assert!(run_all(|| harness(Fault::CanDoNothing)).is_err());
}

#[test]
fn the_whole_suite_passes_without_a_fault_and_runs_nearly_everything() -> Result<(), Failure> {
    let report = run_all(|| harness(Fault::None))?;
    let skipped: Vec<&str> =
        behaviors().iter().map(|behavior| behavior.name).filter(|name| !report.met.contains(name)).collect();
    assert_eq!(skipped, report.not_applicable, "every behaviour is met or does not apply");
    assert!(report.met.len() > 40, "only {} behaviours ran", report.met.len());
    Ok(())
}
