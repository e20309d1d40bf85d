"""What libraries say of TLS, as problems; and credentials that do not leave over a line without it."""

import asyncio
import ssl
from contextlib import suppress
from importlib.machinery import ModuleSpec

import pytest

from dirigent.model.fault import CONFIGURATION
from dirigent.model.problem import Refusal
from dirigent.model.stack import Identity, Network
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.tls import pem
from dirigent.tasks.http.tls.handshake import problem_of, refused_tls
from dirigent.tasks.http.tls.pem import Pem, machine_authorities, pem_of
from dirigent.tasks.http.tls.trust import Trust, wants_tls
from tasks.certificates import PHRASE, written
from tasks.http.loopback import vault_of
from tasks.tls.stages import asyncapi_stage

VERIFY = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {} (_ssl.c:1006)"
BORING = "last error: ipv4:127.0.0.1:1: Tls handshake failed: error:1000007d:SSL routines:OPENSSL_internal:{}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return written(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (VERIFY.format("self-signed certificate in certificate chain"), "E7100"),
        (VERIFY.format("unable to get local issuer certificate"), "E7100"),
        (BORING.format("CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate"), "E7100"),
        (VERIFY.format("Hostname mismatch, certificate is not valid for 'a.example'."), "E7101"),
        (VERIFY.format("IP address mismatch, certificate is not valid for '127.0.0.1'."), "E7101"),
        ("failed with error: UNAUTHENTICATED: Hostname Verification Check failed.", "E7101"),
        (VERIFY.format("certificate has expired"), "E7102"),
        (BORING.format("CERTIFICATE_VERIFY_FAILED: certificate is not yet valid: OK"), "E7102"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)", "E7103"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:2580)", "E7103"),
        ("[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] sslv3 alert certificate expired (_ssl.c:2580)", "E7103"),
        (BORING.format("SSLV3_ALERT_HANDSHAKE_FAILURE"), "E7103"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "E7104"),
    ],
)
@pytest.mark.parametrize("shown", [True, False])
def test_the_words_of_libraries_are_told_apart(words, code, shown):
    (problem,) = problem_of(words, "shop:443", shown=shown).problems
    assert problem.code == code
    assert "`shop:443`" in problem.message
    assert problem.help[0]


def test_the_remedy_for_a_refused_client_knows_whether_it_showed_anything():
    words = "tlsv13 alert certificate required"
    found = [problem_of(words, "shop:443", shown=shown).problems[0] for shown in (False, True)]
    assert "wants a certificate" in found[0].message
    assert "it answers `certificate required`" in found[0].message
    assert "still valid" in found[1].help[0]


@pytest.mark.parametrize("words", ["", "connection refused", "failed to connect to all addresses"])
def test_words_about_something_else_are_left_alone(words):
    assert problem_of(words, "shop:443", shown=False) is None
    assert refused_tls(OSError(words), "shop:443", shown=False) is None


def test_the_cause_is_found_behind_other_errors_even_in_a_circle():
    inner = ssl.SSLError("tlsv1 alert unknown ca")
    outer = ConnectionError("gone")
    outer.__cause__ = RuntimeError(inner)
    inner.__context__ = outer
    failure = refused_tls(outer, "shop:443", shown=True)
    assert "E7103" in failure.fault.detail
    assert not failure.sent


def trusting(keys, identity=None, authorities="ca.pem"):
    identities = {} if identity is None else {"127.0.0.1": identity}
    network = Network(authorities=authorities, identities=identities, tls=("127.0.0.1:7",))
    return Trust(network, str(keys), vault_of(phrase=PHRASE))


TARGET = Client(["127.0.0.1:7"]).target("https://127.0.0.1:7/")


def test_a_client_with_tls_of_its_own_gets_texts_and_an_open_key(keys):
    found = pem_of(trusting(keys, Identity("client.pem", "client.locked", "phrase")), TARGET)
    assert found.authorities.endswith((keys / "ca.pem").read_bytes())
    assert found.authorities.startswith(machine_authorities())
    assert found.key == (keys / "client.key").read_bytes()
    both = pem_of(trusting(keys, Identity("client.both")), TARGET)
    assert both.key == both.certificate == (keys / "client.both").read_bytes()


def test_a_key_that_is_open_already_stays_as_it_is(keys):
    found = pem_of(trusting(keys, Identity("client.pem", "client.key", "phrase")), TARGET)
    assert found.key == (keys / "client.key").read_bytes()


def test_without_a_stack_the_machine_alone_is_trusted():
    assert pem_of(None, TARGET) == Pem(machine_authorities() or None)


def test_a_locked_key_without_its_package_says_what_to_install(keys, monkeypatch):
    identity = Identity("client.pem", "client.locked", "phrase")

    def absent(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(pem, "find_spec", absent)
    with pytest.raises(Refusal, match="E7105"):
        pem_of(trusting(keys, identity), TARGET)


def test_a_stack_says_which_servers_speak_tls(keys):
    trust = trusting(keys)
    assert wants_tls(trust, "127.0.0.1", 7)
    assert not wants_tls(trust, "127.0.0.1", 8)
    assert not wants_tls(None, "127.0.0.1", 7)


INFO = b'INFO {"version":"2.9.10","headers":true,"auth_required":true,"max_payload":1048576}\r\n'


@pytest.mark.parametrize("protocol", ["natss", "nats"])
@pytest.mark.parametrize("username", ["a", ""])
def test_no_credential_goes_to_a_server_of_nats_that_leaves_tls_out(protocol, username, tmp_path):
    """Whoever sits in between can leave it out of the first line, which is in plain text."""
    heard, answering = bytearray(), []

    async def answer(reader, writer):
        answering.append(asyncio.current_task())
        writer.write(INFO)
        with suppress(ConnectionError):
            while piece := await reader.read(1024):
                heard.extend(piece)
                if b"PING" in piece:
                    writer.write(b"-ERR 'enough'\r\n")
        writer.close()

    async def play():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        stage = asyncapi_stage(tmp_path, protocol, server.sockets[0].getsockname()[1])
        basic = {"scheme": "basic", "username": username, "password": "s3cret-pass", "token": None}
        bearer = {"scheme": "bearer", "token": "s3cret-pass", "username": None, "password": None}
        try:
            given = {"authentication": basic if username else bearer}
            return await stage.call(authorities="", **given)
        finally:
            server.close()
            await server.wait_closed()
            await asyncio.gather(*answering)

    outcome = asyncio.run(play())
    if protocol == "nats":
        assert b"s3cret-pass" in heard, "the control: in plain text it is sent"
        return
    assert b"s3cret" not in heard
    assert "E7104" in outcome.fault.detail
    assert outcome.fault.type != CONFIGURATION
