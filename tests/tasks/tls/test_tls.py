"""TLS of every protocol, each with a server of its own: whom calls trust, what they show, how they fail."""

import pytest

from dirigent.model.fault import COMMUNICATION, CONFIGURATION
from dirigent.model.run.effect import Done
from dirigent.model.stack import Identity
from tasks.certificates import written
from tasks.tls.stages import STAGES, played

pytestmark = pytest.mark.slow

OURS = Identity("client.pem", "client.key")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return written(tmp_path_factory.mktemp("keys"))


@pytest.fixture(params=STAGES)
def protocol(request):
    return request.param


def called(protocol, keys, identity=None, *, server="server", demands=False, **more):
    return played(protocol, keys, lambda stage: stage.call(identity, **more), server=server, demands=demands)


def refused(outcome, code, words):
    """Say that a call ended with this problem, with a remedy, and without a doubt."""
    fault = outcome.fault
    assert fault.type == COMMUNICATION
    assert code in fault.detail
    assert words in fault.detail
    assert not fault.doubtful, "a handshake that failed has carried nothing out"


def turned_away(protocol, outcome):
    """Return the code for a client that is not let in: gRPC, NATS and Kafka may keep the alert back."""
    silent = (
        protocol in {"grpc", "grpc itself", "natss", "kafka-secure"} and "E7103" not in outcome.fault.detail
    )
    return "E7104" if silent else "E7103"


def test_a_server_of_an_authority_of_the_stack_is_trusted(protocol, keys):
    outcome, _ = called(protocol, keys)
    assert isinstance(outcome, Done)


def test_an_authority_that_nobody_named_is_not_trusted(protocol, keys):
    outcome, came = called(protocol, keys, authorities="")
    refused(outcome, "E7100", "`policy.http.authorities`")
    assert came == []


def test_a_server_that_an_unknown_authority_vouches_for_is_not_trusted(protocol, keys):
    outcome, came = called(protocol, keys, server="stranger")
    refused(outcome, "E7100", "`policy.http.authorities`")
    assert came == []


def test_a_certificate_for_another_name_is_refused(protocol, keys):
    outcome, came = called(protocol, keys, server="elsewhere")
    refused(outcome, "E7101", "another name")
    assert came == []


@pytest.mark.parametrize("server", ["expired", "early"])
def test_a_certificate_outside_its_time_is_refused(protocol, keys, server):
    outcome, came = called(protocol, keys, server=server)
    refused(outcome, "E7102", "not valid today")
    assert came == []


def test_a_server_that_demands_a_certificate_does_not_let_us_in_without_one(protocol, keys):
    outcome, came = called(protocol, keys, demands=True)
    refused(outcome, turned_away(protocol, outcome), "`policy.http.certificates`")
    assert came == []


def test_a_server_that_demands_a_certificate_gets_ours(protocol, keys):
    outcome, _ = called(protocol, keys, OURS, demands=True)
    assert isinstance(outcome, Done)


def test_a_key_with_a_pass_phrase_is_opened_by_its_secret(protocol, keys):
    outcome, _ = called(protocol, keys, Identity("client.pem", "client.locked", "phrase"), demands=True)
    assert isinstance(outcome, Done)


def test_a_server_that_does_not_trust_our_certificate_does_not_let_us_in(protocol, keys):
    outcome, came = called(protocol, keys, Identity("stranger.pem", "stranger.key"), demands=True)
    refused(outcome, turned_away(protocol, outcome), "the server trusts")
    assert came == []


@pytest.mark.parametrize(
    "identity",
    [
        Identity("absent.pem"),
        Identity("client.pem", "client.locked", "wrong"),
    ],
    ids=["absent", "wrong phrase"],
)
def test_files_that_cannot_be_used_say_so_before_anything_is_sent(protocol, keys, identity):
    outcome, came = called(protocol, keys, identity, demands=True)
    assert outcome.fault.type == CONFIGURATION
    assert "E4123" in outcome.fault.detail
    assert "another phrase" not in outcome.fault.detail
    assert came == []


# The broker of Kafka in a thread waits for the rest of what it takes for a long message.
@pytest.mark.parametrize("protocol", [name for name in STAGES if name != "kafka-secure"])
def test_a_server_without_tls_is_not_spoken_to(protocol, keys):
    basic = {"scheme": "basic", "username": "a", "password": "s3cret-pass", "token": None}
    outcome, came = called(protocol, keys, server=None, authentication=basic)
    refused(outcome, "E7104", "TLS")
    assert came == []
