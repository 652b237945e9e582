//! Every trap of a SeaORM connection, tried. The hook takes a sequence number inside each transaction, so the
//! database itself says how many transactions it saw.

mod cancellation;
mod entities;
mod misuse;
mod statements;
mod support;
