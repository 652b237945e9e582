//! What a space tells the application: one bounded stream of events. They are news, not data: everything in them
//! can be read from the database too.

mod stream;
mod sync_event;

pub(crate) use stream::EventSender;
pub use stream::Events;
pub use sync_event::SyncEvent;
