//! A device that does not keep to the rules: it drives the pure parts of the protocol by hand over a real link of a
//! plugin, says what no session would say, and signs what no engine would write. It knows what a member knows.

mod forger;
mod join_code;
mod line;
mod noise;
mod scene;
mod talk;

pub use forger::{Forger, Write, column, counted};
pub use join_code::JoinCode;
pub use line::Line;
pub use noise::Noise;
pub use scene::{Scene, refusals};
pub use talk::Talk;
