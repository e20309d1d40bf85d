"""Client certificates and authorities of the stack: shown to their host, renewed, refused in words."""

import asyncio
import os
import ssl

import pytest

from dirigent.model.fault import COMMUNICATION, CONFIGURATION
from dirigent.model.run.effect import Broken, Done
from dirigent.model.stack import Identity, Network
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.tls.trust import Trust
from tasks.certificates import PHRASE, written
from tasks.http.loopback import SMALL, Loopback, nowhere, order_of, request_of, response, vault_of


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A folder with an authority, a server and clients that it vouches for."""
    return written(tmp_path_factory.mktemp("keys"))


def called(keys, identity=None, *, authorities="ca.pem", host="127.0.0.1", folder=None):
    """Call a server that wants a client certificate; return the outcome and what the server saw of it."""
    shown = []

    async def play():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "server.pem", keys / "server.key")
        context.load_verify_locations(keys / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        loopback = Loopback(lambda seen: response(200, "ok"))

        async def answer(reader, writer):
            subject = writer.get_extra_info("peercert")["subject"]
            shown.append(dict(part[0] for part in subject)["commonName"])
            await loopback.answer(reader, writer)

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        loopback.port = server.sockets[0].getsockname()[1]
        try:
            vault = vault_of(phrase=PHRASE, wrong="another phrase")
            identities = {} if identity is None else {host.replace("PORT", str(loopback.port)): identity}
            network = Network(authorities=authorities, identities=identities)
            client = Client([loopback.host], nowhere, SMALL, Trust(network, str(folder or keys), vault))
            request = request_of(f"https://127.0.0.1:{loopback.port}/")
            return await HttpPerformer(client, vault).perform(order_of(request))
        finally:
            server.close()
            await server.wait_closed()

    return asyncio.run(play()), shown


@pytest.mark.parametrize(
    "identity",
    [
        Identity("client.pem", "client.key"),
        Identity("client.pem", "client.locked", "phrase"),
        Identity("client.both"),
    ],
    ids=["plain", "with a pass phrase", "in one file"],
)
def test_a_certificate_is_shown_to_its_host(keys, identity):
    assert called(keys, identity) == (Done("ok"), ["client"])


def test_the_entry_with_the_port_comes_before_the_one_without(keys):
    assert called(keys, Identity("client.pem", "client.key"), host="127.0.0.1:PORT")[1] == ["client"]


def test_another_host_does_not_see_it(keys):
    outcome, shown = called(keys, Identity("client.pem", "client.key"), host="api.example")
    assert isinstance(outcome, Broken)
    assert outcome.fault.type == COMMUNICATION
    assert shown == []


def test_without_the_authority_the_server_is_not_trusted(keys):
    outcome, shown = called(keys, Identity("client.pem", "client.key"), authorities="")
    assert "certificate that is trusted" in outcome.fault.detail
    assert shown == []


@pytest.mark.parametrize(
    ("identity", "authorities"),
    [
        (Identity("absent.pem"), "ca.pem"),
        (Identity("rubbish.pem"), "ca.pem"),
        (Identity("client.pem", "other.key"), "ca.pem"),
        (Identity("client.pem", "client.locked"), "ca.pem"),
        (Identity("client.pem", "client.locked", "wrong"), "ca.pem"),
        (None, "rubbish.pem"),
        (None, "absent.pem"),
    ],
)
def test_files_that_cannot_be_used_say_so_and_nothing_is_sent(keys, identity, authorities):
    outcome, shown = called(keys, identity, authorities=authorities)
    assert outcome.fault.type == CONFIGURATION
    assert "E4123" in outcome.fault.detail
    assert "another phrase" not in outcome.fault.detail
    assert shown == []


def test_a_certificate_that_is_renewed_is_read_again(keys, tmp_path):
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).write_bytes((keys / name).read_bytes())
    network = Network(authorities="ca.pem", identities={"127.0.0.1": Identity("client.pem", "client.key")})
    trust = Trust(network, str(tmp_path), vault_of())
    target = Client(["127.0.0.1:9"]).target("https://127.0.0.1:9/")
    first = trust.context(target)
    assert trust.context(target) is first
    (tmp_path / "client.pem").write_bytes((keys / "other.pem").read_bytes())
    (tmp_path / "client.key").write_bytes((keys / "other.key").read_bytes())
    os.utime(tmp_path / "client.pem", ns=(1, 1))
    assert trust.context(target) is not first


def test_a_call_without_tls_has_nothing_to_do_with_it(keys):
    network = Network(authorities="rubbish.pem")
    target = Client(["127.0.0.1:9"]).target("http://127.0.0.1:9/")
    assert Trust(network, str(keys), vault_of()).context(target) is True
