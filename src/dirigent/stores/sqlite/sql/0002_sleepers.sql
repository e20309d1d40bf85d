-- When a run next has something to do: 0 while anything is under way, infinity when only a person can move it, null when
-- it has ended. Kept in the transaction of the facts that say so; it takes the place of a row for each timer.
alter table runs add column wake_at real;

-- Nobody has said yet how the open runs of an older release stand: the engine looks at each of them once.
update runs set wake_at = 0.0 where phase is null;

create index runs_waking on runs (wake_at, id) where wake_at is not null;

drop table timers;

-- What the first facts of a run come to, so that a long journal need not be read from its beginning: a cache that may be
-- dropped. `stretch` is where the facts after it begin.
create table snapshots (
  run integer primary key,
  position integer not null,
  stretch integer not null,
  content blob not null
);

drop view standings;

-- A run with all that a list shows of it. `facts` is filled in while the run rests (it sleeps, or has ended); before that
-- the journal itself says how many there are.
create view standings as
select
  r.number, r.id, d.name, d.kind, r.definition, r.created_at, r.parent, r.held, r.suspended, r.cancelling,
  r.phase, r.ended_at, r.fault,
  coalesce(r.facts, (
    select max(j.position) + 1 from journal j
    where j.run = r.number
      and j.id between 512 * (select max(p.stretch) from places p where p.run = r.number)
      and 512 * (select max(p.stretch) from places p where p.run = r.number) + 511
  )) as facts,
  r.wake_at
from runs r join definitions d on d.digest = r.definition;
