-- keeps: 1
-- One row: the apply that was begun last, also when it has been removed since. A newer one says what it took for the last, and
-- is begun only while that is so: the lock on this row decides between engines that begin one at the same instant.
create table latest (
  only_row integer primary key check (only_row = 1),
  apply text collate "C" not null
);

insert into latest values (1, '');

-- Runs that may be applies: so they are found among any number of open runs. Of those of an earlier release nobody knows.
create table applies (run text collate "C" primary key);

insert into applies select id from runs where wake_at is not null;
