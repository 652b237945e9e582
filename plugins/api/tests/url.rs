//! Plugin URLs: what is read, what is refused, what is never shown.

use sync_plugin::{ErrorKind, Result, Url};

#[test]
fn the_parts_of_a_url() -> Result<()> {
    let url = Url::parse("WS://user:pw@[::1]:4000/a%20b/ü?x=1&name=v%26w")?;
    assert_eq!(url.scheme(), "ws");
    assert_eq!(url.userinfo(), Some("user:pw"));
    assert_eq!((url.authority(), url.host(), url.port()?), ("[::1]:4000", "::1", Some(4000)));
    assert_eq!(url.path(), "/a b/ü");
    assert_eq!(url.parameters().collect::<Vec<_>>(), [("x", "1"), ("name", "v&w")]);
    assert_eq!((url.parameter("name"), url.parameter("y")), (Some("v&w"), None));

    let file = Url::parse("file:///path/to/folder")?;
    assert_eq!((file.authority(), file.path(), file.port()?), ("", "/path/to/folder", None));
    let name = Url::parse("memory://left")?;
    assert_eq!((name.authority(), name.path(), name.rest()), ("left", "", "left".to_owned()));
    assert_eq!(Url::parse("ws://[::1]")?.port()?, None);
    Ok(())
}

/// Found by fuzzing: `!` may stand unescaped and is written as `%21`, so that a long URL was shown in a form that is
/// not read.
#[test]
fn a_url_that_would_be_too_long_when_written_is_refused() -> Result<()> {
    let Err(error) = Url::parse(&format!("ws://{}", "!".repeat(4000))) else {
        panic!("it was accepted");
    };
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let longest = Url::parse(&format!("ws://{}", "!".repeat(1363)))?;
    assert_eq!(Url::parse(&longest.expose())?, longest);
    Ok(())
}

#[test]
fn what_is_no_url_is_refused() {
    let long = format!("ws://{}", "a".repeat(5000));
    let wrong = [
        "",
        "ws",
        "ws:",
        "ws:/host",
        "://host",
        "1ws://host",
        "w s://host",
        "ws://ho st",
        "ws://host\n",
        "ws://a\0b",
        "ws://host#fragment",
        "ws://host?novalue",
        "ws://host/%",
        "ws://host/%g0",
        "ws://host/%+1",
        "ws://host/%00",
        "ws://host/%ff",
        "ws://host?a=%0a",
        &long,
    ];
    for text in wrong {
        let refused = Url::parse(text).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::Configuration), "{text:?}");
    }
}

#[test]
fn wrong_ports_are_refused() -> Result<()> {
    for text in ["ws://h:", "ws://h:x", "ws://h:65536", "ws://h:+80", "ws://h:-1", "ws://h:٣"] {
        let refused = Url::parse(text)?.port().map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::Configuration), "{text:?}");
    }
    Ok(())
}

#[test]
fn secrets_are_neither_displayed_nor_debugged_nor_in_errors() -> Result<()> {
    let text = "ws://me:canary@host:1/p?token=canary&apiKey=canary&PASSWORD=canary&limit=3";
    let url = Url::parse(text)?;
    let hidden = "ws://***@host:1/p?token=***&apiKey=***&PASSWORD=***&limit=3";
    assert_eq!(url.to_string(), hidden);
    assert_eq!(format!("{url:?}"), format!("Url({hidden})"));
    assert_eq!(url.expose(), text);
    let Err(error) = Url::parse("ws://me:canary@host?token=canary#x") else { panic!("a fragment was read") };
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    Ok(())
}

#[test]
fn an_exposed_url_is_read_back() -> Result<()> {
    let urls = [
        "ws://host",
        "ws://host:80/",
        "ws://u@h/p?a=b&c=",
        "memory://ünïcode-名",
        "memory://a%20b%2Fc%3Fd%23e%25",
        "file:///a/b%20c?q=%26%3D%25",
        "ws://[::1]:1/x",
    ];
    for text in urls {
        let url = Url::parse(text)?;
        assert_eq!(Url::parse(&url.expose())?, url, "{text}");
    }
    let built =
        Url::parse("ws://host")?.with_authority("other:1").with_path("/ü %").with_parameter("a b", "c&d=e");
    assert_eq!(Url::parse(&built.expose())?, built);
    Ok(())
}

#[test]
fn no_text_makes_the_parser_panic_and_what_it_reads_it_reads_again() -> Result<()> {
    const LETTERS: [&str; 16] =
        ["w", "s", ":", "/", "//", "://", "?", "=", "&", "%", "2", "f", "@", "[", "ü", "%C3%BC"];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut read = 0;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = usize::try_from(state >> 40).unwrap_or(0) % LETTERS.len();
            text.push_str(LETTERS.get(at).copied().unwrap_or_default());
        }
        let text = format!("ws://{text}");
        if let Ok(url) = Url::parse(&text) {
            read += 1;
            assert_eq!(Url::parse(&url.expose())?, url, "{text}");
        }
    }
    assert!(read > 1000, "only {read} of 20,000 texts were URLs");
    Ok(())
}
