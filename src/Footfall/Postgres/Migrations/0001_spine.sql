-- The spine: visitors, sessions, events, what ingestion needs to be exact, and the daily rollups.
-- visitor_id leads every visitor-level key, so that the same schema can be distributed by it.

create type traffic_source as enum ('direct', 'organic_search', 'paid_search', 'social', 'email', 'referral', 'campaign', 'internal', 'unknown');
create type device_type as enum ('desktop', 'mobile', 'tablet', 'bot', 'unknown');
create type visitor_kind as enum ('anon_id', 'cookieless');
create type consent_status as enum ('pending', 'express', 'implied', 'withdrawn');
create type link_source as enum ('form_submit', 'same_ip_ua_window', 'manual_merge');

create table properties (
    id                text primary key,
    name              text not null,
    hosts             text[] not null default '{}',          -- the site's own hosts: referrers on them are internal
    time_zone         text not null default 'UTC',            -- for display; days stay UTC days
    goals             jsonb not null default '[]',            -- [{"name", "eventType", "path"?}]
    submit_events     text[] not null default '{session_submitted}',
    open_events       text[] not null default '{app_opened,tab_opened}',
    public_summary    boolean not null default false,
    created_at        timestamptz not null default now()
);

-- Dense numbers: what the day rows' visitor sets hold. Taken only for visitors that are really new.
create sequence visitor_numbers as integer;

create table visitors (
    id                uuid primary key,                       -- the visitor_id of other tables
    anon_id           text,
    kind              visitor_kind not null,
    number            integer not null,
    first_seen_at     timestamptz,                            -- of events that are in range and not from bots; null until the first
    last_seen_at      timestamptz,
    first_property_id text,                                   -- where first_seen_at happened
    first_ip_hash     bytea,
    last_ip_hash      bytea,
    first_ua_hash     bytea,
    last_ua_hash      bytea,
    account_id        text,                                   -- last known, of account_seen_at
    account_seen_at   timestamptz,
    unique (anon_id, id)
) with (fillfactor = 85);                                     -- last_seen_at moves in place

create table sessions (
    visitor_id        uuid not null,
    id                uuid not null,
    property_id       text not null,
    started_at        timestamptz not null,
    ended_at          timestamptz not null,                   -- last event so far
    first_event_id    uuid not null,                          -- (started_at, first_event_id) decides source, device, country
    entry_at          timestamptz,                            -- first page view; null while there is none
    entry_event_id    uuid,
    exit_at           timestamptz,                            -- last page view so far
    exit_event_id     uuid,
    later_exit_day    date,                                   -- UTC day of exit_at where started_at has an earlier one; kept apart from
                                                              -- exit_at so that moving the exit within the day touches no index
    landing_path      text,
    exit_path         text,
    referrer          text,
    referrer_host     text,
    utm_source        text,
    utm_medium        text,
    utm_campaign      text,
    utm_term          text,
    utm_content       text,
    traffic_source    traffic_source not null,
    device_type       device_type not null,
    browser           text,
    os                text,
    country_code      text,
    page_views        integer not null,
    events            integer not null,
    engaged_ms        bigint not null,
    has_conversion    boolean not null,
    is_bounce         boolean not null,
    sealed            boolean not null default false,         -- closed, and its last page view is flagged is_exit
    primary key (visitor_id, id)
) with (fillfactor = 80);

create index sessions_started on sessions (property_id, started_at);
create index sessions_later_exit on sessions (property_id, later_exit_day) where later_exit_day is not null;
create index sessions_open on sessions (started_at) where not sealed;

create table events (
    visitor_id        uuid not null,
    id                uuid not null,                          -- ordered by arrival
    occurred_at       timestamptz not null,
    received_at       timestamptz not null,
    session_id        uuid,                                   -- null: out of range, counted by no rollup
    dedupe_key        uuid,
    property_id       text not null,
    event_type        text not null,
    path              text,
    ip_hash           bytea,
    ua_hash           bytea,
    traffic_source    traffic_source not null,
    device_type       device_type not null,
    is_entrance       boolean not null,
    is_exit           boolean not null,                       -- set when the session is sealed
    is_conversion     boolean not null,
    country_code      text,
    account_id        text,
    entity_type       text,
    entity_id         text,
    props             jsonb,
    primary key (visitor_id, occurred_at, id)                 -- in this order a visitor's time span is one index range
) partition by range (occurred_at);

create index events_day on events (property_id, occurred_at);
create index events_received on events using brin (received_at) with (pages_per_range = 32);

create table events_default partition of events default;

-- One row per dedupe key that was taken. Apart from events, because a partitioned table cannot keep
-- (visitor_id, dedupe_key) unique without the time, and a retry without a timestamp arrives with another one.
create table event_keys (
    visitor_id        uuid not null,
    dedupe_key        uuid not null,
    occurred_at       timestamptz not null,                   -- for retention
    primary key (visitor_id, dedupe_key)
);

create table accounts (
    id                text primary key,
    username          text,
    display_name      text,
    first_name        text,
    last_name         text,
    updated_at        timestamptz not null
);

create table leads (
    id                uuid primary key,
    email_normalized  text not null unique,
    email_domain      text not null,
    consent_status    consent_status not null,
    first_captured_at timestamptz not null,
    last_captured_at  timestamptz not null,
    source_channel    text,
    property_id       text not null
);

create index leads_captured on leads (property_id, first_captured_at);

create table lead_identities (
    id                uuid primary key,
    lead_id           uuid not null references leads (id) on delete cascade,
    visitor_id        uuid not null,
    link_source       link_source not null,
    confidence        real not null check (confidence between 0 and 1),
    linked_at         timestamptz not null,
    unique (lead_id, visitor_id, link_source)
);

create index lead_identities_visitor on lead_identities (visitor_id);

-- How far each server's journal is in the database: written in the transaction that writes the rows.
create table journal_positions (
    journal_id        uuid primary key,
    segment           bigint not null,
    "offset"          bigint not null,
    updated_at        timestamptz not null
);

-- What became of every event that arrived, by UTC day of arrival; added to in the transaction that stores the rows.
create table ingest_counts (
    property_id       text not null,
    day               date not null,
    outcome           text not null check (outcome in ('accepted', 'bot', 'duplicate', 'dropped', 'rejected', 'lead_accepted', 'lead_rejected')),
    reason            text not null default '',
    events            bigint not null,
    primary key (property_id, day, outcome, reason)
);

-- A day whose raw rows changed since it was last rolled up. marks grows with each change, so that a rollup
-- removes the mark only if nothing changed while it read.
create table dirty_days (
    property_id       text not null,
    day               date not null,
    marks             bigint not null,
    marked_at         timestamptz not null,
    primary key (property_id, day)
);

-- Grows with each rollup of the property: what cached answers are checked against.
create table rollup_versions (
    property_id       text primary key,
    version           bigint not null
);

create table daily_metric_rollups (
    property_id                 text not null,
    day                         date not null,
    unique_visitors             integer not null,
    returning_visitors          integer not null,
    page_views                  bigint not null,
    entrances                   bigint not null,
    exits                       bigint not null,
    conversions                 bigint not null,
    events                      bigint not null,
    form_starts                 bigint not null,
    form_submits                bigint not null,
    sessions                    bigint not null,
    bounces                     bigint not null,
    converted_sessions          bigint not null,
    landing_sessions            bigint not null,              -- those with an entry page
    landing_conversions         bigint not null,
    duration_ms                 bigint not null,              -- sum over sessions started in the day
    engaged_ms                  bigint not null,
    new_leads                   integer not null,
    first_capture_ms            bigint not null,              -- sum over first_capture_leads
    first_capture_leads         integer not null,
    sources                     jsonb not null,               -- {"direct": sessions, ...}
    landing_pages               jsonb not null,               -- [{"path", "sessions", "converted"}], most sessions first
    visitors                    bytea not null,               -- set of visitor numbers: docs/visitor-sets.md
    first_time_visitors         bytea not null,               -- those of them first seen in this day
    seen_elsewhere              bytea not null,               -- those of them first seen on another property before this day
    generated_at                timestamptz not null,
    primary key (property_id, day)
);

create table daily_ingest_rollups (
    property_id                 text not null,
    day                         date not null,
    events_accepted             bigint not null,              -- stored, bots included
    events_duplicate            bigint not null,
    events_bot                  bigint not null,
    events_dropped              bigint not null,
    events_rejected             bigint not null,
    dropped_by_reason           jsonb not null,
    rejected_by_reason          jsonb not null,
    leads_accepted              bigint not null,
    leads_rejected              bigint not null,
    leads_rejected_by_reason    jsonb not null,
    p95_ttfb_ms                 integer,                      -- null: no event of the day carried one
    ttfb_counts                 bytea not null,               -- how often each whole millisecond was seen: docs/visitor-sets.md
    generated_at                timestamptz not null,
    primary key (property_id, day)
);

create table rollup_runs (
    id                bigint generated always as identity primary key,
    job               text not null,
    property_id       text,                                   -- null: every property
    window_from       date not null,
    window_to         date not null,
    started_at        timestamptz not null,
    finished_at       timestamptz,
    status            text not null check (status in ('running', 'succeeded', 'failed')),
    rows_written      integer not null default 0,
    ignored_count     bigint not null default 0,
    error             text
);

create index rollup_runs_latest on rollup_runs (job, started_at desc);
