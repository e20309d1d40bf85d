"""The first line of a provider."""

import pytest

from dirigent.providers.tofu.process.complaints import evidence
from dirigent.providers.tofu.process.handshake import NoHandshake, read_handshake


@pytest.mark.parametrize(
    ("line", "version", "address"),
    [
        ("1|5|unix|/tmp/x.sock|grpc|\n", 5, "unix:/tmp/x.sock"),
        ("1|6|tcp|127.0.0.1:1234|grpc", 6, "127.0.0.1:1234"),
        ("1|6|unix|/tmp/x.sock|grpc|junk|true", 6, "unix:/tmp/x.sock"),
    ],
)
def test_a_line_says_where_it_listens(line, version, address):
    found = read_handshake(line)
    assert (found.version, found.address, found.certificate) == (version, address, b"")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "2|5|unix|x|grpc",
        "1|five|unix|x|grpc",
        "1|5|unix|x",
        "1|5|unix|x|netrpc",
        "1|5|pipe|x|grpc",
    ],
)
def test_anything_else_is_refused(line):
    with pytest.raises(NoHandshake):
        read_handshake(line)


def test_a_certificate_becomes_one_that_can_be_trusted():
    found = read_handshake("1|6|unix|x|grpc|" + "QUJD" * 20)
    assert found.certificate.startswith(b"-----BEGIN CERTIFICATE-----\nQUJD")
    with pytest.raises(NoHandshake):
        read_handshake("1|6|unix|x|grpc|" + "Q" * 61)


def test_a_panic_is_what_a_person_wants_to_see():
    text = b'{"@level":"debug","@message":"begun"}\npanic: nil map\n\ngoroutine 7 [running]:\nmain.f()\n'
    assert evidence(text) == "panic: nil map\ngoroutine 7 [running]:\nmain.f()"


def test_without_one_it_is_the_serious_complaints():
    text = (
        b'{"@level":"debug","@message":"begun"}\n{"@level":"error","@message":"no route"}\nplain words\n[1]\n'
    )
    assert evidence(text) == "no route\nplain words\n[1]"
