"""What an append costs: `PYTHONPATH=src python bench/store_bench.py [--folder DIR] [--scale N]`.

Prints, as JSON lines: the fsync latency of the disk beside, strict sequential appends on one run,
100 runs at once, CPU per append, the codec alone, and what it costs to read and to open again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from dirigent.model.ids import Digest, Position, RunId
from dirigent.model.program import Program, Set, Task
from dirigent.model.run.journal import Created, Ended, Fact, Succeeded
from dirigent.stores import codec
from dirigent.stores.sqlite import SqliteStore

PROGRAM = Program("bench", "bench", "1.0.0", Task("root", "/do", Set(1)))
AT = 1_700_000_000.0


def result(n: int) -> Fact:
    """Return a small result, as most tasks give one."""
    return Succeeded(AT, Position("/do/0/pay"), 1, {"i": n, "ok": True})


def show(name: str, **figures: float) -> None:
    """Print one line."""
    print(json.dumps({"what": name} | {key: round(value, 3) for key, value in figures.items()}), flush=True)


def disk(folder: str, count: int) -> None:
    """Append 4 KiB and wait for the disk, as a commit does at least once."""
    path = Path(folder) / "fsync"
    seconds = []
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - began)
    path.unlink()
    p50, p99 = statistics.median(seconds), sorted(seconds)[int(len(seconds) * 0.99)]
    show("fsync of the disk", p50_us=p50 * 1e6, p99_us=p99 * 1e6, per_second=count / sum(seconds))


def coding(count: int) -> None:
    """Encode and decode a small result."""
    fact = result(7)
    content = codec.encode_fact(fact)
    began = time.process_time()
    for _ in range(count):
        codec.encode_fact(fact)
    middle = time.process_time()
    for _ in range(count):
        codec.decode_fact(content)
    end = time.process_time()
    show("codec", encode_us=(middle - began) / count * 1e6, decode_us=(end - middle) / count * 1e6)


async def live(store: SqliteStore, run: RunId, digest: Digest, facts: int) -> list[float]:
    """Append one fact after the other, each durable before the next; return the latencies."""
    await store.append(run, 0, [Created(AT, digest, {"n": 1})])
    seconds = []
    for n in range(1, facts - 1):
        began = time.perf_counter()
        await store.append(run, n, [result(n)])
        seconds.append(time.perf_counter() - began)
    await store.append(run, facts - 1, [Ended(AT, "completed")])
    return seconds


async def load(store: SqliteStore, name: str, runs: int, facts: int, width: int) -> None:
    """Drive so many runs, at most `width` at a time."""
    digest = await store.keep(PROGRAM)
    gate = asyncio.Semaphore(width)

    async def one(n: int) -> list[float]:
        async with gate:
            return await live(store, RunId(f"{name}-{n}"), digest, facts)

    wall, cpu, user = time.perf_counter(), time.process_time(), os.times().user
    seconds = [each for some in await asyncio.gather(*map(one, range(runs))) for each in some]
    wall, cpu, user = time.perf_counter() - wall, time.process_time() - cpu, os.times().user - user
    total = runs * facts
    seconds.sort()
    show(
        f"{runs} runs x {facts} facts, {width} at a time",
        appends_per_second=total / wall,
        cpu_us_per_append=cpu / total * 1e6,
        of_it_user_us=user / total * 1e6,
        p50_ms=seconds[len(seconds) // 2] * 1e3,
        p99_ms=seconds[int(len(seconds) * 0.99)] * 1e3,
        max_ms=seconds[-1] * 1e3,
    )


async def reads(store: SqliteStore, name: str, facts: int) -> None:
    """Read runs whose facts lie between those of many others."""
    began = time.perf_counter()
    for n in range(100):
        assert len(await store.read(RunId(f"{name}-{n}"))) == facts
    took = time.perf_counter() - began
    show(f"read 100 runs of {facts} facts", ms_per_run=took / 100 * 1e3)
    began = time.perf_counter()
    await store.runs(limit=1000)
    show("list 1000 runs", ms=(time.perf_counter() - began) * 1e3)


async def measure(path: str, scale: int) -> None:
    """Measure everything in one file."""
    store = SqliteStore.open_for_writing(path)
    await load(store, "warm", 20, 10, 20)
    await load(store, "one", 1, 1000 * scale, 1)
    await load(store, "hundred", 100, 100 * scale, 100)
    await load(store, "thousand", 1000, 10 * scale, 100)
    await load(store, "mixed", 1000, 10 * scale, 1000)
    await reads(store, "mixed", 10 * scale)
    store.abandon()
    began = time.perf_counter()
    store = SqliteStore.open_for_writing(path)
    show("open after an unclean end", ms=(time.perf_counter() - began) * 1e3)
    await store.close()
    began = time.perf_counter()
    store = SqliteStore.open_for_writing(path)
    show("open after an orderly end", ms=(time.perf_counter() - began) * 1e3)
    await store.close()


def main() -> None:
    """Measure in a folder on the disk in question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=".", help="a directory on the disk to be measured")
    parser.add_argument("--scale", type=int, default=1, help="facts are multiplied by this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        disk(folder, 1000)
        coding(100_000)
        asyncio.run(measure(str(Path(folder) / "bench.db"), options.scale))
        disk(folder, 1000)


if __name__ == "__main__":
    main()
