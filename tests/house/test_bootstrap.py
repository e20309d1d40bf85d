"""The bootstrap makes a working environment on a bare machine, and checks what it downloads."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("run.txt", "dev.txt", "build.txt", "pip.txt")
WHEEL = b"not really a wheel"
NAME = "pip-1.2-py3-none-any.whl"


@pytest.fixture
def bootstrap():
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "scripts" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def locks(bootstrap, tmp_path, monkeypatch):
    """A lock file for the pretended wheel."""
    folder = tmp_path / "locks"
    folder.mkdir()
    digest = sha256(WHEEL).hexdigest()
    (folder / "pip.txt").write_text(f"pip==1.2 \\\n    --hash=sha256:{digest}\n")
    monkeypatch.setattr(bootstrap, "LOCKS", folder)
    return folder


@contextmanager
def index(content=WHEEL):
    """A package index on loopback; yields its address and the headers it was sent."""
    seen = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, self.headers.get("Authorization")))
            page = (
                f'<a href="../files/pip-1.1-py3-none-any.whl">x</a><a href="../files/{NAME}#sha256=0">y</a>'
            )
            raw = page.encode() if self.path == "/simple/pip/" else content
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        server.server_close()


def test_the_pinned_wheel_is_taken_from_the_configured_index(bootstrap, locks, tmp_path, monkeypatch):
    with index() as (port, seen):
        monkeypatch.setenv("PIP_INDEX_URL", f"http://ana:s%20x@127.0.0.1:{port}/simple")
        wheel = bootstrap.wheel_of_index(tmp_path)
    assert (wheel.name, wheel.read_bytes()) == (NAME, WHEEL)
    sent = "Basic YW5hOnMgeA=="
    assert seen == [("/simple/pip/", sent), (f"/simple/files/{NAME}", sent)]


def test_a_wheel_with_another_hash_is_not_used(bootstrap, locks, tmp_path, monkeypatch, capsys):
    with index(b"something else") as (port, _):
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple/")
        assert bootstrap.wheel_of_index(tmp_path) is None
    assert "with the hash that requirements/pip.txt demands" in capsys.readouterr().out


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/simple", "file:///etc"])
def test_an_index_that_cannot_be_reached_is_named_as_the_reason(
    bootstrap, locks, tmp_path, monkeypatch, capsys, address
):
    monkeypatch.setenv("PIP_INDEX_URL", address)
    assert bootstrap.wheel_of_index(tmp_path) is None
    assert "the package index cannot be reached" in capsys.readouterr().out


def test_the_index_is_read_from_the_files_of_pip(bootstrap, tmp_path, monkeypatch):
    file = tmp_path / "pip.conf"
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    file.write_text("[global]\ntimeout = 3\n")
    assert bootstrap.configured_index() is None
    file.write_text("[global]\nindex-url = http://127.0.0.1/simple\n")
    assert bootstrap.configured_index() == "http://127.0.0.1/simple"


def test_a_machine_without_a_python_that_is_new_enough_is_told_so(bootstrap, tmp_path, monkeypatch, capsys):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PYTHON", str(old))
    monkeypatch.setenv("DIRIGENT_VENV", str(tmp_path / "venv"))
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "run"])
    assert bootstrap.main() == 1
    said = capsys.readouterr().err
    assert "no Python 3.11 or newer" in said
    assert "make PYTHON=" in said


def test_without_any_source_of_pip_the_remedy_is_said(bootstrap, tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "run", lambda *_: False)
    for source in ("wheel_of_system", "wheel_of_index", "wheel_of_debian"):
        monkeypatch.setattr(bootstrap, source, lambda _: None)
    with pytest.raises(bootstrap.Stop, match="python3-venv"):
        bootstrap.fetch_pip(tmp_path / "python")


def test_an_unknown_kind_is_a_mistake_in_use(bootstrap, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "everything"])
    assert bootstrap.main() == 2


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_index(name):
    text = (ROOT / "requirements" / name).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[^ ]+( ; [^\\]+)? \\\n", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in text


def test_the_locks_agree_with_each_other_and_with_the_project():
    pinned = {}
    for name in LOCKS[:2]:
        lines = (ROOT / "requirements" / name).read_text().splitlines()
        pinned[name] = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", "\n".join(lines), re.MULTILINE))
    assert pinned["run.txt"].items() <= pinned["dev.txt"].items()
    build = (ROOT / "requirements" / "build.txt").read_text()
    backend = re.search(r'requires = \["([^"]+)"\]', (ROOT / "pyproject.toml").read_text())[1]
    assert f"{backend} \\" in build


@pytest.mark.slow
def test_a_python_that_cannot_put_pip_into_an_environment_is_enough(tmp_path):
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    for name in ("ensurepip", "virtualenv"):
        (blocked / f"{name}.py").write_text("raise ImportError('not on this machine')\n")
    bare = tmp_path / "python3"
    bare.write_text(f'#!/bin/sh\nPYTHONPATH="{blocked}" exec "{sys._base_executable}" "$@"\n')
    bare.chmod(0o755)
    environment = {**os.environ, "PYTHON": str(bare), "DIRIGENT_VENV": str(tmp_path / "venv")}
    command = [sys._base_executable, str(ROOT / "scripts" / "bootstrap.py"), "run"]
    first = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "making it without" in first.stdout
    assert "pip comes from" in first.stdout
    imported = "import aiohttp, click, dirigent, jq, jsonschema_rs, msgspec, yaml"
    subprocess.run([tmp_path / "venv" / "bin" / "python", "-c", imported], check=True)
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (0, "")
