"""CPU time of planning: `PYTHONPATH=src:tests python bench/plan_bench.py [COUNT]`.

The budget of the whole command `plan` with 1,000 unchanged resources is 3 s of CPU.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from dirigent.model.plan import Change
from dirigent.model.stack import Stack
from dirigent.planning.compile import compile_plan
from planning.world import World, refer, resource, stack

T = TypeVar("T")


def wide(count: int, size: int) -> Stack:
    """Return resources with a nested configuration, each seeing one of ten that come first."""
    first = [resource(f"base{index}", size=index) for index in range(10)]
    rest = [
        resource(
            f"web{index}",
            size=size,
            room=refer(f"$resources.base{index % 10}.size + $inputs.n"),
            command=["serve", "--port", "8080", "--name", f"web{index}"],
            environment={f"VARIABLE_{number}": f"value {number}" for number in range(10)},
        )
        for index in range(count - 10)
    ]
    return stack(*first, *rest)


def chain(count: int) -> Stack:
    """Return resources of which each needs the one before."""
    seen = [{"room": refer(f"$resources.n{index - 1}.size")} if index else {} for index in range(count)]
    return stack(*(resource(f"n{index}", size=1, **more) for index, more in enumerate(seen)))


def measure(title: str, act: Callable[[], T]) -> T:
    """Print the CPU time of one call and return its result."""
    began = time.process_time()
    result = act()
    print(f"{title:<44} {time.process_time() - began:7.3f} s CPU")
    return result


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    world = World()
    made = measure(f"plan, {count} to create", lambda: world.plan(wide(count, 1), {"n": 1}))
    measure("compile it", lambda: compile_plan(made))
    for change in made.changes:
        world.step(compile_request(change), set())
    same = measure(f"plan, {count} unchanged", lambda: world.plan(wide(count, 1), {"n": 1}))
    assert same.pending == (), same.pending[0]
    measure(f"plan, {count} to update", lambda: world.plan(wide(count, 2), {"n": 1}))
    measure(f"plan, a chain of {count}", lambda: World().plan(chain(count)))


def compile_request(change: Change) -> dict[str, object]:
    """Return what the program would send for one creation."""
    return {
        "action": "create",
        "address": str(change.address),
        "name": change.name,
        "key": change.key,
        "type": change.type,
        "config": change.config,
        "needs": list(change.needs),
        "protect": change.protect,
    }


if __name__ == "__main__":
    main()
