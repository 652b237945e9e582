//! A space is a connection of SeaORM.

use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement,
    StreamTrait, TransactionError, TransactionOptions, TransactionTrait,
    entity::prelude::async_trait::async_trait,
};
use sync_plugin::BoxFuture;

use super::Space;
use crate::connection::{SpaceStream, SpaceTransaction};

#[async_trait]
impl ConnectionTrait for Space {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        self.database().execute_raw(stmt).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.database().execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.database().query_one_raw(stmt).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.database().query_all_raw(stmt).await
    }
}

impl StreamTrait for Space {
    type Stream<'a> = SpaceStream;

    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    fn stream_raw(&self, stmt: Statement) -> BoxFuture<'_, Result<SpaceStream, DbErr>> {
        self.database().stream_raw(stmt)
    }
}

#[async_trait]
impl TransactionTrait for Space {
    type Transaction = SpaceTransaction;

    async fn begin(&self) -> Result<SpaceTransaction, DbErr> {
        self.database().begin().await
    }

    async fn begin_with_config(
        &self,
        isolation: Option<IsolationLevel>,
        access: Option<AccessMode>,
    ) -> Result<SpaceTransaction, DbErr> {
        self.database().begin_with_config(isolation, access).await
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<SpaceTransaction, DbErr> {
        self.database().begin_with_options(options).await
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c SpaceTransaction) -> BoxFuture<'c, Result<T, E>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        self.database().transaction(callback).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        isolation: Option<IsolationLevel>,
        access: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c SpaceTransaction) -> BoxFuture<'c, Result<T, E>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        self.database().transaction_with_config(callback, isolation, access).await
    }
}
