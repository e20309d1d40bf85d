-- keeps: 1
-- A run lives in a shard. Whoever owns a shard writes its runs, and nobody else: every writing statement checks the token,
-- which grows with each owner. Ends of leases are told by the clock of the database alone.
create table shards (
  id integer primary key,
  token bigint not null default 0,
  owner text,
  until timestamptz not null default '-infinity'
) with (fillfactor = 50);

insert into shards (id) select generate_series(0, 15);

-- One row for each engine that lives, so that shards can be shared out evenly.
create table engines (
  id text collate "C" primary key,
  title text not null,
  until timestamptz not null
) with (fillfactor = 50);

-- `standing` is all that a list shows of a run; the columns beside it are for finding runs, and for people.
-- `wake_at` is when it next has something to do (seconds since the epoch, 0 now, infinity only when told), null when it has ended.
create table runs (
  number bigint generated always as identity primary key,
  id text collate "C" not null unique,
  shard integer not null,
  name text not null,
  phase text not null,
  created_at double precision not null,
  wake_at double precision,
  standing bytea not null
) with (fillfactor = 80);

create index runs_open on runs (shard, wake_at, id) where wake_at is not null;

-- One row for each append: `facts` holds `count` of them, from `position` on; `checksum` is the CRC-32 of its bytes.
-- Only ever appended to. The key is the second line of defence behind the token, and how a run is read.
create table journal (
  run bigint not null,
  position integer not null,
  count integer not null,
  checksum integer not null,
  facts bytea not null,
  primary key (run, position)
);

alter table journal alter column facts set storage external;

-- What the first facts of a run come to: a cache that may be dropped.
create table snapshots (
  run bigint primary key,
  position integer not null,
  content bytea not null
);

create table definitions (
  digest text collate "C" primary key,
  name text not null,
  kind text not null,
  content bytea not null
);

create table plans (
  id text collate "C" primary key,
  content bytea not null
);

create table resources (
  address text collate "C" primary key,
  content bytea not null
);

create table history (
  id bigint generated always as identity primary key,
  address text collate "C" not null,
  at double precision not null,
  run text collate "C" not null,
  content bytea
);

create index history_address on history (address, id);

-- What other processes want of the owner of a shard: a run begun, or a word put into one. The key keeps a wish from being
-- granted twice. `answer` is filled in by the commit that grants it, or that refuses it.
create table inbox (
  id bigint generated always as identity primary key,
  key text collate "C" not null unique,
  shard integer not null,
  run text collate "C" not null,
  kind text not null,
  content bytea not null,
  asked_at timestamptz not null default clock_timestamp(),
  answer bytea
);

create index inbox_waiting on inbox (shard, id) where answer is null;
create index inbox_answered on inbox (asked_at) where answer is not null;
