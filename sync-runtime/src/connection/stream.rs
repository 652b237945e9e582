//! Rows one by one. A stream that writes is collected first, so that its commit does not wait for its reader.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt};
use sea_orm::{DbErr, QueryResult, QueryStream, TransactionStream};

use super::transaction::Busy;

/// Rows of a query on a space.
pub struct SpaceStream {
    first: Option<Result<QueryResult, DbErr>>,
    rest: Rest,
}

enum Rest {
    Live(Box<QueryStream>),
    Collected(std::vec::IntoIter<QueryResult>),
}

impl SpaceStream {
    /// Rows as a reader gives them, after `first`, which was looked at already.
    pub(super) fn live(first: Option<Result<QueryResult, DbErr>>, stream: QueryStream) -> Self {
        Self { first, rest: Rest::Live(Box::new(stream)) }
    }

    /// Rows of a statement that wrote and is committed.
    pub(super) fn collected(rows: Vec<QueryResult>) -> Self {
        Self { first: None, rest: Rest::Collected(rows.into_iter()) }
    }
}

impl std::fmt::Debug for SpaceStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpaceStream").finish_non_exhaustive()
    }
}

impl Stream for SpaceStream {
    type Item = Result<QueryResult, DbErr>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        match &mut self.rest {
            Rest::Live(stream) => stream.poll_next_unpin(cx),
            Rest::Collected(rows) => Poll::Ready(rows.next().map(Ok)),
        }
    }
}

/// Rows of a query in a transaction. While it is open no other statement of the transaction runs.
pub struct SpaceTransactionStream<'a> {
    // ORDER: the stream gives the connection back before the next statement may take it.
    stream: Box<TransactionStream<'a>>,
    _busy: Busy<'a>,
}

impl<'a> SpaceTransactionStream<'a> {
    pub(super) fn new(stream: TransactionStream<'a>, busy: Busy<'a>) -> Self {
        Self { stream: Box::new(stream), _busy: busy }
    }
}

impl std::fmt::Debug for SpaceTransactionStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpaceTransactionStream").finish_non_exhaustive()
    }
}

impl Stream for SpaceTransactionStream<'_> {
    type Item = Result<QueryResult, DbErr>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }
}
