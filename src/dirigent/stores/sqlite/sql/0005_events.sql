-- The log of events: what runs emit and what comes from outside, in the order in which it is offered to who listens.
-- `key` is source and id, by which an event comes once only; `run` is the one that emitted it, empty for outside.
create table events (
  number integer primary key autoincrement,
  at real not null,
  key text not null unique,
  type text not null,
  run text not null,
  content blob not null
);

create index events_of_type on events (type, number);

-- Which tasks of open runs listen, and for what. Kept in the transaction of the facts that say so.
create table listeners (
  run text not null,
  position text not null,
  content blob not null,
  primary key (run, position)
) without rowid;
