-- What a property may say for itself; null: as configured for all.
alter table properties add column raw_days integer check (raw_days >= 1);
alter table properties add column rollup_months integer check (rollup_months >= 0);   -- 0 keeps for ever

-- Up to which day a property's raw rows are gone: such days are never computed again, their rows stand as they are.
create table purged_days (
    property_id       text primary key,
    through           date not null
);

alter table rollup_runs add column skipped_days integer not null default 0;   -- days left as they were, their raw rows being gone
