-- Weekly reports by mail: whether a property has them, who gets them, and what was sent.

create table report_settings (
    property_id text primary key,
    enabled     boolean not null,
    weekday     smallint not null check (weekday between 1 and 7),   -- 1 is Monday
    hour        smallint not null check (hour between 0 and 23),     -- UTC
    changed_at  timestamptz not null
);

create table report_recipients (
    id          uuid primary key,
    property_id text not null,
    address     text not null,
    added_at    timestamptz not null,
    stopped_at  timestamptz,                                         -- the recipient wants no more of them
    unique (property_id, address)
);

-- One row for each week and recipient, made before anything is sent: what has its row is not sent once more.
create table report_deliveries (
    property_id     text not null,
    week            date not null,                                   -- its Monday
    recipient_id    uuid not null,                                   -- all zeros: the operator's own program
    id              uuid not null,
    state           text not null check (state in ('waiting', 'sending', 'sent', 'failed')),
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null,
    changed_at      timestamptz not null,
    error           text,
    primary key (property_id, week, recipient_id)
);
