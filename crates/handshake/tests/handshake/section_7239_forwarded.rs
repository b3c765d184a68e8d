//! RFC 7239: who sent a request to each proxy, read from the right; and the older field of the same use.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use longwire_handshake::{FieldSlots, Request};
use proptest::prelude::*;

/// What is told by these fields, each as its text, by whichever of the two readers.
fn told(name: &str, values: &[impl AsRef<[u8]>]) -> Vec<String> {
    let mut head = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for value in values {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_ref());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    let mut slots = FieldSlots::new();
    let request = Request::parse(&head, &mut slots).expect("a head");
    let addresses: Vec<SocketAddr> = match name {
        "Forwarded" => request.forwarded_for().collect(),
        _ => request.x_forwarded_for().collect(),
    };
    addresses.iter().map(SocketAddr::to_string).collect()
}

#[test]
fn forwarded_is_read_from_the_right_up_to_what_is_no_address() {
    let cases: &[(&str, &[&str])] = &[
        ("for=192.0.2.43", &["192.0.2.43:0"]),
        ("For=192.0.2.43;proto=http;By=203.0.113.43", &["192.0.2.43:0"]),
        ("proto=http; for=192.0.2.43 ; by=_us", &["192.0.2.43:0"]),
        ("for=192.0.2.43, for=198.51.100.17", &["198.51.100.17:0", "192.0.2.43:0"]),
        ("for=192.0.2.43,, ,for=198.51.100.17,", &["198.51.100.17:0", "192.0.2.43:0"]),
        ("for=\"192.0.2.43:47011\"", &["192.0.2.43:47011"]),
        ("for=\"[2001:db8:cafe::17]:4711\"", &["[2001:db8:cafe::17]:4711"]),
        ("for=\"[2001:db8:cafe::17]\"", &["[2001:db8:cafe::17]:0"]),
        ("for=\"[::ffff:192.0.2.1]:9\"", &["192.0.2.1:9"]),
        ("for=\"192.0.2.43:_hidden\"", &["192.0.2.43:0"]),
        ("for=192.0.2.1;host=\"a,b;c\\\"d\", for=192.0.2.2;host=\"\\\\\"", &["192.0.2.2:0", "192.0.2.1:0"]),
        (";for=192.0.2.1;;", &["192.0.2.1:0"]),
        // Hidden, unknown, or nothing said.
        ("for=192.0.2.1, for=_hidden, for=192.0.2.2", &["192.0.2.2:0"]),
        ("for=192.0.2.1, for=unknown, for=192.0.2.2", &["192.0.2.2:0"]),
        ("for=192.0.2.1, by=192.0.2.9, for=192.0.2.2", &["192.0.2.2:0"]),
        ("for=unknown", &[]),
        ("", &[]),
        // Not as the RFC has it.
        ("192.0.2.1", &[]),
        ("for=", &[]),
        ("for=\"\"", &[]),
        ("for=192.0.2.1:80", &[]),
        ("for=[2001:db8::1]", &[]),
        ("for=\"2001:db8::1\"", &[]),
        ("for=\"[192.0.2.1]\"", &[]),
        ("for=\"[2001:db8::1%1]\"", &[]),
        ("for=\"[2001:db8::1]80\"", &[]),
        ("for=\"192.0.2.1:\"", &[]),
        ("for=\"192.0.2.1:+80\"", &[]),
        ("for=\"192.0.2.1:65536\"", &[]),
        ("for=\"192.0.2.1:_\"", &[]),
        ("for=\"192.0.2.\\1\"", &[]),
        ("for=192.0.2.256", &[]),
        ("for=192.0.2.1;for=192.0.2.2", &[]),
        ("for =192.0.2.1", &[]),
        ("for=192.0.2.1 proto=http", &[]),
        ("for=192.0.2.1;proto", &[]),
        ("for=\"192.0.2.1\"x", &[]),
        ("for=192.0.2.1\\\"", &[]),
    ];
    for (value, wanted) in cases {
        assert_eq!(told("Forwarded", &[value]), *wanted, "{value}");
    }
}

#[test]
fn several_fields_are_one_list() {
    assert_eq!(told("Forwarded", &["for=192.0.2.1", "for=192.0.2.2"]), ["192.0.2.2:0", "192.0.2.1:0"]);
    assert_eq!(told("Forwarded", &["for=192.0.2.1", "for=\"", "for=192.0.2.2"]), ["192.0.2.2:0"]);
    assert_eq!(told("X-Forwarded-For", &["192.0.2.1, 192.0.2.2", "192.0.2.3"]).len(), 3);
}

#[test]
fn what_a_client_wrote_does_not_swallow_what_its_proxy_added() {
    for made_up in ["for=\"", "for=\"x, ", "x=\"\\", "for=192.0.2.66;x=\"", "\"", "for=192.0.2.66,,;=\"\\\"", ", , "] {
        for added in ["for=192.0.2.7", "for=\"192.0.2.7:0\"", "by=\"[::1]:80\";for=\"192.0.2.7\";host=\"a,b\""] {
            let told = told("Forwarded", &[format!("{made_up}, {added}")]);
            assert_eq!(told[0], "192.0.2.7:0", "{made_up}, {added}");
        }
    }
}

#[test]
fn x_forwarded_for_is_addresses_with_or_without_a_port() {
    let cases: &[(&str, &[&str])] = &[
        ("192.0.2.1", &["192.0.2.1:0"]),
        ("192.0.2.1, 198.51.100.2", &["198.51.100.2:0", "192.0.2.1:0"]),
        ("192.0.2.1:4711", &["192.0.2.1:4711"]),
        ("2001:db8::1,[2001:db8::2],[2001:db8::3]:80", &["[2001:db8::3]:80", "[2001:db8::2]:0", "[2001:db8::1]:0"]),
        ("::ffff:192.0.2.1", &["192.0.2.1:0"]),
        ("192.0.2.1, unknown, 192.0.2.2", &["192.0.2.2:0"]),
        ("192.0.2.1, \"192.0.2.2\"", &[]),
        ("192.0.2.1 192.0.2.2", &[]),
        ("fe80::1%eth0", &[]),
        ("www.example.org", &[]),
        ("", &[]),
        (" , ,", &[]),
    ];
    for (value, wanted) in cases {
        assert_eq!(told("X-Forwarded-For", &[value]), *wanted, "{value}");
    }
}

#[test]
fn the_work_is_linear() {
    let began = Instant::now();
    for unit in ["\\", "\"", "\\\"", "for=192.0.2.1,", "for=\"\\\\\",", "=", ";", ",", "for=192.0.2.1;"] {
        let value = unit.repeat((1 << 20) / unit.len());
        told("Forwarded", &[&value]);
        told("X-Forwarded-For", &[&value]);
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

proptest! {
    /// Two proxies that keep to the RFC are understood, whatever a client has written before.
    #[test]
    fn what_proxies_add_is_read_whatever_stands_before(
        made_up in "[\\x20-\\x7e\\t\\x{80}-\\x{ff}]{0,40}",
        first: SocketAddr,
        second: SocketAddr,
    ) {
        let as_told = |mut address: SocketAddr| {
            address.set_ip(address.ip().to_canonical());
            address.to_string()
        };
        let node = |address: SocketAddr| SocketAddr::new(address.ip(), address.port()).to_string();
        let (first, second) = (node(first), node(second));
        let list = format!("{made_up}, for=\"{first}\";proto=http, by=\"_a\";for=\"{second}\"");
        let heard = told("Forwarded", &[list]);
        let wanted = [&second, &first].map(|address| as_told(address.parse().unwrap()));
        prop_assert_eq!(&heard[..2], &wanted);

        let heard = told("X-Forwarded-For", &[format!("{made_up}, {first}, {second}")]);
        prop_assert_eq!(&heard[..2], &wanted);
    }

    #[test]
    fn no_bytes_make_it_panic(value in prop::collection::vec(prop::sample::select(b"for=\"\\,;[]:.1a_ \t\xff".to_vec()), 0..60)) {
        told("Forwarded", &[&value]);
        told("X-Forwarded-For", &[&value]);
    }
}
