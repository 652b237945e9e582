//! Finds transports by URL scheme. Nothing here overwrites: a scheme that is claimed twice is an error naming both.

use crate::{ErrorKind, PluginError, Result, SharedTransport, Transport, Url, share};
use std::collections::BTreeMap;
use std::fmt;

/// A transport's settings, read from a URL.
pub trait TransportConfig: Sized + Send + 'static {
    /// The transport that these settings build.
    type Transport: Transport;

    /// Reads the settings; [`ErrorKind::Configuration`] says which parameter is wrong and which exist.
    fn from_url(url: &Url) -> Result<Self>;

    /// Builds the transport; opens nothing.
    fn build(self) -> Result<Self::Transport>;
}

/// How to make a transport for URLs of one scheme.
#[derive(Clone, Copy)]
pub struct TransportFactory {
    scheme: &'static str,
    origin: &'static str,
    create: fn(&Url) -> Result<SharedTransport>,
}

impl TransportFactory {
    /// The factory that reads a `C` and builds its transport. `origin` says which crate this is, for messages.
    pub const fn new<C: TransportConfig>(scheme: &'static str, origin: &'static str) -> Self {
        Self { scheme, origin, create: |url| Ok(share(C::from_url(url)?.build()?)) }
    }

    /// The scheme it answers to, without `://`.
    pub const fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The crate it comes from.
    pub const fn origin(&self) -> &'static str {
        self.origin
    }
}

impl fmt::Debug for TransportFactory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TransportFactory({} from {})", self.scheme, self.origin)
    }
}

/// The factories of the plugins that are linked into this program; filled by
/// [`register_transport!`](crate::register_transport).
#[cfg(not(target_family = "wasm"))]
#[linkme::distributed_slice]
pub static LINKED_TRANSPORTS: [TransportFactory];

/// The transports that a program has, by URL scheme.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    transports: BTreeMap<&'static str, TransportFactory>,
}

impl Registry {
    /// A registry that knows nothing yet; for programs that register by hand.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry of every plugin that is linked into this program. Two plugins for one scheme are an error.
    ///
    /// On wasm, where nothing can be collected by the linker, it is empty: call each plugin's `register`.
    pub fn linked() -> Result<Self> {
        let mut registry = Self::new();
        #[cfg(not(target_family = "wasm"))]
        for factory in LINKED_TRANSPORTS {
            registry.register(*factory)?;
        }
        Ok(registry)
    }

    /// Adds a transport. A scheme that is not one is [`ErrorKind::Configuration`], a taken one
    /// [`ErrorKind::DuplicateScheme`]; the registry is unchanged then.
    pub fn register(&mut self, factory: TransportFactory) -> Result<()> {
        if !crate::url::is_scheme(factory.scheme) {
            let message = format!("{:?} of {} is not a URL scheme", factory.scheme, factory.origin);
            return Err(PluginError::new(ErrorKind::Configuration, "register", message));
        }
        if let Some(first) = self.transports.get(factory.scheme) {
            let message =
                format!("{}:// is claimed by {} and by {}", factory.scheme, first.origin, factory.origin);
            return Err(PluginError::new(ErrorKind::DuplicateScheme, "register", message));
        }
        self.transports.insert(factory.scheme, factory);
        Ok(())
    }

    /// The transport for `url`, with the settings in its parameters. An unknown scheme is
    /// [`ErrorKind::UnknownScheme`] and lists what exists.
    pub fn transport(&self, url: &Url) -> Result<SharedTransport> {
        let Some(factory) = self.transports.get(url.scheme()) else {
            let known: Vec<&str> = self.schemes().collect();
            let known = if known.is_empty() {
                "no transport plugin is linked".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            let message = format!("no transport for {}://; {known}", url.scheme());
            return Err(PluginError::new(ErrorKind::UnknownScheme, "find transport", message));
        };
        (factory.create)(url)
    }

    /// The schemes that have a transport, in order.
    pub fn schemes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.transports.keys().copied()
    }
}

/// Registers a transport under a URL scheme: `register_transport!("ws", Config)`, once in the crate's `lib.rs`.
///
/// `Config` implements [`TransportConfig`]. The macro puts a factory where [`Registry::linked`] finds it, and defines
/// `pub const FACTORY` and `pub fn register(&mut Registry)` for programs that register by hand.
#[macro_export]
macro_rules! register_transport {
    ($scheme:literal, $config:ty $(,)?) => {
        /// How the registry makes this transport.
        pub const FACTORY: $crate::TransportFactory = $crate::TransportFactory::new::<$config>(
            $scheme,
            ::core::concat!(::core::env!("CARGO_PKG_NAME"), " ", ::core::env!("CARGO_PKG_VERSION")),
        );

        /// Registers this transport by hand, where plugins are not collected by the linker.
        pub fn register(registry: &mut $crate::Registry) -> $crate::Result<()> {
            registry.register(FACTORY)
        }

        #[cfg(not(target_family = "wasm"))]
        #[expect(unsafe_code, reason = "linkme places the factory in a linker section of its own")]
        const _: () = {
            #[$crate::__private::linkme::distributed_slice($crate::__private::LINKED_TRANSPORTS)]
            #[linkme(crate = $crate::__private::linkme)]
            static LINKED: $crate::TransportFactory = FACTORY;
        };
    };
}
