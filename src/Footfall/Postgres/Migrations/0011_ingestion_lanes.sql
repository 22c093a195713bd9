-- How far each lane of each server's journal is in the database. Visitors are dealt out to lanes, and lanes are written at
-- once, each in transactions of its own. A journal without rows here is where journal_positions says, which servers of
-- before keep writing.
create table journal_lanes (
    journal_id        uuid not null,
    lane              smallint not null,
    segment           bigint not null,
    "offset"          bigint not null,
    updated_at        timestamptz not null,
    primary key (journal_id, lane)
);
