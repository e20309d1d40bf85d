-- name: unnoted
select number, standing from runs where wake_at is null and ended_at is null order by number limit $1;

-- name: note_ends
update runs r set ended_at = t.ended_at, parent = t.parent
from unnest($1::bigint[], $2::float8[], $3::text[]) as t (number, ended_at, parent)
where r.number = t.number and r.wake_at is null;

-- name: prunable
-- Ended runs that are past their age, oldest first. A child is kept while its parent is open: the parent may ask for it.
select r.number, r.id, r.ended_at, r.standing from runs r
where r.ended_at < $1::float8 and r.wake_at is null and r.shard = any($5::integer[])
  and r.ended_at < case r.phase when 'completed' then $2::float8 when 'faulted' then $3::float8 else $4::float8 end
  and not exists (select 1 from runs p where p.id = r.parent and p.wake_at is not null)
order by r.ended_at limit $6;

-- name: ended
select count(*) from runs where ended_at is not null and wake_at is null;

-- name: oldest_ended
-- Of the oldest runs of the whole store those that lie in some shards.
select o.number, o.id, o.ended_at, o.standing from (
  select r.number, r.id, r.ended_at, r.standing, r.shard from runs r
  where r.ended_at is not null and r.wake_at is null
    and not exists (select 1 from runs p where p.id = r.parent and p.wake_at is not null)
  order by r.ended_at limit $1
) o
where o.shard = any($2::integer[]) order by o.ended_at limit $3;

-- name: prune
-- The answer to a wish goes with its run: whoever begins a run of this name again must not be told of the old one.
with own as (
  select s.id from shards s where s.id = $1 and s.token = $2 for share
), gone as (
  delete from runs r
  where r.id = any($3::text[]) and r.shard = $1 and r.wake_at is null and exists (select 1 from own)
  returning r.number, r.id
), facts as (
  delete from journal j using gone g where j.run = g.number returning j.count
), dropped as (
  delete from snapshots s using gone g where s.run = g.number
), told as (
  delete from inbox i using gone g
  where i.answer is not null and i.key >= 'start ' || g.id || ' ' and i.key < 'start ' || g.id || '!'
)
select (select count(*) from own), (select count(*) from gone), (select coalesce(sum(count), 0)::bigint from facts);

-- name: standings
select number, standing from runs where number > $1 order by number limit $2;

-- name: wished
select content from inbox where answer is null and kind = 'start';

-- name: forget_definitions
delete from definitions where kept_at <= clock_timestamp() - $2 * interval '1 second' and not digest = any($1::text[]);

-- name: forget_plans
delete from plans p where p.kept_at <= clock_timestamp() - $1 * interval '1 second'
  and not exists (
    select 1 from definitions d where d.kind = 'apply' and position(convert_to(p.id, 'UTF8') in d.content) > 0
  );

-- name: bytes
select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_catalog.pg_class
where relnamespace = to_regnamespace('dirigent') and relkind = 'r';

-- name: touch_payload
with touched as (
  update payloads set put_at = clock_timestamp() where digest = $1 returning 1
)
select exists (select 1 from touched),
  exists (select 1 from engines where until > clock_timestamp() and release < $2::integer);

-- name: put_payload
insert into payloads (digest, bytes, put_at) values ($1, $2, clock_timestamp())
on conflict (digest) do update set put_at = clock_timestamp()
returning xmax = 0;

-- name: put_chunk
insert into chunks (digest, number, content) values ($1, $2, $3);

-- name: chunk
select p.bytes, c.content from payloads p left join chunks c on c.digest = p.digest and c.number = $2
where p.digest = $1;

-- name: stored_payloads
select digest from payloads order by digest;

-- name: old_payloads
select extract(epoch from clock_timestamp())::float8,
  exists (select 1 from payloads where put_at <= clock_timestamp() - $1 * interval '1 second');

-- name: forget_payloads
delete from payloads where put_at <= to_timestamp($1) and not digest = any($2::text[]) returning bytes;

-- name: last_journal
select coalesce(max(run), 0) from journal;

-- name: naming_facts
select facts from journal where run >= $2::bigint and run < $3::bigint and position($1::bytea in facts) > 0;

-- name: naming_resources
select content from resources where position($1::bytea in content) > 0;

-- name: naming_history
select content from history where position($1::bytea in content) > 0;

-- name: naming_plans
select content from plans where position($1::bytea in content) > 0;

-- name: naming_events
select content from events where position($1::bytea in content) > 0;

-- name: naming_inbox
select content from inbox where position($1::bytea in content) > 0;

-- name: claim_chore
insert into chores (name, at) values ($1, clock_timestamp())
on conflict (name) do update set at = excluded.at
where chores.at <= clock_timestamp() - $2::float8 * interval '1 second'
returning 1;

-- name: forget_wishes
delete from inbox where answer is not null and asked_at < clock_timestamp() - interval '1 hour';

-- name: note_death
insert into deaths (run, place, count, engine) values ($1, $2, 1, $3)
on conflict (run) do update set place = excluded.place, at = now(), engine = excluded.engine,
  count = case
    when deaths.engine = excluded.engine then deaths.count
    when deaths.place = excluded.place then deaths.count + 1
    else 1 end;

-- name: deaths
select r.shard, d.run, d.place, d.count from deaths d join runs r on r.id = d.run where r.shard = any($1::integer[]);

-- name: forgive
delete from deaths where run = $1;

-- name: forget_deaths
delete from deaths where at < clock_timestamp() - interval '30 days'
  or not exists (select 1 from runs r where r.id = run and r.wake_at is not null);
