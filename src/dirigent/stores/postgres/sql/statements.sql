-- name: write
with own as (
  select s.id from shards s where s.token = ($2::bigint[])[array_position($1::integer[], s.id)] order by s.id for share
), fresh as (
  select nextval('runs_number_seq') as number, t.*
  from unnest($3::text[], $4::integer[], $5::text[], $6::text[], $7::float8[], $8::float8[], $9::bytea[],
    $10::integer[], $11::integer[], $12::bytea[])
    as t (id, shard, name, phase, created_at, wake_at, standing, count, checksum, facts)
  where t.shard in (select id from own)
), turn as (
  update latest set apply = $48::text
  where $48 <> '' and ($49::text is null or apply = $49) and exists (select 1 from fresh where id = $48)
  returning 1
), created as (
  insert into runs (number, id, shard, name, phase, created_at, wake_at, standing)
  overriding system value
  select number, id, shard, name, phase, created_at, wake_at, standing from fresh
  where id <> $48 or exists (select 1 from turn)
  on conflict (id) do nothing
  returning number, id
), refused as (
  select id from fresh where number not in (select number from created)
), born as (
  insert into journal (run, position, count, checksum, facts)
  select number, 0, count, checksum, facts from fresh where count > 0 and number in (select number from created)
), grown as (
  insert into journal (run, position, count, checksum, facts)
  select t.run, t.position, t.count, t.checksum, t.facts
  from unnest($13::integer[], $14::bigint[], $15::integer[], $16::integer[], $17::integer[], $18::bytea[])
    as t (shard, run, position, count, checksum, facts)
  where t.shard in (select id from own)
), changed as (
  update runs r set phase = t.phase, wake_at = t.wake_at, standing = t.standing
  from unnest($19::integer[], $20::bigint[], $21::text[], $22::float8[], $23::bytea[])
    as t (shard, number, phase, wake_at, standing)
  where r.number = t.number and t.shard in (select id from own)
), forgotten as (
  delete from snapshots where run = any($24::bigint[]) and exists (select 1 from own)
), put as (
  insert into resources (address, content)
  select t.address, t.content
  from unnest($25::integer[], $26::text[], $27::text[], $28::bytea[]) as t (shard, run, address, content)
  where t.content is not null and t.shard in (select id from own) and t.run not in (select id from refused)
  on conflict (address) do update set content = excluded.content
), dropped as (
  delete from resources r
  using unnest($25::integer[], $26::text[], $27::text[], $28::bytea[]) as t (shard, run, address, content)
  where r.address = t.address and t.content is null
    and t.shard in (select id from own) and t.run not in (select id from refused)
), noted as (
  insert into history (address, at, run, content)
  select t.address, t.at, t.run, t.content
  from unnest($29::integer[], $30::text[], $31::text[], $32::float8[], $33::bytea[]) with ordinality
    as t (shard, run, address, at, content, place)
  where t.shard in (select id from own) and t.run not in (select id from refused)
  order by t.place
), granted as (
  update inbox i set answer = t.answer
  from unnest($34::integer[], $35::text[], $36::bigint[], $37::bytea[]) as t (shard, run, id, answer)
  where i.id = t.id and t.shard in (select id from own) and t.run not in (select id from refused)
), told as (
  insert into events (at, key, type, run, content)
  select t.at, t.key, t.type, t.run, t.content
  from unnest($38::integer[], $39::float8[], $40::text[], $41::text[], $42::text[], $43::bytea[]) with ordinality
    as t (shard, at, key, type, run, content, place)
  where t.shard in (select id from own) and t.run not in (select id from refused)
  order by t.place
  on conflict (key) do nothing
), listening as (
  insert into listeners (shard, run, position, content)
  select t.shard, t.run, t.position, t.content
  from unnest($44::integer[], $45::text[], $46::text[], $47::bytea[]) as t (shard, run, position, content)
  where t.content is not null and t.shard in (select id from own) and t.run not in (select id from refused)
  on conflict (run, position) do update set shard = excluded.shard, content = excluded.content
), silent as (
  delete from listeners l
  using unnest($44::integer[], $45::text[], $46::text[], $47::bytea[]) as t (shard, run, position, content)
  where l.run = t.run and l.position = t.position and t.content is null and t.shard in (select id from own)
), applying as (
  insert into applies (run) select id from created where id = $48 on conflict do nothing
)
select
  (select coalesce(array_agg(id), '{}') from own),
  (select coalesce(array_agg(id), '{}') from created),
  (select coalesce(array_agg(number), '{}') from created),
  exists (select 1 from turn) or exists (select 1 from runs where id = $48);

-- name: newest_apply
select apply from latest;

-- name: open_applies
select
  r.standing,
  coalesce((select j.position + j.count from journal j where j.run = r.number order by j.position desc limit 1), 0)
from applies a join runs r on r.id = a.run
where r.wake_at is not null
order by r.number;

-- name: addresses
select distinct address from history order by address;

-- name: grow
with own as (
  select s.id from shards s where s.token = ($2::bigint[])[array_position($1::integer[], s.id)] order by s.id for share
), grown as (
  insert into journal (run, position, count, checksum, facts)
  select t.run, t.position, t.count, t.checksum, t.facts
  from unnest($3::integer[], $4::bigint[], $5::integer[], $6::integer[], $7::integer[], $8::bytea[])
    as t (shard, run, position, count, checksum, facts)
  where t.shard in (select id from own)
)
select coalesce(array_agg(id), '{}') from own;

-- name: heads
select
  r.id, r.number, r.shard, r.standing,
  coalesce((select j.position + j.count from journal j where j.run = r.number order by j.position desc limit 1), 0),
  exists (select 1 from snapshots s where s.run = r.number),
  (select j.checksum from journal j where j.run = r.number and j.position = 0)
from runs r where r.id = any($1::text[]);

-- name: facts
select r.id, j.position, j.count, j.checksum, j.facts
from runs r join journal j on j.run = r.number
where r.id = any($1::text[])
order by r.id, j.position;

-- name: facts_since
select j.position, j.count, j.checksum, j.facts
from runs r join journal j on j.run = r.number
where r.id = $1 and j.position >= coalesce(
  (select max(k.position) from journal k where k.run = r.number and k.position <= $2), 0)
order by j.position;

-- name: runs
select
  r.standing,
  coalesce((select j.position + j.count from journal j where j.run = r.number order by j.position desc limit 1), 0)
from runs r
where ($2::integer is null or r.shard = $2) and (not $3 or r.wake_at is not null)
order by r.number desc limit $1;

-- name: title
select name, kind from definitions where digest = $1;

-- name: keep_definition
insert into definitions (digest, name, kind, content) values ($1, $2, $3, $4)
on conflict (digest) do update set kept_at = now();

-- name: definition
select content from definitions where digest = $1;

-- name: keep_plan
insert into plans (id, content) values ($1, $2) on conflict (id) do update set kept_at = now();

-- name: plan
select content from plans where id = $1;

-- name: has_plan
select 1 from plans where id = $1;

-- name: row
select content from resources where address = $1;

-- name: rows
select content from resources order by address;

-- name: history
select at, run, content from history where address = $1 order by id;

-- name: lease
with free as (
  select id from shards where until < clock_timestamp() order by id limit $2 for update skip locked
)
update shards s set owner = $1, token = s.token + 1, until = clock_timestamp() + $3 * interval '1 second'
from free where s.id = free.id
returning s.id, s.token;

-- name: seize
update shards set owner = $1, token = token + 1, until = clock_timestamp() + $3 * interval '1 second'
where id = any($2::integer[])
returning id, token;

-- name: raise_tokens
update shards set token = token + 1, until = clock_timestamp() + $4 * interval '1 second'
where owner = $1 and token = ($3::bigint[])[array_position($2::integer[], id)]
returning id, token;

-- name: renew
with kept as (
  update shards set until = clock_timestamp() + $4 * interval '1 second'
  where owner = $1 and token = ($3::bigint[])[array_position($2::integer[], id)]
  returning id
), alive as (
  insert into engines (id, title, until, release)
  values ($1, $5, clock_timestamp() + $4 * interval '1 second', $6)
  on conflict (id) do update set until = excluded.until
)
select
  (select coalesce(array_agg(id), '{}') from kept),
  (select count(*) from engines where until > clock_timestamp() and id <> $1) + 1,
  (select count(*) from shards),
  (select count(*) from shards where until < clock_timestamp()),
  (select extract(epoch from min(until) - clock_timestamp())::float8 from shards
    where owner is not null and owner <> $1 and until > clock_timestamp());

-- name: release
-- The hint travels with the commit: this is a statement of once in a while, and others may take over at once.
with freed as (
  update shards set owner = null, until = '-infinity', token = token + 1
  where owner = $1 and token = ($3::bigint[])[array_position($2::integer[], id)]
), gone as (
  delete from engines where (id = $1 and $4) or until < clock_timestamp() - interval '1 hour'
)
select pg_notify('dirigent', 'shards');

-- name: snapshots
select r.id, s.position, s.content from runs r join snapshots s on s.run = r.number where r.id = any($1::text[]);

-- name: facts_of_many
select t.id, j.position, j.count, j.checksum, j.facts
from unnest($1::text[], $2::integer[]) as t (id, since)
join runs r on r.id = t.id
join journal j on j.run = r.number and j.position >= coalesce(
  (select max(k.position) from journal k where k.run = r.number and k.position <= t.since), 0)
order by t.id, j.position;

-- name: wakings
select wake_at, id from runs
where wake_at is not null and ($1::integer is null or shard = $1) and (wake_at, id) > ($2, $3)
order by wake_at, id limit $4;

-- name: keep_snapshot
insert into snapshots (run, position, content)
select r.number, $2, $3 from runs r
where r.id = $1 and r.wake_at is not null and $2 <= coalesce(
  (select j.position + j.count from journal j where j.run = r.number order by j.position desc limit 1), 0)
on conflict (run) do update set position = excluded.position, content = excluded.content;

-- name: take_events
insert into events (at, key, type, run, content)
select extract(epoch from clock_timestamp())::float8, t.key, t.type, '', t.content
from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as t (key, type, content, place)
order by t.place
on conflict (key) do nothing
returning key;

-- name: events
select tx, number, at, run, content from events
where (tx, number) > ($1, $2) and at >= $3 and tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
order by tx, number limit $4;

-- name: events_of_types
select e.tx, e.number, e.at, e.run, e.content
from unnest($5::text[]) w (type) join events e on e.type = w.type
where (e.tx, e.number) > ($1, $2) and e.at >= $3 and e.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
order by e.tx, e.number limit $4;

-- name: log_end
select tx, number from events where tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
order by tx desc, number desc limit 1;

-- name: forget_events
with behind as (
  select tx, number from events order by tx desc, number desc offset $2 limit 1
)
delete from events e
where (e.at < $1 or (e.tx, e.number) <= (select tx, number from behind))
  and e.at < $3 and not exists (select 1 from sinks s where (s.tx, s.number) < (e.tx, e.number))
returning 1;

-- name: cursors
select name, tx, number, content from sinks order by name;

-- name: keep_cursor
insert into sinks (name, tx, number, content) values ($1, $2, $3, $4)
on conflict (name) do update set content = excluded.content;

-- name: claim_cursor
update sinks set holder = $2, until = clock_timestamp() + $3 * interval '1 second'
where name = $1 and (holder = $2 or until < clock_timestamp())
returning tx, number;

-- name: advance_cursor
update sinks set tx = $3, number = $4 where name = $1 and holder = $2
returning 1;

-- name: drop_cursor
delete from sinks where name = $1;

-- name: listeners
select content from listeners where $1::integer is null or shard = $1 order by run, position;

-- name: wish
insert into inbox (key, shard, run, kind, content) values ($1, $2, $3, $4, $5) on conflict (key) do nothing;

-- name: wishes
select id, shard, run, kind, content from inbox where answer is null and shard = any($1::integer[]) order by id limit 500;

-- name: answer
update inbox set answer = $2 where id = $1 and answer is null;

-- name: answered
select answer, (select count(*) from engines where until > clock_timestamp()) from inbox where key = $1;

-- name: living
select count(*) from engines where until > clock_timestamp();

-- name: shards
select count(*) from shards;

-- name: notify
select pg_notify('dirigent', $1);

-- name: moved_definitions
select digest, name, kind, content from definitions order by digest;

-- name: moved_plans
select id, content from plans order by id;

-- name: moved_rows
select address, content from resources order by address;

-- name: moved_history
select address, at, run, content from history order by id;

-- name: moved_events
select at, key, type, run, content from events order by tx, number;

-- name: moved_listeners
select run, position, content from listeners order by run, position;

-- name: moved_sinks
-- Places are of one store; how many events lie before a place is the same in each.
select s.name, (select count(*) from events e where (e.tx, e.number) <= (s.tx, s.number)), s.content
from sinks s order by s.name;

-- name: moved_runs
select number, id, standing from runs where number > $1 order by number limit $2;

-- name: filled
select exists (select 1 from runs) or exists (select 1 from plans) or exists (select 1 from resources)
  or exists (select 1 from history) or exists (select 1 from events);

-- name: load_definitions
insert into definitions (digest, name, kind, content)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) on conflict do nothing;

-- name: load_plans
insert into plans (id, content) select * from unnest($1::text[], $2::bytea[]);

-- name: load_rows
insert into resources (address, content) select * from unnest($1::text[], $2::bytea[]);

-- name: load_history
insert into history (address, at, run, content)
select t.address, t.at, t.run, t.content
from unnest($1::text[], $2::float8[], $3::text[], $4::bytea[]) with ordinality as t (address, at, run, content, place)
order by t.place;

-- name: load_events
insert into events (at, key, type, run, content)
select t.at, t.key, t.type, t.run, t.content
from unnest($1::float8[], $2::text[], $3::text[], $4::text[], $5::bytea[]) with ordinality
  as t (at, key, type, run, content, place)
order by t.place;

-- name: load_listeners
insert into listeners (run, position, content, shard)
select * from unnest($1::text[], $2::text[], $3::bytea[], $4::integer[]);

-- name: load_sinks
insert into sinks (name, tx, number, content)
select t.name, coalesce(e.tx, 0), coalesce(e.number, 0), t.content
from unnest($1::text[], $2::bigint[], $3::bytea[]) as t (name, behind, content)
left join lateral (
  select tx, number from events where t.behind > 0 order by tx, number limit 1 offset greatest(t.behind - 1, 0)
) e on true;

-- name: load_runs
insert into runs (id, shard, name, phase, created_at, wake_at, standing)
select t.id, t.shard, t.name, t.phase, t.created_at, t.wake_at, t.standing
from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::bytea[]) with ordinality
  as t (id, shard, name, phase, created_at, wake_at, standing, place)
order by t.place;

-- name: load_journal
insert into journal (run, position, count, checksum, facts)
select r.number, t.position, t.count, t.checksum, t.facts
from unnest($1::text[], $2::integer[], $3::integer[], $4::integer[], $5::bytea[])
  as t (id, position, count, checksum, facts)
join runs r on r.id = t.id;
