"""Providers of OpenTofu, beside Terraform: CPU seconds and memory of each command, on one null provider.

    python bench/providers_bench.py FOLDER [--counts 100,1000] [--shapes count,blocks,layers] [--to FILE]
        [--terraform-up-to 1000] [--warm-up-to 1000]

FOLDER is what `python scripts/binaries.py FOLDER` has filled. Every figure is of the whole tree of
processes; one run measures both. `warm` is the change of one resource while `dirigent serve` runs.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from providing.cost import Cost, adopt_orphans, cost_of, cpu_of, resident_of
from providing.shapes import ADDRESS, CHANGED, SHAPES, dirigent, terraform

ROOT: Final = Path(__file__).resolve().parents[1]
VERSION: Final = "2.1.2"
DIRIGENT: Final = (sys.executable, "-m", "dirigent")

Figures = dict[str, dict[str, float]]


def ours(programs: Path, shape: str, count: int, *, beside_engine: bool = True) -> Figures:
    """Measure every command of ours once, from nothing to nothing."""
    program = next(programs.glob("terraform-provider-null_*"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack = folder / "stack.yaml"

        def run(*words: str, codes: Sequence[int] = (0,)) -> Cost:
            return sound(cost_of((*DIRIGENT, *words), folder, environment, 1800), words, codes)

        stack.write_text(dirigent(shape, count, str(program)))
        found = {"plan": run("plan"), "apply": run("up", "--yes"), "no-op plan": run("plan")}
        stack.write_text(dirigent(shape, count, str(program), CHANGED))
        found["change"] = run("up", "--yes")
        figures = {name: figure(cost) for name, cost in found.items()}
        stack.write_text(dirigent(shape, count, str(program), f"{CHANGED} again"))
        if beside_engine:
            figures["warm change"] = warm(folder, environment)
        return {**figures, "destroy": figure(run("down", "--yes"))}


def warm(folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Measure the change of one resource with an engine that runs: its CPU and that of the command."""
    with serving(folder, environment) as engine:
        cost_waited((*DIRIGENT, "plan"), folder, environment)
        before = cpu_of(engine.pid)
        cost = sound(cost_waited((*DIRIGENT, "up", "--yes"), folder, environment), ("up",), (0,))
        figures = figure(cost)
        figures["cpu of the engine"] = round(cpu_of(engine.pid) - before, 3)
        figures["peak of the engine"] = round(resident_of(engine.pid), 1)
        return figures


def cost_waited(words: Sequence[str], folder: Path, environment: dict[str, str]) -> Cost:
    """Run a command beside an engine, which must not be waited for."""
    began, used = time.monotonic(), os.times()
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=1800
    )
    after = os.times()
    cpu = after.children_user + after.children_system - used.children_user - used.children_system
    return Cost(
        round(cpu, 3), round(time.monotonic() - began, 3), 0.0, done.returncode, done.stdout + done.stderr
    )


@contextmanager
def serving(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield an engine that has opened its door."""
    with (folder / "served.txt").open("wb") as said:
        engine = subprocess.Popen(
            (*DIRIGENT, "serve"), cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        while not (folder / ".dirigent" / "engine.sock").exists():
            if engine.poll() is not None:
                raise SystemExit((folder / "served.txt").read_text())
            time.sleep(0.05)
        yield engine
    finally:
        engine.terminate()
        engine.wait()


def theirs(programs: Path, shape: str, count: int) -> Figures:
    """Measure every command of Terraform once, from nothing to nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = next(programs.glob("terraform-provider-null_*"))
        place = folder / "mirror" / ADDRESS / VERSION / "linux_amd64"
        place.mkdir(parents=True)
        shutil.copy(program, place / program.name)
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CHECKPOINT_DISABLE": "1"}
        main = folder / "main.tf.json"

        def run(*words: str) -> Cost:
            return sound(
                cost_of((str(programs / "terraform"), *words), folder, environment, 1800), words, (0,)
            )

        main.write_text(terraform(shape, count))
        run("init", "-no-color", f"-plugin-dir={folder / 'mirror'}")
        found = {
            "plan": run("plan", "-no-color"),
            "apply": run("apply", "-no-color", "-auto-approve"),
            "no-op plan": run("plan", "-no-color"),
        }
        main.write_text(terraform(shape, count, CHANGED))
        found["change"] = run("apply", "-no-color", "-auto-approve")
        found["destroy"] = run("destroy", "-no-color", "-auto-approve")
        return {name: figure(cost) for name, cost in found.items()}


def sound(cost: Cost, words: Sequence[str], codes: Sequence[int]) -> Cost:
    """Return the cost of a command that did what it should, and tell those who wait."""
    print(
        f"  {words[0]}: {cost.cpu:.2f} CPU s, {cost.wall:.1f} s, {cost.peak:.0f} MiB",
        file=sys.stderr,
        flush=True,
    )
    if cost.code not in codes:
        raise SystemExit(f"{' '.join(words)} gave {cost.code}\n{cost.said[-2000:]}")
    return cost


def figure(cost: Cost) -> dict[str, float]:
    """Return what is kept of a cost."""
    return {name: value for name, value in asdict(cost).items() if name in {"cpu", "wall", "peak"} and value}


def main() -> None:
    """Measure what was asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("programs", type=Path)
    asked.add_argument("--counts", default="100,1000")
    asked.add_argument("--shapes", default=",".join(SHAPES))
    asked.add_argument("--terraform-up-to", type=int, default=1000)
    asked.add_argument("--warm-up-to", type=int, default=1000)
    asked.add_argument("--to", type=Path)
    given = asked.parse_args()
    adopt_orphans()
    # As an installer leaves it: else a checkout may be compiled again at every start, which no user sees.
    compileall.compile_dir(str(ROOT / "src" / "dirigent"), quiet=2)
    programs = given.programs.resolve()
    results: dict[str, object] = {"machine": platform.platform(), "cores": os.cpu_count()}
    for count in map(int, given.counts.split(",")):
        for shape in given.shapes.split(","):
            tools = {"dirigent": partial(ours, beside_engine=count <= given.warm_up_to)}
            if count <= given.terraform_up_to:
                tools["terraform 1.0.3"] = theirs
            for tool, measure in tools.items():
                results[f"{shape} {count} {tool}"] = found = measure(programs, shape, count)
                shown = "  ".join(f"{name} {each['cpu']:.2f}" for name, each in found.items())
                peak = max(each.get("peak", 0) for each in found.values())
                print(f"{shape:7} {count:6} {tool:16} CPU s: {shown}  peak {peak:.0f} MiB", flush=True)
            if given.to:
                given.to.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
