import asyncio
import os
import shutil
import stat
import uuid
from pathlib import Path

import pytest

from dirigent.model import fault, limits
from dirigent.model.ids import EffectId, Position, RunId
from dirigent.model.run.effect import Broken, Done, Order
from dirigent.model.values import SecretRef, SecretText
from dirigent.shim import attach
from dirigent.shim.attach import State
from dirigent.tasks.process import Surroundings
from dirigent.tasks.script import ScriptPerformer

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

LARGEST = limits.DOCUMENT_BYTES


class Open:
    """A vault without secrets."""

    def reveal(self, value):
        return value

    def redact(self, value):
        return value


@pytest.fixture
def around(tmp_path):
    return Surroundings(str(tmp_path / "spool"), str(tmp_path), {"PATH": os.environ["PATH"]}, 1.0)


def perform(around, request, identity=None):
    order = Order(RunId("r"), Position("/x"), 1, EffectId(identity or uuid.uuid4().hex), "script", request)
    return asyncio.run(ScriptPerformer(around, Open()).perform(order))


def test_python_gets_arguments_environment_and_input(around):
    code = "import sys, os\nprint(sys.argv[1:], os.environ['LEVEL'], sys.stdin.read(), 'ä')"
    request = {
        "language": "python",
        "code": code,
        "arguments": ["a b", 1],
        "environment": {"LEVEL": "x", "PYTHONIOENCODING": "utf-8"},
        "stdin": "in",
    }
    assert perform(around, request) == Done("['a b', '1'] x in ä\n")


def test_a_traceback_is_the_detail_of_the_fault(around):
    outcome = perform(around, {"language": "python", "code": "raise ValueError('no stock')"})
    assert (outcome.fault.type, outcome.fault.status) == (fault.RUNTIME, 500)
    assert outcome.fault.detail.endswith("ValueError: no stock")


def test_the_script_is_kept_for_the_owner_only(around):
    identity = uuid.uuid4().hex
    perform(around, {"language": "python", "code": "pass"}, identity)
    path = Path(around.spool, f"{identity}-1", "script.py")
    assert path.read_text() == "pass"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_script_may_lie_beside_the_stack(around):
    Path(around.folder, "my job.py").write_text("print('from a file')")
    for source in ({"endpoint": "my%20job.py"}, {"endpoint": {"uri": "my%20job.py"}}):
        assert perform(around, {"language": "python", "source": source}) == Done("from a file\n")


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"language": "python"}, "one of `code` and `source` must be given"),
        ({"language": "ruby", "code": "x"}, "`language` must be `python` or `js`, and is `ruby`"),
        ({"code": "x"}, "`language` must be `python` or `js`, and is missing"),
        ({"language": "python", "code": ""}, "`code` must be text"),
        ({"language": "python", "code": 3}, "`code` must be text, and is `3`"),
        ({"language": "python", "code": SecretText((SecretRef("a"),))}, "and is a secret ((secret a))"),
        ({"language": "python", "source": {"endpoint": "https://x/y.py"}}, "is not a local file"),
        ({"language": "python", "source": {"endpoint": "file://host/y.py"}}, "is not a local file"),
        ({"language": "python", "source": "none.py"}, "`none.py` cannot be read: No such file"),
        ({"language": "python", "source": "latin"}, "`latin` is not UTF-8 text"),
        ({"language": "python", "source": "big"}, f"`big` has {LARGEST + 1} bytes; the limit is {LARGEST}"),
    ],
)
def test_an_unfit_request_is_a_configuration_fault(around, request_, reason):
    Path(around.folder, "latin").write_bytes(b"\xff")
    Path(around.folder, "big").write_bytes(b"#" * (LARGEST + 1))
    identity = uuid.uuid4().hex
    outcome = perform(around, request_, identity)
    assert isinstance(outcome, Broken)
    assert (outcome.fault.type, outcome.fault.status) == (fault.CONFIGURATION, 400)
    assert reason in outcome.fault.detail
    assert attach.state(str(Path(around.spool, f"{identity}-1"))) is State.ABSENT


def test_javascript_without_node_says_what_to_install(around, tmp_path):
    bare = Surroundings(around.spool, around.folder, {"PATH": str(tmp_path)})
    outcome = perform(bare, {"language": "js", "code": "1"})
    assert outcome.fault.type == fault.CONFIGURATION
    assert "install Node.js" in outcome.fault.detail


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "console.log(process.argv.slice(2).join('+'), require('os').EOL.length)",
        "import os from 'node:os'\nconsole.log(process.argv.slice(2).join('+'), os.EOL.length)",
    ],
)
def test_javascript_runs_as_script_and_as_module(around, code):
    assert perform(around, {"language": "js", "code": code, "arguments": ["a", "-b"]}) == Done("a+-b 1\n")
