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
