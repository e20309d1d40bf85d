"""The network as it is: TLS on loopback, and what a server may do to who asks it."""

import pytest

from dirigent.app.protocols.supply import GuardedWeb
from dirigent.app.stacks import Surrounding
from dirigent.model import limits
from dirigent.model.stack import Network, ProviderSetup, Stack
from dirigent.providers.tofu.finding.places import places_of
from dirigent.providers.tofu.finding.web.asking import Unreachable
from dirigent.settings import Settings
from providers.tofu.finding.registry import Pages
from providers.tofu.finding.serving import served
from stores.samples import in_loop
from tasks import certificates

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    certificates.written(folder)
    return folder


@pytest.fixture
def pages():
    return Pages()


@pytest.fixture
def host(pages, keys):
    with served(pages, keys) as place:
        yield place


def web_of(tmp_path, keys, host, environ=None, **network):
    network = Network(authorities=str(keys / "ca.pem"), **network)
    setup = ProviderSetup("thing", f"{host}/acme/thing")
    stack = Stack("demo", str(tmp_path), network=network, providers={"thing": setup})
    around = Surrounding(Settings(tmp_path / "state"), tmp_path, stack)
    return GuardedWeb(around, environ or {}, places_of(tmp_path, environ or {}))


@in_loop
async def test_pages_and_archives_are_had_also_where_they_have_moved(tmp_path, keys, host, pages):
    pages.lay(f"https://{host}/a", b"/b", 302)
    pages.lay(f"https://{host}/b", b"content")
    web = web_of(tmp_path, keys, host)
    answer = await web.get(f"https://{host}/a")
    assert (answer.status, answer.body, answer.url) == (200, b"content", f"https://{host}/b")
    assert await web.fetch(f"https://{host}/a", tmp_path / "file") == 200
    assert (tmp_path / "file").read_bytes() == b"content"
    assert await web.fetch(f"https://{host}/c", tmp_path / "none") == 404
    assert not (tmp_path / "none").exists()


@in_loop
async def test_a_token_goes_to_its_host_alone(tmp_path, keys, host, pages):
    pages.lay(f"https://{host}/a", b"content")
    await web_of(tmp_path, keys, host, {"TF_TOKEN_127_0_0_1": "s3cret"}).get(f"https://{host}/a")
    await web_of(tmp_path, keys, host, {"TF_TOKEN_127_0_0_2": "s3cret"}).get(f"https://{host}/a")
    await web_of(tmp_path, keys, host, {"TF_TOKEN_127_0_0_1": "s3cret"}).fetch(
        f"https://{host}/a", tmp_path / "x"
    )
    assert [token for _, token in pages.asked] == ["Bearer s3cret", None, None]


def leads_to(where):
    return lambda pages, host: pages.lay(f"https://{host}/a", where.format(host=host).encode(), 302)


def answers(content, status=200):
    return lambda pages, host: pages.lay(f"https://{host}/a", content, status)


FAULTS = {
    "a loop": (leads_to("/a"), "redirects more than 5 times"),
    "plain http": (leads_to("http://{host}/a"), "https alone"),
    "a file": (leads_to("file:///etc/passwd"), "https alone"),
    "metadata": (leads_to("https://169.254.169.254/x"), "always refused"),
    "another private host": (leads_to("https://127.0.0.2:1/x"), "policy.http.hosts"),
    "too much": (answers(bytes(2000)), "more than 1000 bytes"),
    "breaks off": (answers(b"content", 206), "breaks off|closed the conn"),
}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(limits, "PROVIDER_LIST_BYTES", 1000)
    monkeypatch.setattr(limits, "PROVIDER_ARCHIVE_BYTES", 1000)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("small")
@in_loop
async def test_a_server_that_means_harm_is_left(tmp_path, keys, host, pages, fault):
    plant, words = FAULTS[fault]
    plant(pages, host)
    web = web_of(tmp_path, keys, host)
    with pytest.raises(Unreachable, match=words):
        await web.get(f"https://{host}/a")
    with pytest.raises(Unreachable, match=words):
        await web.fetch(f"https://{host}/a", tmp_path / "x")
    assert len(pages.asked) <= 2 * (limits.HTTP_REDIRECTS + 1)


@in_loop
async def test_a_certificate_of_a_stranger_and_a_closed_door_are_named(tmp_path, keys, pages):
    with served(pages, keys, "stranger") as host, pytest.raises(Unreachable, match="certificate"):
        await web_of(tmp_path, keys, host).get(f"https://{host}/a")
    nobody = "127.0.0.1:1"
    with pytest.raises(Unreachable, match="refused the connection"):
        await web_of(tmp_path, keys, nobody).get(f"https://{nobody}/a")
