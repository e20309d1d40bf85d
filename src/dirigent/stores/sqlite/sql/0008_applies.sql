-- One row: the apply that was begun last, also when it has been removed since. A newer one says what it took for the last, and
-- is begun only while that is so: of two that were checked at the same instant one comes first.
create table applies (
  only_row integer primary key check (only_row = 1),
  newest text not null
);

insert into applies values (1, '');
