//! Opening, identity, migrations, and what a space answers, without any other device.

mod identity;
mod opening;
mod support;
