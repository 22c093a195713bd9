-- Recipients of reports whom an operator took off the list: a restore of an older backup takes them off again. No address.
create table removed_recipients (
    id                uuid primary key,
    removed_at        timestamptz not null
);
