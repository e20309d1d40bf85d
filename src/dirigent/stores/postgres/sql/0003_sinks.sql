-- keeps: 1
-- How far each sink of events is: all up to (tx, number) was delivered. `content` is what it wants. One engine at a time
-- delivers: the `holder`, until another one may.
create table sinks (
  name text collate "C" primary key,
  tx bigint not null,
  number bigint not null,
  content bytea not null,
  holder text collate "C" not null default '',
  until timestamptz not null default '-infinity'
) with (fillfactor = 80);
