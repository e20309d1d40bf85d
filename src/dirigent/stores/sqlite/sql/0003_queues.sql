-- The queue that a run waits in or waited in (empty for none), and when it was let go.
alter table runs add column queue text not null default '';

alter table runs add column admitted_at real;

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
  r.wake_at, r.queue, r.admitted_at
from runs r join definitions d on d.digest = r.definition;
