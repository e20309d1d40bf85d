-- keeps: 1
-- When a run ended, and which run it is a child of: what retention looks at. Noted by whoever prunes, from `standing`, for an
-- engine of an earlier release does not; a run that goes on again keeps what was noted, and is looked at anew when it has ended.
alter table runs add column ended_at double precision, add column parent text collate "C";

create index runs_unnoted on runs (number) where wake_at is null and ended_at is null;
create index runs_ended on runs (ended_at) where ended_at is not null;

-- When something was kept last: what nothing names is removed when it is old.
alter table definitions add column kept_at timestamptz not null default now();
alter table plans add column kept_at timestamptz not null default now();

-- Large values, by the SHA-256 of their content, cut into chunks. A row is there when all its chunks are.
create table payloads (
  digest text collate "C" primary key,
  bytes bigint not null,
  put_at timestamptz not null default now()
) with (fillfactor = 90);

create table chunks (
  digest text collate "C" not null references payloads (digest) on delete cascade,
  number integer not null,
  content bytea not null,
  primary key (digest, number)
);

alter table chunks alter column content set storage external;

-- Runs that ended engines: at how many facts, how often in a row there, and which engine was the last.
create table deaths (
  run text collate "C" primary key,
  place integer not null,
  count integer not null,
  engine text not null,
  at timestamptz not null default now()
);

-- What is done once in a while for the whole store, by whichever engine comes first.
create table chores (
  name text collate "C" primary key,
  at timestamptz not null
);

-- The migrations that the release of an engine knows; 0 for those before this one.
alter table engines add column release integer not null default 0;
