//! Invariant 12: messages that a broker repeats and reorders change nothing about the outcome.

use super::{pair::Pair, store::Store};
use crate::{
    hlc::Millis,
    session::{Input, Output, machine::Phase},
    wire::{FrameKind, Message, NoCompression, decode_frame, decode_inner},
};

/// Opens a frame with the right end's channel, as a broker behind the seal would see it.
fn opened(pair: &mut Pair, frame: &[u8]) -> Message {
    let (kind, body) = decode_frame(frame).unwrap();
    assert_eq!(kind, FrameKind::Sealed);
    let Phase::Live(channel) = &mut pair.right.session.phase else { panic!("not live") };
    let inner = decode_inner(&channel.open(body).unwrap(), &mut NoCompression).unwrap();
    Message::decode(inner.kind, &inner.body).unwrap()
}

#[test]
fn invariant_12_repeated_and_reordered_messages_give_the_same_state() {
    for seed in 0..10_u64 {
        let (mut a, mut b) = (Store::new(1), Store::new(2));
        let mut pair = Pair::open(&a, &b, 1, Millis(0));
        pair.settle(&mut a, &mut b);
        for n in 0..12 {
            a.commit(if n == 5 { 5 << 20 } else { 30 }, &[n]);
        }
        pair.left.step(Millis(0), Input::LocalAdvanced(std::sync::Arc::new(a.vector.clone())));
        let mut messages = Vec::new();
        for _ in 0..40 {
            pair.left.work(&mut a, Millis(0), false);
            let frames: Vec<_> = pair.left.sent.drain(..).collect();
            for frame in frames {
                messages.push(opened(&mut pair, &frame));
            }
            // The window opens as if all had been acknowledged.
            pair.left.session.on_done(&(0..1_000).collect::<Vec<_>>());
            pair.left.session.pump().unwrap();
            let out: Vec<Output> = std::mem::take(&mut pair.left.session.out);
            pair.left.take(out);
        }
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % bound as u64).unwrap()
        };
        let repeats: Vec<Message> = (0..8).map(|_| messages[below(messages.len())].clone()).collect();
        messages.extend(repeats);
        while !messages.is_empty() {
            let message = messages.swap_remove(below(messages.len()));
            pair.right.session.on_message(message).unwrap();
            let out: Vec<Output> = std::mem::take(&mut pair.right.session.out);
            pair.right.take(out);
            if below(2) == 0 {
                pair.right.work(&mut b, Millis(0), false);
            }
        }
        while pair.right.work(&mut b, Millis(0), false) {}
        assert_eq!((&a.kept, &a.rows, &a.vector), (&b.kept, &b.rows, &b.vector), "seed {seed}");
    }
}
