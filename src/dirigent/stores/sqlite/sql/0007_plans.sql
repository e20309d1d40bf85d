-- When a plan was kept last (seconds since the epoch): one that nothing names is removed when it is old. Of those of an older
-- release nobody knows, so they are as old as this upgrade.
alter table plans add column kept_at real not null default 0.0;

update plans set kept_at = (julianday('now') - 2440587.5) * 86400.0;
