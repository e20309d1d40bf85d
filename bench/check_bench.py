"""How long it takes to load and check a stack of some ten thousand lines, in CPU seconds.

Run it as `python bench/check_bench.py [LINES]`; it prints and judges nothing. Without the jq room
the expressions are not compiled, which the output says.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from dirigent.lang.source import load
from dirigent.lang.stack import StackContext, read_stack
from lang import fakes

ROUNDS = 5

ENTRY = """\
  service-{index}:
    type: service
    runtime: process
    replicas: 2
    with:
      command: [python3, -m, inventory, --port, "{{port}}"]
      environment:
        LEVEL: info
        PEER: '${{ $resources["service-{before}"].url }}'
        RATE: ${{ $inputs.rate | tostring }}
      port: 8080
      health:
        http: /health
        seconds: 5
    lifecycle:
      replace: create-first
      ignore: [environment.LEVEL]
"""


def stack_of(lines: int) -> str:
    """Return a stack file with about this many lines, a chain of services."""
    head = (
        "stack: large\ninputs:\n  rate: {type: number, default: 20}\n"
        "resources:\n  first: {type: file, with: {path: a}}\n"
    )
    count = lines // ENTRY.count("\n")
    entries = [ENTRY.format(index=index, before=index - 1) for index in range(count)]
    entries[0] = entries[0].replace('$resources["service--1"].url', "$resources.first.path")
    return head + "".join(entries)


def seconds(work: Callable[[], object]) -> float:
    """Return the least CPU time of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def language() -> tuple[object, str]:
    """Return the real expression language, or the toy of the tests where it is missing."""
    if importlib.util.find_spec("dirigent.jq") is None:
        return fakes.ToyLanguage(), "toy"
    return importlib.import_module("dirigent.jq").LANGUAGE, "jq"


def main() -> None:
    """Measure and print."""
    text = stack_of(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    toy = fakes.context()
    spoken, name = language()
    context = StackContext(toy.types, spoken, toy.schemas, toy.read_file, toy.read_workflow)
    stack, problems = read_stack(text, "stack.yaml", ".", context)
    if stack is None:
        raise SystemExit("\n".join(str(problem) for problem in problems[:5]))
    loaded = seconds(lambda: load(text, "stack.yaml"))
    whole = seconds(lambda: read_stack(text, "stack.yaml", ".", context))
    print(f"lines {text.count(chr(10)):,}  bytes {len(text):,}  resources {len(stack.resources)}")
    print(f"Python {platform.python_version()}, expressions by {name}, least of {ROUNDS} rounds")
    print(f"load          {loaded:.3f} s CPU")
    print(f"load + check  {whole:.3f} s CPU")


if __name__ == "__main__":
    main()
