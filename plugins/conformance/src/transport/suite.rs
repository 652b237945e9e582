//! The list of behaviours, which of them apply, and how they are run. The list stands here once; the generated tests
//! and [`run_all`] both come from it.

use crate::transport::{cuts, dialling, ending, exchange, flow, limits, listening, strangers};
use crate::{Failure, Harness, Outcome};
use std::time::Duration;
use sync_plugin::BoxFuture;

/// After this long a behaviour counts as a hang. Far above what any of them takes on a loaded machine.
const HANG: Duration = Duration::from_mins(2);

/// What a behaviour needs of the transport in order to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The capability to dial.
    Dial,
    /// The capabilities to dial and to listen.
    Link,
    /// Those, and [`RawAccess`](crate::RawAccess).
    Raw,
    /// That dialling is not among the capabilities.
    NoDial,
    /// That listening is not among the capabilities.
    NoListen,
}

impl Needs {
    fn met_by(self, harness: &Harness) -> bool {
        let can = harness.transport.info().capabilities;
        match self {
            Self::Nothing => true,
            Self::Dial => can.dial,
            Self::Link => can.dial && can.listen,
            Self::Raw => can.dial && can.listen && harness.raw.is_some(),
            Self::NoDial => !can.dial,
            Self::NoListen => !can.listen,
        }
    }
}

/// One bullet of the contract as a test.
#[derive(Clone, Copy, Debug)]
pub struct Behavior {
    /// What it proves.
    pub name: &'static str,
    /// When it applies.
    pub needs: Needs,
    run: fn(Harness) -> BoxFuture<'static, Outcome>,
}

/// Calls `$callback!{ [$arguments] Needs module::name; … }` with every behaviour.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_behaviors {
    ([$($callback:tt)*] $arguments:tt) => {
        $($callback)*! { $arguments
            Nothing exchange::info_is_stable_and_within_bounds;
            NoDial dialling::without_the_capability_dial_is_unsupported;
            NoListen listening::without_the_capability_listen_is_unsupported;
            Link exchange::frames_arrive_in_order;
            Link exchange::frames_of_every_size_arrive_unaltered;
            Link exchange::empty_frames_arrive;
            Link exchange::large_frames_arrive_unaltered;
            Link exchange::both_directions_at_once;
            Link exchange::a_taken_frame_arrives_without_a_later_call;
            Link exchange::many_links_do_not_mix;
            Link exchange::the_peer_has_a_name_of_one_line;
            Link limits::the_largest_frame_passes;
            Link limits::one_byte_more_is_refused_and_the_link_stays_usable;
            Link flow::the_sender_waits_for_a_peer_that_never_reads;
            Link flow::nothing_is_lost_by_waiting;
            Link flow::empty_frames_are_bounded_too;
            Link flow::other_links_go_on_beside_a_stalled_one;
            Link flow::the_other_direction_goes_on_beside_a_stalled_one;
            Link flow::a_cut_releases_the_waiting_sender;
            Link flow::a_dropped_receive_loses_nothing;
            Link flow::a_dropped_send_arrives_whole_or_not_at_all;
            Link ending::close_ends_after_every_frame;
            Link ending::close_after_waiting_frames_loses_none;
            Link ending::half_closed_still_carries_the_other_way;
            Link ending::close_twice_succeeds;
            Link ending::send_after_close_is_closed;
            Link ending::the_end_is_reported_again;
            Link ending::both_sides_close;
            Link ending::a_finished_half_may_be_dropped;
            Link cuts::a_cut_is_an_error_and_no_end;
            Link cuts::a_cut_is_reported_again;
            Link cuts::a_cut_wakes_the_waiting_receiver;
            Link cuts::sending_into_a_cut_link_fails;
            Link cuts::dropping_the_receiver_ends_the_own_sender;
            Link cuts::dropping_the_sender_wakes_the_own_receiver;
            Link cuts::cut_and_linked_again_many_times;
            Link cuts::links_outlive_their_listener;
            Dial dialling::nobody_is_unreachable;
            Dial dialling::unreadable_addresses_are_configuration_errors;
            Dial dialling::a_foreign_scheme_is_a_configuration_error;
            Link dialling::dialling_a_listener_that_never_accepts_ends;
            Link dialling::many_dials_at_once_are_accepted_once_each;
            Link dialling::a_dropped_dial_leaves_the_listener_working;
            Link listening::the_reported_address_can_be_dialled;
            Link listening::an_address_in_use_is_refused;
            Link listening::a_dropped_listener_frees_its_address;
            Link listening::two_listeners_are_independent;
            Link listening::a_dropped_accept_loses_no_link;
            Link listening::unreadable_addresses_cannot_be_listened_at;
            Raw strangers::silent_strangers_delay_nobody;
            Raw strangers::strangers_who_hang_up_delay_nobody;
            Raw strangers::rubbish_instead_of_an_opening_delays_nobody;
            Raw strangers::rubbish_instead_of_frames_is_malformed;
            Raw strangers::an_announced_giant_is_refused;
            Raw strangers::a_cut_inside_a_frame_is_closed;
            Raw strangers::random_bytes_never_hang_or_panic;
            Raw strangers::a_frame_in_single_bytes_does_not_block_others;
            Raw strangers::dialling_a_silent_server_ends;
            Raw strangers::dialling_a_server_of_rubbish_is_an_error;
            Raw strangers::dialling_a_server_that_hangs_up_is_an_error;
        }
    };
}

macro_rules! table {
    ([] $($needs:ident $module:ident::$name:ident;)*) => {
        &[$(Behavior {
            name: stringify!($name),
            needs: Needs::$needs,
            run: |harness| Box::pin($module::$name(harness)),
        }),*]
    };
}

const BEHAVIORS: &[Behavior] = __transport_behaviors!([table] []);

/// Every behaviour, in the order in which a transport is best made to meet them.
pub fn behaviors() -> &'static [Behavior] {
    BEHAVIORS
}

/// What became of a whole suite.
#[derive(Debug, Default)]
pub struct Report {
    /// The behaviours that were met.
    pub met: Vec<&'static str>,
    /// Those that do not apply to this transport.
    pub not_applicable: Vec<&'static str>,
    /// Those that were not met, with the reason.
    pub failed: Vec<(&'static str, Failure)>,
}

/// Runs every behaviour that applies, each against a harness of its own. An error when one was not met, or when none
/// applied.
///
/// # Panics
/// When a behaviour or the transport panics, or no tokio runtime can be made.
pub fn run_all(factory: impl Fn() -> Harness) -> Result<Report, Failure> {
    let mut report = Report::default();
    for behavior in BEHAVIORS {
        match run(behavior, &factory) {
            None => report.not_applicable.push(behavior.name),
            Some(Ok(())) => report.met.push(behavior.name),
            Some(Err(failure)) => report.failed.push((behavior.name, failure)),
        }
    }
    if let Some((name, failure)) = report.failed.first() {
        return Err(Failure::new(format!("{} not met; the first is {name}: {failure}", report.failed.len())));
    }
    if report.met.iter().all(|name| *name == "info_is_stable_and_within_bounds") {
        return Err(Failure::new("no behaviour applied: the transport declares that it can do nothing"));
    }
    Ok(report)
}

/// Runs one behaviour by name and says how it ended; `None` when it does not apply.
///
/// # Panics
/// When there is no behaviour of that name, or the transport panics.
pub fn check_one(name: &str, factory: impl Fn() -> Harness) -> Option<Outcome> {
    let Some(behavior) = BEHAVIORS.iter().find(|behavior| behavior.name == name) else {
        panic!("there is no behaviour {name}");
    };
    run(behavior, &factory)
}

/// Runs one behaviour by name, when it applies.
///
/// # Panics
/// When it is not met: this is what the generated tests call.
pub fn run_one(name: &str, factory: impl Fn() -> Harness) {
    if let Some(Err(failure)) = check_one(name, factory) {
        panic!("{name}: {failure}");
    }
}

/// Fails when nothing but the description of the transport would be tested.
///
/// # Panics
/// Then.
pub fn some_apply(factory: impl Fn() -> Harness) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let harness = factory();
    let applying =
        BEHAVIORS.iter().filter(|each| each.needs != Needs::Nothing && each.needs.met_by(&harness)).count();
    assert!(applying > 2, "only {applying} behaviours apply: check the declared capabilities");
}

/// `None` when the behaviour does not apply.
fn run(behavior: &Behavior, factory: impl Fn() -> Harness) -> Option<Outcome> {
    let runtime = runtime();
    runtime.block_on(async {
        let harness = factory();
        if !behavior.needs.met_by(&harness) {
            return None;
        }
        let outcome = tokio::time::timeout(HANG, (behavior.run)(harness)).await;
        Some(outcome.unwrap_or_else(|_| Err(Failure::new(format!("still waiting after {HANG:?}")))))
    })
}

fn runtime() -> tokio::runtime::Runtime {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("cannot make a tokio runtime: {error}"),
    }
}

/// Generates the tests of a transport: `transport_suite!(harness)`, where `harness` is a `fn() -> Harness`.
#[macro_export]
macro_rules! transport_suite {
    ($factory:expr $(,)?) => {
        #[test]
        fn some_behaviors_apply() {
            $crate::transport::some_apply($factory);
        }

        $crate::__transport_behaviors!([$crate::__transport_tests][$factory]);
    };
}

/// One test for each behaviour.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_tests {
    ([$factory:expr] $($needs:ident $module:ident::$name:ident;)*) => {
        $(
            #[test]
            fn $name() {
                $crate::transport::run_one(stringify!($name), $factory);
            }
        )*
    };
}
