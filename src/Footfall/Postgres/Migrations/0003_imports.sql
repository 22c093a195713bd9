-- What was imported from files, and how far an unfinished import is: written in the transaction that stores the rows,
-- so that the same file twice changes nothing and an interrupted import goes on where it was.
create table imports (
    content_sha256    bytea not null,                         -- of the file as it is, compressed or not
    property_id       text not null,
    options           text not null,                          -- format and shift: other options make other events of the same file
    shift_days        integer,                                -- decided once, so that a later run means the same days; null: not yet
    lines_done        bigint not null default 0,              -- every line up to this one is stored, or was no page view
    imported          bigint not null default 0,
    duplicates        bigint not null default 0,
    started_at        timestamptz not null,
    updated_at        timestamptz not null,
    finished_at       timestamptz,                            -- null while there is more to read
    primary key (content_sha256, property_id, options)
);
