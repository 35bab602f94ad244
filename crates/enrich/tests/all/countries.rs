//! Countries by a file in MaxMind's format.
use safar_enrich::{Countries, CountryError};

#[path = "../../../testkit/src/mmdb.rs"]
mod mmdb;
use mmdb::database;

#[test]
fn networks_have_the_country_of_the_smallest_one_around_them() {
    let networks =
        [("203.0.113.0", 24, "PL"), ("198.51.100.0", 24, "is"), ("198.51.100.128", 25, "IR"), ("2001:db8::", 32, "SA")];
    let countries = Countries::new(database("Test-Country", &networks)).unwrap();
    for (address, code) in [
        ("203.0.113.7", Some("PL")),
        ("::ffff:203.0.113.7", Some("PL")),
        ("198.51.100.1", Some("IS")),
        ("198.51.100.200", Some("IR")),
        ("2001:db8:1::1", Some("SA")),
        ("192.0.2.1", None),
        ("2001:db9::1", None),
    ] {
        assert_eq!(countries.of(address.parse().unwrap()).as_deref(), code, "{address}");
    }
}

#[test]
fn other_files_are_refused_with_the_way_out() {
    let file = database("Test-Country", &[("203.0.113.0", 24, "PL")]);
    assert!(matches!(Countries::new(b"a page that says: log in first".to_vec()), Err(CountryError::Format(_))));
    assert!(matches!(Countries::new(file[..file.len() - 40].to_vec()), Err(CountryError::Format(_))));
    assert!(matches!(Countries::new(Vec::new()), Err(CountryError::Format(_))));
    let error = Countries::new(database("Test-ASN", &[("203.0.113.0", 24, "PL")])).unwrap_err();
    assert_eq!(error, CountryError::Kind("Test-ASN".to_owned()));
    assert!(error.to_string().contains("use a Country or a City database"));
}
