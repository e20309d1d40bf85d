"""Terraform and we, killed in the middle of an apply by one provider: what is forgotten, what is made twice.

    PYTHONPATH=src:tests python bench/providers_crash.py FOLDER [--objects 400] [--kills 5]

FOLDER is what `python scripts/binaries.py FOLDER` has filled. The provider is that of the crash tests: each
object is a file, each deed a line that is added to it. The host is killed once so many deeds are done; then
the same command is given again, to its end. Terraform finds a provider that runs (it wants certificates of
one that it starts), so only Terraform itself is killed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PYTHON: Final = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "NO_COLOR": "1"}

Start = Callable[[], "subprocess.Popen[bytes]"]


def started(words: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a command whose output nobody reads."""
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(words, cwd=folder, env=environment, stdin=nowhere, stdout=nowhere, stderr=nowhere)


def deeds(folder: Path) -> int:
    """Return how many deeds are in the ledger of the provider."""
    place = folder / "world" / "ledger"
    return len(place.read_bytes().splitlines()) if place.exists() else 0


def struck(folder: Path, start: Start, after: int) -> None:
    """Kill a command once so many deeds are done, then give it again, to its end."""
    process = start()
    while deeds(folder) < after and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
    for _ in range(3):
        if start().wait() == 0:
            return


def outcome(folder: Path, known: int) -> dict[str, int]:
    """Return what stands, what was made more than once, and how many the tool knows in the end."""
    made = [each.read_text().count("create ") for each in (folder / "world" / "made").iterdir()]
    return {"objects": len(made), "made twice": sum(count > 1 for count in made), "known": known}


def ours(folder: Path, objects: int, after: int) -> dict[str, int]:
    """Kill one apply of ours."""
    program = folder / "terraform-provider-maker"
    program.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={ROOT / 'src'}:{ROOT / 'tests'} MAKER_FOLDER={folder / 'world'}\n"
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
    struck(folder, lambda: started([*words, "up", "--yes"], folder, PYTHON), after)
    listed = subprocess.run(
        [*words, "plan", "--json"], cwd=folder, env=PYTHON, capture_output=True, check=True
    )
    changes = json.loads(listed.stdout)["changes"]
    return outcome(folder, sum(each["action"] == "keep" for each in changes))


def theirs(folder: Path, objects: int, after: int, program: Path) -> dict[str, int]:
    """Kill one apply of Terraform."""
    environment = {**PYTHON, "MAKER_FOLDER": str(folder / "world"), "TMPDIR": str(folder)}
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
        apply = [str(program), "apply", "-auto-approve", "-lock-timeout=1s"]
        struck(folder, lambda: started(apply, folder, around), after)
        maker.kill()
    state = json.loads((folder / "terraform.tfstate").read_text() or "{}")
    return outcome(folder, len(state.get("resources", [])))


def main() -> None:
    """Kill each tool as often as was asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("programs", type=Path)
    asked.add_argument("--objects", type=int, default=400)
    asked.add_argument("--kills", type=int, default=5)
    given = asked.parse_args()
    program = given.programs.resolve() / "terraform"
    for at in range(1, given.kills + 1):
        after = given.objects * at // (given.kills + 1)
        for name in ("dirigent", "terraform 1.0.3"):
            with tempfile.TemporaryDirectory() as aside:
                folder = Path(aside)
                (folder / "world" / "made").mkdir(parents=True)
                if name == "dirigent":
                    found = ours(folder, given.objects, after)
                else:
                    found = theirs(folder, given.objects, after, program)
            print(f"{name:16} killed after {after:4} of {given.objects}: {found}", flush=True)


if __name__ == "__main__":
    main()
