"""Client certificates and authorities of the stack: shown to their host, renewed, refused in words."""

import asyncio
import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dirigent.model.fault import COMMUNICATION, CONFIGURATION
from dirigent.model.run.effect import Broken, Done
from dirigent.model.stack import Identity, Network
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.trust import Trust
from tasks.http.loopback import SMALL, Loopback, nowhere, order_of, request_of, response, vault_of

PEM = serialization.Encoding.PEM
PHRASE = "open sesame, please"


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certified(name, key, issuer, issuer_key, *, authority=False):
    now = datetime.now(UTC)
    build = x509.CertificateBuilder().subject_name(name_of(name)).issuer_name(name_of(issuer))
    build = build.public_key(key.public_key()).serial_number(x509.random_serial_number())
    build = build.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
    build = build.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    build = build.add_extension(own, critical=False).add_extension(of_issuer, critical=False)
    if authority:
        others = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
        usage = dict.fromkeys(f"{others} encipher_only decipher_only".split(), False)
        build = build.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    return build.add_extension(names, critical=False).sign(issuer_key, hashes.SHA256())


def key_text(key, phrase=""):
    lock = serialization.NoEncryption()
    if phrase:
        lock = serialization.BestAvailableEncryption(phrase.encode())
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, lock)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A folder with an authority, a server and clients that it vouches for."""
    folder = tmp_path_factory.mktemp("keys")
    root = ec.generate_private_key(ec.SECP256R1())
    (folder / "ca.pem").write_bytes(certified("ca", root, "ca", root, authority=True).public_bytes(PEM))
    for name in ("server", "client", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / f"{name}.pem").write_bytes(certified(name, key, "ca", root).public_bytes(PEM))
        (folder / f"{name}.key").write_bytes(key_text(key))
        (folder / f"{name}.locked").write_bytes(key_text(key, PHRASE))
        (folder / f"{name}.both").write_bytes((folder / f"{name}.pem").read_bytes() + key_text(key))
    (folder / "rubbish.pem").write_text("not PEM")
    return folder


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
