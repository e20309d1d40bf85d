"""No byte that we write holds a secret, whatever a provider says of it; and no provider brings us down."""

import base64
import sys

import pytest

from providers.hostile.leaker import MADE, OPENED
from system.conftest import forged
from system.rig.shop import Shop
from system.rig.smith import ROOT

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


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    with forged(tmp_path_factory.mktemp("forge")) as made:
        yield made


class Den(Shop):
    """A stack with a provider that cannot keep anything to itself."""

    said = b""

    def give(self, mode, *words):
        """Let the provider behave in a way while a command is given; return how it ended."""
        (self.folder / "mode").write_text(mode)
        lived = self.live(words[0], *words[1:], environment=SECRETS)
        type(self).said += f"{lived.out}{lived.err}".encode()
        assert "Traceback" not in lived.err, lived.err
        return lived

    def declare(self, size):
        (self.folder / "stack.yaml").write_text(STACK.format(size=size))

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


@pytest.mark.parametrize(("mode", "code"), [("huge", "E4013"), ("floods", "")])
def test_a_provider_that_sends_too_much_fails_a_run_at_most(den, mode, code):
    lived = den.give(mode, "up", "--yes")
    assert code in lived.out + lived.err
    assert not den.forge.left()
