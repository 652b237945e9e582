//! Plugins are found by URL scheme; a duplicate or unknown scheme is an error that lists what exists.

use sync_plugin::{
    BoxLink, BoxListener, Capabilities, Context, ErrorKind, MAX_FRAME, PluginError, Registry, Result,
    Transport, TransportConfig, TransportFactory, TransportInfo, Url,
};

/// A transport that can only be described.
struct Nowhere {
    limit: usize,
}

struct NowhereConfig {
    limit: usize,
}

impl TransportConfig for NowhereConfig {
    type Transport = Nowhere;

    fn from_url(url: &Url) -> Result<Self> {
        url.expect_parameters(&["limit"])?;
        let limit = url.number("limit", 100, 1..=1000)?;
        Ok(Self { limit: usize::try_from(limit).unwrap_or(MAX_FRAME) })
    }

    fn build(self) -> Result<Nowhere> {
        Ok(Nowhere { limit: self.limit })
    }
}

impl Transport for Nowhere {
    type Link = BoxLink;
    type Listener = BoxListener;

    fn info(&self) -> TransportInfo {
        TransportInfo {
            scheme: "nowhere",
            capabilities: Capabilities { dial: true, listen: false, local_only: true },
            max_frame: self.limit,
        }
    }

    async fn dial(&self, _ctx: &Context, address: &Url) -> Result<BoxLink> {
        Err(PluginError::new(ErrorKind::Unreachable, "dial", address.to_string()))
    }

    async fn listen(&self, _ctx: &Context, _address: &Url) -> Result<BoxListener> {
        Err(PluginError::new(ErrorKind::Unsupported, "listen", "nowhere:// cannot listen"))
    }
}

sync_plugin::register_transport!("nowhere", NowhereConfig);

fn outcome<T>(result: Result<T>) -> Result<(), (ErrorKind, String)> {
    result.map(drop).map_err(|error| (error.kind(), error.to_string()))
}

#[test]
fn a_linked_plugin_is_found_by_scheme_and_reads_its_parameters() -> Result<()> {
    let registry = Registry::linked()?;
    assert_eq!(registry.schemes().collect::<Vec<_>>(), ["nowhere"]);
    let transport = registry.transport(&Url::parse("NOWHERE://x?limit=7")?)?;
    assert_eq!(transport.info().max_frame, 7);
    Ok(())
}

#[test]
fn an_unknown_scheme_lists_what_exists() -> Result<()> {
    let url = Url::parse("carrier-pigeon://roof")?;
    let expected = "find transport: unknown scheme: no transport for carrier-pigeon://; there are nowhere";
    assert_eq!(
        outcome(Registry::linked()?.transport(&url)),
        Err((ErrorKind::UnknownScheme, expected.to_owned()))
    );
    let expected =
        "find transport: unknown scheme: no transport for carrier-pigeon://; no transport plugin is linked";
    assert_eq!(
        outcome(Registry::new().transport(&url)),
        Err((ErrorKind::UnknownScheme, expected.to_owned()))
    );
    Ok(())
}

#[test]
fn a_second_claim_names_both_and_changes_nothing() -> Result<()> {
    let mut registry = Registry::new();
    register(&mut registry)?;
    let rival = TransportFactory::new::<NowhereConfig>("nowhere", "rival 9.9.9");
    let expected = format!(
        "register: duplicate scheme: nowhere:// is claimed by {} and by rival 9.9.9",
        FACTORY.origin()
    );
    assert_eq!(outcome(registry.register(rival)), Err((ErrorKind::DuplicateScheme, expected)));
    assert_eq!(registry.schemes().collect::<Vec<_>>(), ["nowhere"]);
    Ok(())
}

#[test]
fn a_scheme_that_is_none_is_refused() {
    for scheme in ["", "Upper", "with space", "1st", "ünï", "a://"] {
        let factory = TransportFactory::new::<NowhereConfig>(scheme, "test");
        let refused = outcome(Registry::new().register(factory)).map_err(|(kind, _)| kind);
        assert_eq!(refused, Err(ErrorKind::Configuration), "{scheme:?}");
    }
}

#[test]
fn wrong_parameters_say_which_exist() -> Result<()> {
    let registry = Registry::linked()?;
    for (text, says) in [
        ("nowhere://x?limits=7", "unknown parameter \"limits\" of nowhere://; there are: limit"),
        ("nowhere://x?limit=0", "limit=0 must be a number from 1 to 1000"),
        ("nowhere://x?limit=-1", "limit=-1 must be a number from 1 to 1000"),
        ("nowhere://x?limit=1&limit=2", "parameter \"limit\" stands twice"),
    ] {
        let expected = format!("configure: wrong configuration: {says}");
        assert_eq!(
            outcome(registry.transport(&Url::parse(text)?)),
            Err((ErrorKind::Configuration, expected)),
            "{text}"
        );
    }
    Ok(())
}
