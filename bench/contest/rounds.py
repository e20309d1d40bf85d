"""One round: one contestant, one workload, from an empty folder to its figures."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from contest import family, machine
from contest.client import Client, Failed
from contest.cold import cold_command
from contest.contestants import Contestant, Size
from contest.environments import Environments
from contest.figures import Figures, account_of, gaps_of, marks_of, percentile
from contest.servers import SERVERS, Server

BENCH = Path(__file__).resolve().parents[1]
CLIENTS = BENCH / "clients"
SOURCES = BENCH.parent / "src"
QUIET_SHARE = 0.15
LOOK_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Ground:
    """Where and how rounds are held. `quiet_seconds` is how long one waits for a quiet machine."""

    folder: Path
    environments: Environments
    quiet_seconds: float


@dataclass(slots=True)
class Round:
    """What the measuring of one workload needs."""

    contestant: Contestant
    workload: str
    size: Size
    folder: Path
    command: list[str]
    orders: dict[str, str]
    server: Server | None = None

    @property
    def trace(self) -> Path:
        """Where step bodies leave their marks."""
        return self.folder / "trace"

    def client(self, **more: str) -> Client:
        """Start the contestant's client."""
        seconds = self.contestant.seconds + self.size.seconds
        return Client(self.command, self.folder, {**self.orders, **more}, seconds)

    def marks(self) -> str:
        """Return the trace."""
        return self.trace.read_text(encoding="ascii") if self.trace.exists() else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The clock, the family's processor seconds, and the machine's."""

    at: float
    cpu: float
    ticks: machine.Ticks


def _reading() -> Reading:
    return Reading(time.monotonic(), family.cpu_seconds(), machine.ticks())


def held(contestant: Contestant, workload: str, size: Size, ground: Ground) -> Figures:
    """Hold one round and return its figures, the state of the machine just before among them.

    Raises `Failed`, `NotInstalled` or `NotStarted` with the reason, after everything is stopped.
    """
    folder = ground.folder / contestant.name / workload
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for place in (ground.folder, folder.parent, folder):
        place.chmod(0o711)  # PostgreSQL runs as a user of its own, and must get through.
    python, environment = _installed(contestant, ground.environments)
    server = None
    try:
        if contestant.server:
            home = ground.environments.node(contestant.node) if contestant.node else environment
            server = SERVERS[contestant.server](folder, home)
        command = [python, "-u", str(CLIENTS / contestant.script)]
        orders = _orders(contestant, workload, size, folder)
        orders["CONTEST_ENVIRONMENT"] = str(environment)
        if server:
            orders |= {
                name if name.isupper() else f"CONTEST_{name.upper()}": text
                for name, text in server.orders.items()
            }
        each = Round(contestant, workload, size, folder, command, orders, server)
        busy = machine.quiet(QUIET_SHARE, ground.quiet_seconds)
        before: Figures = {"flush_ms": machine.flush_milliseconds(folder), "busy_before": busy}
        return before | WORK[workload](each)
    finally:
        if server:
            server.stop()
        family.end_orphans(set())
        shutil.rmtree(folder, ignore_errors=True)


def _installed(contestant: Contestant, environments: Environments) -> tuple[str, Path]:
    """Return the Python of a contestant and its environment; ours is this one."""
    if contestant.ours:
        return sys.executable, Path(sys.prefix)
    name = contestant.script.removesuffix("_client.py")
    environment = environments.python(name, contestant.pins)
    return str(environment / "bin" / "python"), environment


def _orders(contestant: Contestant, workload: str, size: Size, folder: Path) -> dict[str, str]:
    paths = [str(CLIENTS), *([str(SOURCES), str(BENCH)] if contestant.ours else [])]
    return {
        "CONTEST_WORKLOAD": workload,
        "CONTEST_RUNS": str(size.runs),
        "CONTEST_STEPS": str(size.steps),
        "CONTEST_AT_ONCE": str(size.at_once),
        "CONTEST_FOLDER": str(folder),
        "CONTEST_TRACE": str(folder / "trace"),
        "CONTEST_VARIANT": contestant.variant,
        "PYTHONPATH": ":".join(paths),
        "DO_NOT_TRACK": "1",
    }


def _steps(each: Round) -> Figures:
    """A, B and C: the rate of steps between `begin` and `end`."""
    with family.Peak() as peak, each.client() as client:
        client.until("begin")
        before = _reading()
        client.until("end")
        after = _reading()
    marks = marks_of(each.marks())
    expected = each.size.runs * each.size.steps
    if len({(mark.run, mark.step) for mark in marks}) != expected or len(marks) != expected:
        raise Failed(f"{expected} steps were to be done once, and {len(marks)} were marked")
    wall, cpu = after.at - before.at, after.cpu - before.cpu
    total, used = machine.used_seconds(before.ticks, after.ticks)
    found: Figures = {
        "steps": len(marks),
        "wall_s": wall,
        "steps_per_s": len(marks) / wall,
        "cpu_s_per_1000": 1000 * cpu / len(marks),
        "cpu_of_others": max(0.0, used - cpu) / max(total, 1e-9),
        "peak_pss_mib": peak.mib,
    }
    gaps = gaps_of(marks)
    if gaps and each.workload != "C":
        found |= {"step_p50_ms": percentile(gaps, 0.5), "step_p99_ms": percentile(gaps, 0.99)}
    return found


def _sequential(each: Round) -> Figures:
    """A: beside it what SQLite commits a second, one row each, just before and just after."""
    before = machine.commits_per_second(each.folder)
    found = _steps(each)
    after = machine.commits_per_second(each.folder)
    commits = (before + after) / 2
    return found | {"commits_per_s": commits, "share_of_commits": (found["steps_per_s"] or 0) / commits}


def _sleepers(each: Round) -> Figures:
    """D: how fast runs begin to sleep, and what a sleeping one holds of memory."""
    with each.client() as client:
        client.until("ready")
        base = family.pss_mib()
        client.answer()
        client.until("begin")
        before = _reading()
        client.until("end")
        after = _reading()
        client.until("parked")
        parked = family.pss_mib()
    count = each.size.runs
    return {
        "runs": count,
        "starts_per_s": count / (after.at - before.at),
        "cpu_s_per_1000": 1000 * (after.cpu - before.cpu) / count,
        "base_pss_mib": base,
        "pss_mib": parked,
        "kib_each": 1024 * (parked - base) / count,
    }


def _crash(each: Round) -> Figures:
    """E: everything but the database is killed when half of the steps are done, and started again."""
    total = each.size.runs * each.size.steps
    with family.Peak() as peak, each.client() as client:
        client.until("begin")
        while (done := each.marks().count("\n")) < total // 2:
            if client.process.poll() is not None:
                raise Failed("it ended before half of the steps were done")
            time.sleep(LOOK_SECONDS)
        client.kill()
    server = each.server
    if server and server.killed:
        server.kill()
    family.end_orphans({server.process.pid} if server and server.process else set())
    began = time.monotonic()
    if server and server.killed:
        server.start()
    with each.client(CONTEST_AGAIN="1") as client:
        client.until("end")
        seconds = time.monotonic() - began
    account = account_of(marks_of(each.marks()), each.size.runs, each.size.steps)
    return {
        "killed_at": done,
        "recovered_s": seconds,
        "lost": account.lost,
        "again": account.again,
        "strange": account.strange,
        "peak_pss_mib": peak.mib,
    }


def _cold(each: Round) -> Figures:
    """F: from the start of the command to the result of one step."""
    if each.contestant.ours:
        each.command = cold_command(each.folder, each.trace)
    before = family.cpu_seconds()
    began = time.monotonic()
    with each.client() as client:
        if each.contestant.ours:
            client.output()
        else:
            client.until("end")
        wall = time.monotonic() - began
        cpu = family.cpu_seconds() - before
    if len(marks_of(each.marks())) != 1:
        raise Failed("one step was to leave one mark")
    return {"cold_s": wall, "cpu_s": cpu}


WORK: Mapping[str, Callable[[Round], Figures]] = MappingProxyType(
    {"A": _sequential, "B": _steps, "C": _steps, "D": _sleepers, "E": _crash, "F": _cold}
)
