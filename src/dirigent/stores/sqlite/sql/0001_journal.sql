-- The journal is only ever appended to and has no index of its own: a row costs what an append costs.
-- `id` counts facts of the whole store, `checksum` is the CRC-32 of a fact's bytes. `fact` is a BLOB, or as TEXT the name of a large one in `blobs`.
create table journal (
  id integer primary key,
  run integer not null,
  position integer not null,
  checksum integer not null,
  fact not null
);

-- Where the facts of a run lie: one row for each stretch of 512 ids in which it has any.
create table places (
  run integer not null,
  stretch integer not null,
  primary key (run, stretch)
) without rowid;

create table blobs (
  digest text primary key,
  content blob not null
);

-- `facts` is filled in when the run ends; before that the journal itself says how many there are.
create table runs (
  number integer primary key,
  id text not null unique,
  definition text not null,
  created_at real not null,
  parent text,
  held blob not null,
  suspended integer not null,
  cancelling integer not null,
  phase text,
  ended_at real,
  fault blob,
  facts integer
);

create index runs_open on runs (number) where phase is null;

create table timers (
  run text not null,
  position text not null,
  attempt integer not null,
  purpose text not null,
  until real not null,
  primary key (run, position, attempt, purpose)
) without rowid;

create table resources (
  address text primary key,
  content blob not null
);

create table history (
  id integer primary key,
  address text not null,
  at real not null,
  run text not null,
  content blob
);

create index history_address on history (address, id);

create table definitions (
  digest text primary key,
  name text not null,
  kind text not null,
  content blob not null
);

-- A run with all that a list shows of it.
create view standings as
select
  r.number, r.id, d.name, d.kind, r.definition, r.created_at, r.parent, r.held, r.suspended, r.cancelling,
  r.phase, r.ended_at, r.fault,
  coalesce(r.facts, (
    select max(j.position) + 1 from journal j
    where j.run = r.number
      and j.id between 512 * (select max(p.stretch) from places p where p.run = r.number)
      and 512 * (select max(p.stretch) from places p where p.run = r.number) + 511
  )) as facts
from runs r join definitions d on d.digest = r.definition;

create table plans (
  id text primary key,
  content blob not null
);

-- One row. `epoch` is the fence; `clean` is 1 between an orderly close and the next opening for writing.
create table fence (
  only_row integer primary key check (only_row = 1),
  epoch integer not null,
  clean integer not null
);

insert into fence values (1, 0, 1);
