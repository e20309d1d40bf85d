"""One statement and one commit for everything that has queued up, each append whole or refused on its own.

Rule 1: the statement itself checks the token of every shard that it touches; it writes nothing of a lost one.
Rule 2: what is known in memory changes only after the commit.
Rule 3: after a broken connection the own tokens are raised before anything else: whatever the old
session still does is over by then, and what it did can be seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from time import monotonic
from typing import Final, TypeAlias, cast

from dirigent.model.ids import Digest, RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Fact
from dirigent.ports.applies import APPLY
from dirigent.stores.postgres import records
from dirigent.stores.postgres.session import failures
from dirigent.stores.postgres.session.failures import Again, Lost
from dirigent.stores.postgres.session.link import Link, Row
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.postgres.writer.batch import Append, Batch
from dirigent.stores.postgres.writer.fence import Fence, Head
from dirigent.stores.projection import EarChanged, Title, after_of, expect, overtaken, project, told

Answers: TypeAlias = dict[Append, Refusal | None]
Refence: TypeAlias = Callable[[Sequence[Fence]], Awaitable[None]]
"""Takes shards again that are ours, under a new token; a fence that is not ours any more is lost."""

AGAIN_TIMES: Final = 10


@dataclass(slots=True, eq=False)
class Writer:
    """The one of this process that writes. One batch at a time; who removes something takes a `turn`, too."""

    link: Link
    refence: Refence
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _titles: dict[Digest, Title] = field(default_factory=dict)

    def entitle(self, digest: Digest, title: Title) -> None:
        """Note the title of a definition that is stored."""
        self._titles[digest] = title

    async def commit(self, jobs: Sequence[Append]) -> Answers:
        """Write the jobs; return for each None (durable) or why it was refused. Never raises.

        A second append to a run that is only being made is left out of the answer: its turn comes next.
        """
        async with self.turn:
            return await self._commit(jobs)

    async def _commit(self, jobs: Sequence[Append]) -> Answers:
        answers: Answers = {}
        left = list(jobs)
        tried = 0
        while left:
            try:
                answers.update(await self._attempt(left))
                break
            except Again as again:
                tried += 1
                if tried > AGAIN_TIMES:
                    answers.update(dict.fromkeys(left, failures.failed(self.link.url, str(again))))
                    break
            except Lost:
                answers.update(await self._recovered(left))
                left = [job for job in left if job not in answers]
            except Refusal as why:
                answers.update(await self._apart(left, why))
                break
        return answers

    async def _apart(self, jobs: Sequence[Append], why: Refusal) -> Answers:
        """Write jobs one by one when the database refuses them together: only the guilty one is refused."""
        if len(jobs) == 1 or why.problems[0].code != "E5045":
            return dict.fromkeys(jobs, why)
        answers: Answers = {}
        for job in jobs:
            answers.update(await self._commit([job]))
        return answers

    async def _attempt(self, jobs: Sequence[Append]) -> Answers:
        answers: Answers = {}
        now = monotonic()
        for job in jobs:
            lost = job.fence.check(now)
            if lost is not None:
                answers[job] = lost
        open_jobs = [job for job in jobs if job not in answers]
        await self._learn(open_jobs)
        batch = Batch()
        for job in open_jobs:
            if job.run in batch.births.heads or (batch.apply[0] and self._applies(job)):
                continue  # Its number, or whether it is the newest, is known only after this batch.
            try:
                self._admit(batch, job)
                answers[job] = None
            except Refusal as why:
                answers[job] = why
        if batch.fences:
            await self._write(batch, answers)
        return answers

    async def _write(self, batch: Batch, answers: Answers) -> None:
        """Carry the batch out, and refuse what turns out not to be ours."""
        if batch.plain:
            rows = await self.link.once(SQL["grow"], *batch.short())
            (owned,), born = rows[0], {}
        else:
            rows = await self.link.once(SQL["write"], *batch.whole())
            owned, ids, numbers, turned = rows[0]
            batch.overtaken = not turned
            born = dict(zip(cast("list[str]", ids), cast("list[int]", numbers), strict=True))
        ours = set(cast("list[int]", owned))
        for shard in batch.fences.keys() - ours:
            batch.fences[shard].lose()
        now = monotonic()
        for job, answer in answers.items():
            if answer is None:
                # Durable or not: who may not act any more is not told to.
                answers[job] = job.fence.check(now) or self._settled(batch, job, born)

    def _settled(self, batch: Batch, job: Append, born: dict[str, int]) -> Refusal | None:
        """Note the head of a run whose facts are durable, if it goes on; refuse a run that exists already."""
        birth = batch.births.heads.get(job.run)
        if birth is None:
            head = batch.heads[job.run]
        elif job.run in born:
            head = Head(born[job.run], birth[1], birth[2])
        elif batch.overtaken and job.run == batch.apply[0]:
            return overtaken(job.run)
        else:
            return refuse(
                "E5001",
                f"run `{job.run}` has facts already, but `0` were expected",
                "another writer was faster: read the run again and decide anew",
            )
        if head.standing.resting:
            job.fence.heads.pop(job.run, None)
        else:
            job.fence.heads[job.run] = head
        return None

    def _admit(self, batch: Batch, job: Append) -> None:
        """Put a job into the batch, or raise `Refusal` (E5001, E5004, E5007, E5016)."""
        fence = job.fence
        head = batch.heads.get(job.run) or fence.heads.get(job.run)
        expect(job.run, job.expected, head.length if head else 0, len(job.facts))
        before = head.standing if head else None
        title = None if head else self._title(job.facts)
        result = project(job.run, before, job.facts, title, job.wake_at)
        for change in told(job.run, job.facts, job.tells, result.changes):
            # A resource, or an event, of elsewhere is nothing that happened here; who listens does so here.
            if not job.foreign or isinstance(change, EarChanged):
                batch.change(job, change)
        if self._applies(job):
            batch.apply = (job.run, after_of(job.facts))
        if head is None:
            batch.bear(job, result.standing)
        else:
            batch.grow(job, head, result.standing)
        batch.grant(job)
        batch.fences[fence.shard] = fence

    def _applies(self, job: Append) -> bool:
        """Return whether a job begins an apply of this store."""
        title = self._title(job.facts) if _begins(job) and not job.foreign else None
        return title is not None and title.kind == APPLY

    def _title(self, facts: Sequence[Fact]) -> Title | None:
        first = facts[0] if facts else None
        return self._titles.get(first.definition) if isinstance(first, Created) else None

    async def _learn(self, jobs: Sequence[Append]) -> None:
        """Read what the batch needs to know: runs that were not written here yet, and titles."""
        unknown = {job.run: job.fence for job in jobs if job.run not in job.fence.heads and not _begins(job)}
        if unknown:
            for row in await self.link.once(SQL["heads"], list(unknown)):
                _note(row, unknown)
        for job in jobs:
            first = job.facts[0] if job.facts else None
            if isinstance(first, Created) and first.definition not in self._titles:
                for name, kind in await self.link.once(SQL["title"], first.definition):
                    self._titles[first.definition] = Title(cast("str", name), cast("str", kind))

    async def _recovered(self, jobs: Sequence[Append]) -> Answers:
        """After a broken connection: raise our tokens, and see which of the jobs were carried out."""
        fences = {id(job.fence): job.fence for job in jobs if job.fence.check(monotonic()) is None}
        try:
            if fences:
                await self.link.lasting(lambda: self.refence(list(fences.values())))
            rows = await self.link.fetch(SQL["heads"], list({job.run for job in jobs}))
        except Refusal as why:
            return dict.fromkeys(jobs, why)
        answers: Answers = {}
        found = {cast("str", row[0]): row for row in rows}
        for job in jobs:
            lost = job.fence.check(monotonic())
            job.fence.heads.pop(job.run, None)
            if lost is not None:
                answers[job] = lost
            elif job.run in found and _carried_out(job, found[job.run]):
                answers[job] = None
        return answers


def _begins(job: Append) -> bool:
    """Return whether a job makes its run."""
    return job.expected == 0 and bool(job.facts) and isinstance(job.facts[0], Created)


def _note(row: Row, fences: dict[RunId, Fence]) -> None:
    """Note the head of a run that lies in the shard of its fence."""
    run, number, shard, standing, length, snapshot, _ = row
    fence = fences[RunId(cast("str", run))]
    if shard != fence.shard:
        return  # It is another engine's: to this one it does not exist.
    head = Head(cast("int", number), cast("int", length), records.standing(standing), bool(snapshot))
    fence.heads[RunId(cast("str", run))] = head


def _carried_out(job: Append, row: Row) -> bool:
    """Return whether a job is in the journal; nobody else can have written there."""
    if row[2] != job.fence.shard or cast("int", row[4]) < job.end:
        return False
    return not _begins(job) or row[6] == records.checksum(job.content)
