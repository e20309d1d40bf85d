"""No byte that we write holds a secret, whatever a provider says of it; and no provider brings us down."""

import base64
import os
import sys
from contextlib import contextmanager
from subprocess import PIPE, STDOUT, Popen

import pytest

from providers.hostile.leaker import MADE, OPENED
from system.conftest import forged
from system.rig.shop import Shop
from system.rig.smith import ROOT, until

pytestmark = pytest.mark.slow
SECRETS = {"API_KEY": "canary-of-the-configuration", "API_TOKEN": "canary-of-the-provider"}
COMPUTED = "canary-computed-from-the-stack"
WRITTEN = "canary-of-a-write-only-attribute"
CANARIES = (*SECRETS.values(), MADE, COMPUTED, OPENED, WRITTEN)
STACK = """
stack: canary
secrets: {{key: {{env: API_KEY}}, token: {{env: API_TOKEN}}}}
providers:
  leaker: {{source: ./terraform-provider-leaker, with: {{token: "${{ $secrets.token }}"}}}}
  inner: {{of: leaker, with: {{token: '${{ "<\\($resources.login.password)>" }}'}}}}
resources:
  thing:
    type: leaker_thing
    with: {{name: no-secret-at-all, size: {size}, key: "${{ $secrets.key }}", open: "${{ $secrets.key }}"}}
  login: {{open: leaker_login, with: {{user: "${{ $secrets.key }}"}}}}
  inside:
    type: leaker_thing
    provider: inner
    with: {{name: inside, size: {size}, once: "${{ $resources.login.password }}"}}
  written:
    type: leaker_thing
    with: {{name: written, size: {size}, once: '${{ "canary-of-a-write" + "-only-attribute" }}'}}
  other:
    type: leaker_thing
    with: {{name: other, size: {size}, key: '${{ "canary-computed" + "-from-the-stack" }}'}}
"""
# The thing has gone to a type that calls nothing a secret.
MOVED = STACK.format(size=1).replace("  thing:\n    type: leaker_thing", "  copy:\n    type: leaker_copy")
MOVED += "moved: [{from: thing, to: copy}]\n"
FOUND = MOVED.replace("moved:", "  found: {type: leaker_thing, with: {name: found, size: 1}}\nmoved:")


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    with forged(tmp_path_factory.mktemp("forge")) as made:
        yield made


class Den(Shop):
    """A stack with a provider that cannot keep anything to itself."""

    said = b""

    @property
    def environment(self):
        """Return what commands see: where the program is that stands in place of a provider, too."""
        return {**SECRETS, "DIRIGENT_PROVIDER_LEAKER": str(self.folder / "terraform-provider-leaker")}

    def give(self, mode, *words):
        """Let the provider behave in a way while a command is given; return how it ended."""
        (self.folder / "mode").write_text(mode)
        verb = words[:2] if words[0] == "state" else words[:1]
        place = ("-C", str(self.folder))
        lived = self.forge.live(*verb, *place, *words[len(verb) :], environment=self.environment)
        type(self).said += f"{lived.out}{lived.err}".encode()
        assert "Traceback" not in lived.err, lived.err
        return lived

    def write(self, text):
        (self.folder / "stack.yaml").write_text(text)

    def declare(self, size):
        self.write(STACK.format(size=size))

    @contextmanager
    def serving(self):
        """An engine that plans for the commands; what it says is looked at as well."""
        with Popen(
            [sys.executable, "-m", "dirigent", "serve", "-C", str(self.folder)],
            env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT / "src")},
            stdout=PIPE,
            stderr=STDOUT,
        ) as engine:
            assert until((self.state / "engine.sock").exists)
            yield engine
            engine.terminate()
            type(self).said += engine.communicate()[0]

    def written(self):
        """Return every byte below the folder of the state, by file, and all output."""
        files = {str(each): each.read_bytes() for each in self.state.rglob("*") if each.is_file()}
        return {**files, "output": self.said}


@pytest.fixture
def den(tmp_path, forge):
    program = tmp_path / "terraform-provider-leaker"
    lines = [
        "#!/bin/sh",
        f"export PYTHONPATH={ROOT / 'src'}:{ROOT / 'tests'} LEAKER_FOLDER={tmp_path}",
        f"exec {sys.executable} -m providers.hostile.leaker",
    ]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)
    den = Den(tmp_path, forge)
    den.declare(1)
    return den


def forms(text):
    """Return what a text looks like when it is hidden badly."""
    plain = text.encode()
    return (plain, base64.b64encode(plain)[:-4], plain.hex().encode(), plain[::-1])


def found(written, texts):
    return [
        f"{text} in {name}"
        for name, content in written.items()
        for text in texts
        if any(form in content for form in forms(text))
    ]


def test_no_byte_holds_a_secret_whatever_a_provider_says_of_it(den):
    assert den.give("refuses", "plan").code
    assert den.give("lies", "plan").code
    assert den.give("shuts", "plan").code
    assert den.give("keeps", "plan").code
    assert not den.give("warns", "plan").code
    assert not den.give("warns", "plan", "--json").code
    assert den.give("says", "up", "--yes").code
    assert not den.give("warns", "up", "--yes").code
    assert not den.give("warns", "plan", "--full").code
    den.declare(2)
    assert den.give("panics", "up", "--yes").code
    assert den.give("says", "up", "--yes").code
    assert not den.give("calm", "up", "--yes").code
    for words in (("drift",), ("ps", "--all", "--json"), ("events",)):
        den.give("calm", *words)
    for run in den.runs():
        den.give("calm", "show", run.id, "--json")
    assert found(den.written(), CANARIES) == []
    # The scan does see what is no secret.
    seen = found(den.written(), ["no-secret-at-all"])
    assert any("dirigent.db" in each for each in seen)
    assert any("output" in each for each in seen)


def test_no_byte_holds_a_secret_of_what_is_moved_imported_or_brought_back(den):
    assert not den.give("calm", "up", "--yes").code
    den.write(MOVED)
    assert not den.give("warns", "plan").code
    assert not den.give("warns", "up", "--yes").code
    # Read and changed as what it now is.
    assert not den.give("warns", "plan", "--full").code
    den.write(MOVED.replace("size: 1", "size: 2"))
    assert not den.give("warns", "up", "--yes").code
    den.write(FOUND)
    assert den.give("refuses", "import", "found", "id of found", "--yes").code
    assert not den.give("warns", "import", "found", "id of found", "--yes").code
    assert not den.give("warns", "up", "--yes").code
    assert not den.give("warns", "rollback", "--yes").code
    assert not den.give("warns", "rollback", "--yes", "--to", "4").code
    for words in (("list",), ("show", "copy"), ("history", "copy"), ("show", "found", "--json")):
        den.give("warns", "state", *words)
    assert found(den.written(), CANARIES) == []


def test_no_byte_holds_a_secret_of_a_state_that_comes_back(den):
    assert not den.give("calm", "up", "--yes").code
    assert "E3048" in den.give("warns", "state", "export", str(den.folder / "state.json")).err
    den.write(STACK.format(size=1).replace("./terraform-provider-leaker", "example.com/acme/leaker"))
    assert not den.give("warns", "state", "export", str(den.folder / "state.json")).code
    # There it stands in clear, as its readers want it.
    left = (den.folder / "state.json").read_bytes()
    assert all(text.encode() in left for text in (SECRETS["API_KEY"], MADE, COMPUTED))
    # What was only opened is nobody's to manage.
    assert b"leaker_login" not in left
    den.state.rename(den.folder / "former")
    assert not den.give("warns", "state", "import", str(den.folder / "state.json"), "--yes").code
    assert not den.give("warns", "plan").code
    assert not den.give("warns", "up", "--yes").code
    former = {str(each): each.read_bytes() for each in (den.folder / "former").rglob("*") if each.is_file()}
    assert found({**former, **den.written()}, CANARIES) == []


def test_no_byte_holds_a_secret_of_what_an_engine_plans_and_carries_out(den):
    with den.serving():
        assert den.give("lies", "plan").code
        assert not den.give("warns", "plan").code
        assert den.give("says", "up", "--yes").code
        assert not den.give("warns", "up", "--yes").code
        den.declare(2)
        assert den.give("panics", "up", "--yes").code
        assert not den.give("warns", "up", "--yes").code
    assert found(den.written(), CANARIES) == []


@pytest.mark.parametrize(("mode", "code"), [("huge", "E4013"), ("floods", "")])
def test_a_provider_that_sends_too_much_fails_a_run_at_most(den, mode, code):
    lived = den.give(mode, "up", "--yes")
    assert code in lived.out + lived.err
    assert not den.forge.left()
