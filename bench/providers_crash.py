"""Terraform and we, killed in the middle of an apply by one provider: what is forgotten, what is made twice.

    PYTHONPATH=src:tests python bench/providers_crash.py FOLDER [--objects 800] [--kills 7]

FOLDER is what `python scripts/binaries.py FOLDER` has filled. The provider is that of the crash tests: each
object is a file, each deed a line that is added to it. The host is killed once so many deeds are done; then
the same command is given again, once. Each deed takes 0.02 s. Terraform finds a provider that runs (it
wants certificates of one that it starts), so only Terraform itself is killed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PYTHON: Final = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "NO_COLOR": "1"}
SECONDS: Final = 0.02

Start = Callable[[], "subprocess.Popen[bytes]"]


def started(words: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a command whose output nobody reads."""
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=True,
    )


def deeds(folder: Path) -> int:
    """Return how many deeds are in the ledger of the provider."""
    place = folder / "world" / "ledger"
    return len(place.read_bytes().splitlines()) if place.exists() else 0


@dataclass(frozen=True)
class Found:
    """What was found at the kill, and when the same command had come to its end.

    `made`, `kept` and `size` are of the kill: objects in the world, objects that the tool knows of, bytes of
    its state file (None: it keeps none). `twice` and `forgotten` are of the end, as is `code`.
    """

    made: int
    kept: int
    size: int | None
    twice: int
    forgotten: int
    code: int


def killed(folder: Path, start: Start, after: int) -> None:
    """Kill a command, and all that it has started, once so many deeds are done.

    Terraform runs itself a second time: whoever kills the first of the two alone stops nothing.
    """
    process = start()
    while deeds(folder) < after and process.poll() is None:
        time.sleep(0.002)
    if process.poll() is not None:
        raise SystemExit(f"the command ended before its kill: {process.returncode}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def made_in(folder: Path) -> dict[str, int]:
    """Return how often each object that stands was made."""
    places = (folder / "world" / "made").iterdir()
    return {each.name: each.read_text().count("create ") for each in places}


def ours(folder: Path, objects: int, after: int) -> Found:
    """Kill one apply of ours."""
    program = folder / "terraform-provider-maker"
    program.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={ROOT / 'src'}:{ROOT / 'tests'} MAKER_FOLDER={folder / 'world'}"
        f" MAKER_SECONDS={SECONDS}\n"
        f"exec {sys.executable} -m providers.crashes.maker\n"
    )
    program.chmod(0o755)
    stack = {
        "stack": "crash",
        "providers": {"maker": {"source": f"./{program.name}"}},
        "resources": {
            f"f{at}": {
                "type": "maker_file",
                "with": {"path": f"f{at}", "content": "x"},
                "lifecycle": {"identity": "{path}"},
            }
            for at in range(objects)
        },
    }
    (folder / "stack.yaml").write_text(json.dumps(stack))
    words = [sys.executable, "-m", "dirigent"]

    def start() -> subprocess.Popen[bytes]:
        return started([*words, "up", "--yes"], folder, PYTHON)

    killed(folder, start, after)
    made = made_in(folder)
    # What was recorded as begun counts as known: it is looked up before anything is made.
    kept = len(rows_of(words, folder))
    code = start().wait()
    known = rows_of(words, folder)
    twice = sum(count > 1 for count in made_in(folder).values())
    return Found(len(made), kept, None, twice, len(made_in(folder).keys() - known), code)


def rows_of(words: list[str], folder: Path) -> set[str]:
    """Return the addresses that Dirigent has rows of."""
    asked = [*words, "state", "list", "--json"]
    done = subprocess.run(asked, cwd=folder, env=PYTHON, capture_output=True, check=True)
    return {each["address"] for each in json.loads(done.stdout)["resources"]}


def theirs(folder: Path, objects: int, after: int, program: Path) -> Found:
    """Kill one apply of Terraform."""
    environment = {**PYTHON, "MAKER_FOLDER": str(folder / "world"), "TMPDIR": str(folder)}
    environment["MAKER_SECONDS"] = str(SECONDS)
    words = [sys.executable, "-m", "providers.crashes.maker"]
    with subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE) as maker:
        if maker.stdout is None:
            raise SystemExit("the provider says nothing")
        maker.stdout.readline()
        place = {"Network": "unix", "String": str(folder / "maker.sock")}
        met = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": maker.pid, "Test": True, "Addr": place}
        around = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CHECKPOINT_DISABLE": "1",
            "TF_REATTACH_PROVIDERS": json.dumps({"example.com/own/maker": met}),
        }
        files = {f"f{at}": {"path": f"f{at}", "content": "x"} for at in range(objects)}
        wanted = {"required_providers": {"maker": {"source": "example.com/own/maker"}}}
        document = {"terraform": wanted, "resource": {"maker_file": files}}
        (folder / "main.tf.json").write_text(json.dumps(document))
        subprocess.run([str(program), "init"], cwd=folder, env=around, check=True, capture_output=True)
        apply = [str(program), "apply", "-auto-approve"]
        try:
            killed(folder, lambda: started(apply, folder, around), after)
            made, state = made_in(folder), folder / "terraform.tfstate"
            kept, size = len(known_to(state)), state.stat().st_size if state.exists() else 0
            code = started(apply, folder, around).wait()
            stands = made_in(folder)
        finally:
            maker.kill()
    twice = sum(count > 1 for count in stands.values())
    return Found(len(made), kept, size, twice, len(stands.keys() - known_to(state)), code)


def known_to(state: Path) -> set[str]:
    """Return the names in a state file; of one that is empty or cut off, none."""
    try:
        found = json.loads(state.read_text())
    except (OSError, ValueError):
        return set()
    return {each["name"] for each in found["resources"] if each["instances"]}


HEAD: Final = """| tool | killed at | made | known | state bytes | made twice | forgotten | exit code |
|---|---:|---:|---:|---:|---:|---:|---:|"""


def line(tool: str, after: int, found: Found) -> str:
    """Return a line of the table."""
    size = "" if found.size is None else f"{found.size}"
    cells = (tool, after, found.made, found.kept, size, found.twice, found.forgotten, found.code)
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Kill each tool as often as was asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("programs", type=Path)
    asked.add_argument("--objects", type=int, default=800)
    asked.add_argument("--kills", type=int, default=7)
    given = asked.parse_args()
    program = given.programs.resolve() / "terraform"
    print(HEAD, flush=True)
    for at in range(1, given.kills + 1):
        after = given.objects * at // (given.kills + 1)
        for name in ("Dirigent", "Terraform 1.0.3"):
            with tempfile.TemporaryDirectory() as aside:
                folder = Path(aside)
                (folder / "world" / "made").mkdir(parents=True)
                if name == "Dirigent":
                    found = ours(folder, given.objects, after)
                else:
                    found = theirs(folder, given.objects, after, program)
            print(line(name, after, found), flush=True)


if __name__ == "__main__":
    main()
