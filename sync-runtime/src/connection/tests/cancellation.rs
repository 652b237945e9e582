//! A future that is dropped at any poll leaves no half transaction, no lock and no commit without a wake-up.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
};

use sea_orm::{ActiveModelTrait, DbErr, TransactionSession, TransactionTrait};

use super::{statements::draft, support::Fixture};

/// Polls `future` at most `polls` times, then drops it; whether it ended before.
async fn cut<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match Pin::as_mut(&mut future).poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Cuts what `write` makes after every number of polls; each must leave all of its notes or none, and take one step
/// for all of them.
async fn cut_everywhere<F>(write: impl Fn(usize) -> F, fixture: &Fixture, notes: usize)
where
    F: Future<Output = Result<(), DbErr>>,
{
    let mut finished = 0;
    for polls in 0.. {
        let titles = fixture.titles().await.len();
        let steps = fixture.steps().await;
        let outcome = cut(write(polls), polls).await;
        // This write waits until the connection has worked off what the cut one left behind.
        draft(&format!("between {polls}")).insert(&fixture.db).await.unwrap();
        let (added, taken) = (fixture.titles().await.len() - titles - 1, fixture.steps().await - steps - 1);
        assert!(
            (added, taken) == (0, 0) || (added, taken) == (notes, 1),
            "{polls} polls: {added} notes, {taken} steps"
        );
        fixture.settled().await;
        if let Some(outcome) = outcome {
            outcome.unwrap();
            assert_eq!((added, taken), (notes, 1));
            finished += 1;
            if finished == 3 {
                return;
            }
        }
    }
}

#[tokio::test]
async fn single_statement_cut_at_every_poll() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let write = |polls: usize| async move { draft(&format!("w{polls}")).insert(db).await.map(drop) };
    cut_everywhere(write, &fixture, 1).await;
}

#[tokio::test]
async fn transaction_with_a_savepoint_cut_at_every_poll() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let write = |polls: usize| async move {
        let tx = db.begin().await?;
        draft(&format!("a{polls}")).insert(&tx).await?;
        let inner = tx.begin().await?;
        draft(&format!("b{polls}")).insert(&inner).await?;
        inner.commit().await?;
        draft(&format!("c{polls}")).insert(&tx).await?;
        tx.commit().await
    };
    cut_everywhere(write, &fixture, 3).await;
}

#[tokio::test]
async fn savepoint_cut_while_it_begins_never_commits_half() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    for polls in 0..12 {
        let before = fixture.titles().await.len();
        let tx = db.begin().await.unwrap();
        draft(&format!("outer {polls}")).insert(&tx).await.unwrap();
        let cut_short = cut(tx.begin(), polls).await;
        let nested = match cut_short {
            Some(inner) => {
                let inner = inner.unwrap();
                draft(&format!("inner {polls}")).insert(&inner).await.unwrap();
                inner.commit().await.unwrap();
                1
            }
            None => 0,
        };
        let after = match tx.commit().await {
            Ok(()) => before + 1 + nested,
            Err(_) => before,
        };
        assert_eq!(fixture.titles().await.len(), after, "{polls} polls");
    }
}

#[tokio::test]
async fn waiting_for_the_writer_can_be_cut() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.unwrap();
    for _ in 0..4 {
        assert!(cut(draft("never").insert(&fixture.db), 1).await.is_none());
    }
    draft("a").insert(&tx).await.unwrap();
    tx.commit().await.unwrap();
    draft("b").insert(&fixture.db).await.unwrap();
    assert_eq!((fixture.titles().await.len(), fixture.steps().await, fixture.wakes()), (2, 2, 2));
}
