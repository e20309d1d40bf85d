-- name: epoch
select epoch from fence;

-- name: raise_epoch
update fence set epoch = epoch + 1, clean = 0;

-- name: is_clean
select clean from fence;

-- name: mark_clean
update fence set clean = 1 where epoch = ?;

-- name: last_ids
select
  (select coalesce(max(id), 0) from journal),
  (select coalesce(max(number), 0) from runs);

-- name: append_fact
insert into journal (id, run, position, checksum, fact) values (?, ?, ?, ?, ?);

-- name: note_place
insert or ignore into places (run, stretch) values (?, ?);

-- name: keep_blob
insert or ignore into blobs (digest, content) values (?, ?);

-- name: keep_definition
insert or ignore into definitions (digest, name, kind, content) values (?, ?, ?, ?);

-- name: title
select name, kind from definitions where digest = ?;

-- name: definition
select content from definitions where digest = ?;

-- name: keep_plan
insert into plans (id, content, kept_at) values (?, ?, (julianday('now') - 2440587.5) * 86400.0)
on conflict (id) do update set kept_at = excluded.kept_at;

-- name: plan
select content from plans where id = ?;

-- name: has_plan
select 1 from plans where id = ?;

-- name: keep_run
insert into runs (
  number, id, definition, created_at, parent, held, suspended, cancelling, phase, ended_at, fault, facts, wake_at,
  queue, admitted_at
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (number) do update set
  held = excluded.held,
  suspended = excluded.suspended,
  cancelling = excluded.cancelling,
  phase = excluded.phase,
  ended_at = excluded.ended_at,
  fault = excluded.fault,
  facts = excluded.facts,
  wake_at = excluded.wake_at,
  admitted_at = excluded.admitted_at;

-- name: run
select * from standings where id = ?;

-- name: runs
select * from standings order by number desc limit ?;

-- name: open_runs
select * from standings where phase is null order by number desc limit ?;

-- name: facts
select j.position, j.checksum, j.fact, b.content
from runs r
cross join places p on p.run = r.number
cross join journal j on j.id between 512 * p.stretch and 512 * p.stretch + 511 and j.run = r.number
left join blobs b on typeof(j.fact) = 'text' and b.digest = j.fact
where r.id = ?
order by p.stretch, j.id;

-- name: last_facts
-- The stretches are walked from the newest backwards, so that a reader of the tail stops where it begins.
select j.position, j.checksum, j.fact, b.content
from runs r
cross join places p on p.run = r.number
cross join journal j on j.id between 512 * p.stretch and 512 * p.stretch + 511 and j.run = r.number
left join blobs b on typeof(j.fact) = 'text' and b.digest = j.fact
where r.id = ?
order by p.stretch desc, j.id desc;

-- name: pasts
-- Which of the runs exist, and their snapshots.
select r.number, r.id, s.position, s.content
from runs r left join snapshots s on s.run = r.number
where r.id in (select value from json_each(?));

-- name: pasts_facts
-- The facts of many runs at once: each stretch in which any of them has facts is read once.
select j.run, j.position, j.checksum, j.fact, b.content
from (
  select distinct p.stretch
  from json_each(?1) each
  cross join places p on p.run = each.value
  left join snapshots s on s.run = each.value
  where p.stretch >= coalesce(s.stretch, 0)
) q
cross join journal j on j.id between 512 * q.stretch and 512 * q.stretch + 511
left join blobs b on typeof(j.fact) = 'text' and b.digest = j.fact
where j.run in (select value from json_each(?1));

-- name: wakings
select wake_at, id from runs where wake_at is not null and (wake_at, id) > (?, ?) order by wake_at, id limit ?;

-- name: keep_snapshot
insert or replace into snapshots (run, position, stretch, content) values (?, ?, ?, ?);

-- name: drop_snapshot
delete from snapshots where run = ?;

-- name: put_row
insert or replace into resources (address, content) values (?, ?);

-- name: drop_row
delete from resources where address = ?;

-- name: note_history
insert into history (address, at, run, content) values (?, ?, ?, ?);

-- name: row
select content from resources where address = ?;

-- name: rows
select content from resources order by address;

-- name: history
select at, run, content from history where address = ? order by id;

-- name: addresses
select distinct address from history order by address;

-- name: newest_apply
select newest from applies;

-- name: note_apply
update applies set newest = ?;

-- name: open_applies
select * from standings where phase is null and kind = 'apply' order by number;

-- name: keep_event
insert or ignore into events (at, key, type, run, content) values (?, ?, ?, ?, ?);

-- name: event_known
select 1 from events where key = ?;

-- name: events
select number, at, run, content from events where number > ? and at >= ? order by number limit ?;

-- name: events_of_types
select e.number, e.at, e.run, e.content
from json_each(?1) t cross join events e on e.type = t.value and e.number > ?2 and e.at >= ?3
order by e.number limit ?4;

-- name: log_end
select coalesce(max(number), 0) from events;

-- name: forget_events
delete from events
where (at < ?1 or number <= coalesce((select number from events order by number desc limit 1 offset ?2), 0))
  and at < ?3 and number <= coalesce((select min(place) from sinks), 9223372036854775807);

-- name: cursors
select name, 0, place, content from sinks order by name;

-- name: keep_cursor
insert into sinks (name, place, content) values (?, ?, ?)
on conflict (name) do update set content = excluded.content;

-- name: cursor
select place from sinks where name = ?;

-- name: advance_cursor
update sinks set place = max(place, ?) where name = ?;

-- name: drop_cursor
delete from sinks where name = ?;

-- name: put_listener
insert or replace into listeners (run, position, content) values (?, ?, ?);

-- name: drop_listener
delete from listeners where run = ? and position = ?;

-- name: listeners
select content from listeners order by run, position;

-- name: prunable
-- Ended runs that are past their age, oldest first. A child is kept while its parent is open: the parent may ask for it.
select r.id from runs r
where r.ended_at < ?1
  and r.ended_at < case r.phase when 'completed' then ?2 when 'faulted' then ?3 else ?4 end
  and not exists (select 1 from runs p where p.id = r.parent and p.ended_at is null)
order by r.ended_at limit ?5;

-- name: oldest_ended
select r.id from runs r
where r.ended_at is not null and not exists (select 1 from runs p where p.id = r.parent and p.ended_at is null)
order by r.ended_at limit ?;

-- name: ended
select count(*) from runs where ended_at is not null;

-- name: numbers
select number from runs where ended_at is not null and id in (select value from json_each(?));

-- name: rows_of
-- Every fact of some runs, and the names of the large ones.
select j.id, case when typeof(j.fact) = 'text' then j.fact end
from (select distinct p.stretch from json_each(?1) each cross join places p on p.run = each.value) q
cross join journal j on j.id between 512 * q.stretch and 512 * q.stretch + 511
where j.run in (select value from json_each(?1));

-- name: prune_fact
delete from journal where id = ?;

-- name: prune_places
delete from places where run in (select value from json_each(?));

-- name: prune_runs
delete from runs where number in (select value from json_each(?));

-- name: prune_blobs
delete from blobs where digest in (select value from json_each(?))
  and not exists (select 1 from journal j where typeof(j.fact) = 'text' and j.fact = blobs.digest);

-- name: naming
-- Whatever may hold the name of a large value. What a snapshot holds, a fact holds too.
select fact from journal where typeof(fact) = 'blob' and instr(fact, ?1) > 0
union all select content from blobs where instr(content, ?1) > 0
union all select content from resources where instr(content, ?1) > 0
union all select content from history where instr(content, ?1) > 0
union all select content from plans where instr(content, ?1) > 0
union all select content from events where instr(content, ?1) > 0;

-- name: prune_definitions
delete from definitions where digest not in (select definition from runs);

-- name: forget_plans
-- The program of a plan has its id for a version: while it is stored, the plan that led to it is.
delete from plans where kept_at <= (julianday('now') - 2440587.5) * 86400.0 - ?
  and not exists (
    select 1 from definitions d where d.kind = 'apply' and instr(d.content, cast(plans.id as blob)) > 0
  );

-- name: moved_definitions
select digest, name, kind, content from definitions order by digest;

-- name: moved_plans
select id, content from plans order by id;

-- name: moved_rows
select address, content from resources order by address;

-- name: moved_history
select address, at, run, content from history order by id;

-- name: moved_events
select at, key, type, run, content from events order by number;

-- name: moved_listeners
select run, position, content from listeners order by run, position;

-- name: moved_sinks
-- Places are of one store; how many events lie before a place is the same in each.
select s.name, (select count(*) from events e where e.number <= s.place), s.content from sinks s order by s.name;

-- name: load_sink
insert into sinks (name, place, content)
values (?1, case ?2 when 0 then 0 else (select number from events order by number limit 1 offset ?2 - 1) end, ?3);

-- name: moved_runs
select * from standings where number > ? order by number limit ?;
