-- Which runs have ended, oldest end first: what retention looks at.
create index runs_ended on runs (ended_at) where ended_at is not null;

-- Where large facts are named, so that a blob that nothing names any more is found without reading every fact.
create index journal_blobs on journal (fact) where typeof(fact) = 'text';
