-- How far each sink of events is: all up to `place` (a number in `events`) was delivered. `content` is what it wants.
create table sinks (
  name text not null primary key,
  place integer not null,
  content blob not null
) without rowid;
