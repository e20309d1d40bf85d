-- keeps: 1
-- The log of events: what runs emit and what comes from outside. `key` is source and id, by which an event comes once only;
-- `run` is the one that emitted it, empty for outside. Numbers are given before they are committed, so the log is read in the
-- order of transactions, and no further than the oldest one that is still under way.
create table events (
  number bigint generated always as identity primary key,
  tx bigint not null default pg_current_xact_id()::text::bigint,
  at double precision not null,
  key text collate "C" not null unique,
  type text collate "C" not null,
  run text collate "C" not null,
  content bytea not null
);

create index events_placed on events (tx, number);
create index events_of_type on events (type, tx, number);

alter table events alter column content set storage external;

-- Which tasks of open runs listen, and for what. Kept in the transaction of the facts that say so.
create table listeners (
  run text collate "C" not null,
  position text collate "C" not null,
  shard integer not null,
  content bytea not null,
  primary key (run, position)
) with (fillfactor = 80);

create index listeners_of_shard on listeners (shard);
