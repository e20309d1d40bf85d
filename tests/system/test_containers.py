"""Containers in a real runtime: a Docker of its own for these tests, with an image of busybox alone.

Skipped where no Docker can be started: it needs root, `dockerd` and a static `busybox`.
"""

import asyncio
import io
import os
import shutil
import signal
import subprocess
import tarfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest

from dirigent.model.run.effect import Broken, Done
from dirigent.tasks.container.runtime import Runtime
from storms.required import needs
from tasks.engine_api import performer_of
from tasks.test_container import NAME, order

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 60
IMAGE = "box:1"
TOOLS = ("sh", "cat", "echo", "sleep", "head", "touch", "test", "true")


def lacking():
    """Why no runtime can be started here, or None."""
    if os.geteuid() != 0:
        return "a Docker of our own needs root"
    for tool in ("dockerd", "containerd", "busybox"):
        if shutil.which(tool) is None:
            return f"`{tool}` is not installed"
    return None


def busybox():
    """Return a file system with busybox in it, as an archive."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(os.path.realpath(shutil.which("busybox")), "bin/busybox")
        for tool in TOOLS:
            link = tarfile.TarInfo(f"bin/{tool}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return content.getvalue()


async def imported(socket):
    """Wait until the runtime answers, give it the image, and return what keeps it from running one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connector = aiohttp.UnixConnector(socket)
            async with aiohttp.ClientSession(connector=connector) as session:
                url = f"http://docker/images/create?fromSrc=-&repo={IMAGE.replace(':', '&tag=')}"
                async with session.post(url, data=io.BytesIO(busybox())) as response:
                    await response.read()
                    break
        except (aiohttp.ClientError, OSError):
            if time.monotonic() > deadline:
                return "`dockerd` does not come up"
            await asyncio.sleep(0.05)
    with TemporaryDirectory() as folder:
        tried = await performer_of(Path(folder), socket).perform(order(command="true"))
    return None if tried == Done("") else f"`dockerd` cannot run a container here: {tried}"


@pytest.fixture(scope="module")
def docker():
    """The socket of a Docker that runs nothing but these tests."""
    needs("docker", lacking())
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        socket = f"{folder}/d.sock"
        command = [
            "dockerd",
            "--storage-driver=vfs",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
        ]
        command += [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
        with Path(folder, "log").open("wb") as log:
            daemon = subprocess.Popen([*command, "-H", f"unix://{socket}"], stdout=log, stderr=log)
        try:
            needs("docker", asyncio.run(imported(socket)))
            yield socket
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE_SECONDS)


def performed(folder, docker, **request):
    request.setdefault("lifetime", {"cleanup": "always"})
    return asyncio.run(performer_of(folder, docker).perform(order(**request)))


def test_a_container_runs_and_gives_what_it_wrote_and_how_it_ended(tmp_path, docker):
    found = performed(
        tmp_path,
        docker,
        command='echo "$1-$2"; echo "$KEY" >&2; exit 3',
        arguments=["a b", "$(touch /x)"],
        environment={"KEY": "k"},
        **{"return": "all"},
    )
    assert found == Done({"stdout": "a b-$(touch /x)\n", "stderr": "k\n", "code": 3})


def test_a_container_that_fails_is_a_fault(tmp_path, docker):
    found = performed(tmp_path, docker, command="echo no >&2; exit 4")
    assert isinstance(found, Broken)
    assert found.fault.detail == "exit code 4: no"


def test_standard_input_reaches_it_and_ends(tmp_path, docker):
    found = performed(tmp_path, docker, command="cat; echo .", stdin="ä" * 400)
    assert found == Done("ä" * 400 + ".\n")


def test_a_program_that_reads_little_of_much_input_ends_all_the_same(tmp_path, docker):
    assert performed(tmp_path, docker, command="head -c 3", stdin="abc" * 1_000_000) == Done("abc")


def test_a_folder_of_the_stack_is_seen_inside(tmp_path, docker):
    (tmp_path / "given").mkdir()
    performed(tmp_path, docker, command="echo it > /here/made", volumes={"./given": "/here"})
    assert (tmp_path / "given" / "made").read_text() == "it\n"


def test_an_image_that_is_nowhere_is_a_fault_with_the_words_of_the_runtime(tmp_path, docker):
    found = performed(tmp_path, docker, image="nowhere:1", pullPolicy="never")
    assert "No such image" in found.fault.detail


def test_the_next_engine_finds_a_container_again_and_one_that_is_stopped_ends(tmp_path, docker):
    (tmp_path / "shared").mkdir()
    waits = {
        "command": "touch /shared/begun; until test -e /shared/gate; do sleep 0.1; done; echo done",
        "volumes": {"./shared": "/shared"},
        "lifetime": {"cleanup": "always"},
    }

    async def begun(given):
        performing = asyncio.create_task(performer_of(tmp_path, docker).perform(given))
        await asyncio.to_thread(seen, tmp_path / "shared" / "begun")
        performing.cancel()
        await asyncio.gather(performing, return_exceptions=True)
        (tmp_path / "shared" / "begun").unlink()

    async def play():
        await begun(order(**waits))
        (tmp_path / "shared" / "gate").touch()
        found = await performer_of(tmp_path, docker).perform(order(doubtful=True, **waits))
        (tmp_path / "shared" / "gate").unlink()
        other = replace(order(**waits), id="f" * 32)
        await begun(other)
        await performer_of(tmp_path, docker).abandon(replace(other, doubtful=True))
        return found

    assert asyncio.run(play()) == Done("done\n")
    for name in (NAME, f"dirigent-{'f' * 32}-1"):
        assert asyncio.run(Runtime(docker).inspect(name)) is None


def seen(path):
    """Return when a file is there."""
    waiting = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if path.exists():
            return
        waiting.wait(0.01)
    raise AssertionError(f"{path.name} never came")


DOCUMENT = """\
document: {dsl: 1.0.3, namespace: tests, name: boxed, version: 1.0.0}
do:
  - boxed:
      run:
        container:
          image: box:1
          command: touch /shared/begun; until test -e /shared/gate; do sleep 0.1; done; echo "$1"
          arguments: ['${ .word }']
          volumes: {./shared: /shared}
          lifetime: {cleanup: always}
"""


def test_a_run_whose_engine_is_killed_ends_with_the_same_container(desk, docker, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker}")
    folder = desk.world.folder
    (folder / "shared").mkdir()
    (folder / "boxed.yaml").write_text(DOCUMENT)
    command = desk.start("run", "boxed.yaml", "--id", "boxed", "--input", "word=kept")
    seen(folder / "shared" / "begun")
    command.send(signal.SIGKILL)
    assert command.ended() == -signal.SIGKILL
    (folder / "shared" / "begun").unlink()
    (folder / "shared" / "gate").touch()
    again = desk.call("resume", "boxed", "--json")
    assert again.process.returncode == 0, again.told()
    assert "kept" in again.out
    assert not (folder / "shared" / "begun").exists(), "it was begun once"
