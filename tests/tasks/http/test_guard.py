"""Which URLs and addresses are let through. Every row is an attack or an honest need."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.fault import AUTHORIZATION, VALIDATION
from dirigent.tasks.http.failure import CallFailed
from dirigent.tasks.http.guard import embedded, is_declared, is_public, permit, target_of

METADATA = [
    "169.254.169.254",
    "fd00:ec2::254",
    "168.63.129.16",
    "100.100.100.200",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::a9fe:a9fe",
]
NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.0.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.1.1",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:0:a00:1::",
    "2001:0:808:808:0:0:f5ff:fffe",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]


def refused(url, hosts=()):
    with pytest.raises(CallFailed) as failed:
        target_of(url, hosts)
    return failed.value.fault


def denied(target, *addresses):
    with pytest.raises(CallFailed) as failed:
        permit(target, addresses)
    return failed.value.fault


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address):
    assert permit(target_of("https://api.example/", ()), [address]) == (address,)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_another_address_is_allowed_only_for_a_declared_host(address):
    fault = denied(target_of("https://api.example/", ()), address)
    assert (fault.type, fault.status) == (AUTHORIZATION, 403)
    assert "declare `api.example:443` under `policy.http.hosts`" in fault.detail
    assert permit(target_of("https://api.example/", ["api.example"]), [address])


@pytest.mark.parametrize("address", METADATA)
def test_a_metadata_address_is_never_allowed(address):
    for hosts in ((), ("api.example",)):
        assert "metadata" in denied(target_of("https://api.example/", hosts), address).detail


@pytest.mark.parametrize(
    "host", ["metadata.google.internal", "METADATA.google.internal.", "metadata", "metadata.goog"]
)
def test_a_metadata_name_is_never_allowed(host):
    assert "metadata" in refused(f"http://{host}/", [host, "metadata"]).detail


def test_every_address_of_a_name_must_be_allowed():
    target = target_of("https://api.example/", ())
    assert "`10.0.0.1`" in denied(target, "8.8.8.8", "10.0.0.1").detail
    assert "`fe80::1%eth0`" in denied(target, "fe80::1%eth0").detail
    assert denied(target, "not an address").type == AUTHORIZATION


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://127.0.0.256/",
        "https://1.2.3.4.5/",
        "https://0xA9FEA9FE/",
        "https://127.0.0.0x1/",
        "https://127.1./",
    ],
)
def test_an_odd_spelling_of_an_address_is_refused_even_when_declared(url):
    assert refused(url, [url.split("/")[2]]).type == AUTHORIZATION


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://127.0.0.1/", "127.0.0.1"),
        ("https://127.0.0.1./", "127.0.0.1"),
        ("https://\uff11\uff12\uff17.0.0.1/", "127.0.0.1"),
        ("https://127\u30020\u30020\u30021/", "127.0.0.1"),
        ("https://\u2460\u2461\u2466.0.0.1/", "127.0.0.1"),
        ("https://[::1]/", "::1"),
        ("https://[0:0:0:0:0:ffff:7f00:1]/", "::ffff:7f00:1"),
        ("https://LOCALHOST/", "localhost"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://Bücher.Example:8443/", "xn--bcher-kva.example"),
        ("https://a_b.example/", "a_b.example"),
    ],
)
def test_a_host_is_checked_in_the_form_in_which_it_is_connected_to(url, host):
    target = target_of(url, ())
    assert target.host == host
    assert target.url.host == host if ":" in host else target.url.raw_host == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https:///path",
        "https://",
        "https://a b/",
        "https://a.example/\r\nX: 1",
        "https://a.example\\@b.example/",
        "https://a.example\t/",
        "https://\x00a.example/",
        "https://joe@a.example/",
        "https://joe:pw@a.example/",
        "https://a.example:0/",
        "https://a.example:99999/",
        "https://a.example:x/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[v1.x]/",
        "https://a..example/",
        "https://.a.example/",
        "https://-/",
        "https://a%2eexample/",
        "https://a.example" + "/x" * 9000,
        "https://" + "ü" * 300 + ".example/",
    ],
)
def test_what_is_no_plain_url_is_refused(url):
    assert refused(url).type in {VALIDATION, AUTHORIZATION}


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/", "gopher://a/", "//a.example/", "a.example/x", "ws://a/"]
)
def test_another_scheme_is_refused(url):
    assert refused(url, ["a.example", "a"]).type == AUTHORIZATION


def test_plain_http_goes_to_declared_hosts_only():
    fault = refused("http://api.example/x")
    assert fault.type == AUTHORIZATION
    assert "declare `api.example:80` under `policy.http.hosts`" in fault.detail
    assert target_of("http://api.example/x", ["api.example"]).declared


@pytest.mark.parametrize(
    ("host", "port", "entry", "declared"),
    [
        ("a.example", 80, "a.example", True),
        ("a.example", 80, "A.Example.", True),
        ("a.example.", 80, "a.example", True),
        ("a.example", 80, "a.example:80", True),
        ("a.example", 81, "a.example:80", False),
        ("b.a.example", 80, "a.example", False),
        ("a.example.evil", 80, "a.example", False),
        ("::1", 80, "::1", True),
        ("::1", 80, "[::1]", True),
        ("::1", 80, "[::1]:80", True),
        ("::1", 81, "[::1]:80", False),
        ("a.example", 80, "", False),
        ("xn--bcher-kva.example", 80, "bücher.example", True),
        ("xn--bcher-kva.example", 80, "Bücher.example:80", True),
        ("xn--bcher-kva.example", 81, "bücher.example:80", False),
        ("a.example", 80, "ü b", False),
    ],
)
def test_a_declared_host_is_compared_whole(host, port, entry, declared):
    assert is_declared(host, port, [entry]) is declared


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://a.example:443/x", "https://a.example/x"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ("https://[::1]", "https://[::1]/"),
    ],
)
def test_the_port_and_the_brackets_stand_where_they_belong(url, sent):
    target = target_of(url, ())
    assert str(target.url) == sent
    assert target.url.port == target.port


def test_the_path_and_query_go_as_they_were_written():
    url = target_of("https://a.example/a%2Fb/ü/../c?x=%2C,+&y=ä#part", ()).url
    assert url.raw_path_qs == "/a%2Fb/%C3%BC/../c?x=%2C,+&y=%C3%A4"
    assert target_of("https://a.example", ()).url.raw_path_qs == "/"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_like_itself(inner):
    for outer in (f"::ffff:{inner}", f"64:ff9b::{inner}", f"::{inner}"):
        assert inner in embedded(IPv6Address(outer))
    if not is_public(inner):
        assert denied(target_of("https://a.example/", ()), f"64:ff9b::{inner}").type == AUTHORIZATION


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(max_size=40))
def test_any_text_is_a_target_or_a_refusal(text):
    for url in (text, f"https://{text}/", f"https://a.example/{text}"):
        try:
            target = target_of(url, ())
        except CallFailed:
            continue
        assert target.url.raw_host == target.host
        assert target.host == target.host.lower()
        assert target.host.isascii()


def test_ordinary_addresses_hold_no_other():
    assert embedded(IPv4Address("8.8.8.8")) == ()
    assert embedded(IPv6Address("2606:4700::1")) == ()
