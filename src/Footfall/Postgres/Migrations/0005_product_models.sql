-- Read models over users: product metrics, experiments, funnels, entities. A user is one dense number: twice a
-- visitor's number, or twice an account's number and one, so that both fit into one set.

create sequence account_number_sequence as integer;

create table account_numbers (
    account_id        text primary key,
    number            integer not null unique
);

-- What users did on a property's day, packed: 'users' is the set of those with an event; the others are each user's
-- times: 'open', 'submit', 'type:<event type>' for experiments' metrics, 'step:<funnel>:<index>'. A day's raw rows
-- are read once for all of them; whatever looks at several days reads these.
create table user_facts (
    property_id       text not null,
    day               date not null,
    fact              text not null,
    payload           bytea not null,
    primary key (property_id, day, fact)
);

create table product_users (
    property_id       text not null,
    user_number       integer not null,
    first_day         date not null,                          -- of the user's first event ever on the property
    primary key (property_id, user_number)
);

create index product_users_first_day on product_users (property_id, first_day);

create table daily_product_metrics (
    property_id       text not null,
    day               date not null,
    metric_name       text not null,
    dimension_key     text not null default '',
    value             double precision not null,
    generated_at      timestamptz not null,
    primary key (property_id, day, metric_name, dimension_key)
);

-- The first time in each day that a user was told to be in a variant.
create table experiment_exposures (
    property_id       text not null,
    experiment_id     text not null,
    user_number       integer not null,
    day               date not null,
    variant_id        text not null,
    first_at          timestamptz not null,
    first_event_id    uuid not null,
    primary key (property_id, experiment_id, user_number, day, variant_id)
);

create index experiment_exposures_day on experiment_exposures (property_id, day);

create table experiment_assignments (
    property_id       text not null,
    experiment_id     text not null,
    user_number       integer not null,
    variant_id        text not null,
    day               date not null,
    assigned_at       timestamptz not null,
    contaminated      boolean not null,                       -- was told another variant later
    primary key (property_id, experiment_id, user_number)
);

create index experiment_assignments_day on experiment_assignments (property_id, day);
create index experiment_assignments_user on experiment_assignments (property_id, user_number);

create table experiment_metric_rollups (
    property_id       text not null,
    day               date not null,                          -- of assignment
    experiment_id     text not null,
    variant_id        text not null,
    metric_name       text not null,
    value             double precision not null,
    generated_at      timestamptz not null,
    primary key (property_id, day, experiment_id, variant_id, metric_name)
);

create index experiment_metric_rollups_experiment on experiment_metric_rollups (property_id, experiment_id, day);

create table funnel_rollups (
    property_id       text not null,
    day               date not null,                          -- of entering
    funnel_name       text not null,
    step_name         text not null,
    experiment_id     text not null default '',               -- '' with '' : all users
    variant_id        text not null default '',
    step_index        smallint not null,                      -- from 1
    users             integer not null,
    generated_at      timestamptz not null,
    primary key (property_id, day, funnel_name, step_name, experiment_id, variant_id)
);

create table experiments (
    property_id       text not null,
    id                text not null,
    name              text not null,
    variants          jsonb not null,                         -- [{"id", "weight"}], the split that is expected
    control           text not null,
    metric_event      text not null,
    metric_hours      integer not null,
    starts_on         date,
    ends_on           date,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    primary key (property_id, id)
);

create table funnels (
    property_id       text not null,
    name              text not null,
    steps             jsonb not null,                         -- [{"name", "eventTypes", "path"?, "props"?}]
    window_hours      integer not null,
    created_at        timestamptz not null,
    primary key (property_id, name)
);

-- Views of an entity, per hour, and per day in the row whose hour is -1: a null hour would let the day in twice.
create table analytics_aggregates (
    entity_type        text not null,
    entity_id          text not null,
    property_id        text not null,
    day                date not null,
    hour               smallint not null check (hour between -1 and 23),
    total_views        bigint not null,
    unique_visitors    integer not null,
    unique_accounts    integer not null,
    anonymous_visitors integer not null,
    engaged_ms         bigint not null,                       -- over engaged_views
    engaged_views      bigint not null,                       -- those with any engaged time
    entered_sessions   integer not null,
    bounced_sessions   integer not null,                      -- of those
    viewers            bytea not null,                        -- set of users; of an hour row empty
    generated_at       timestamptz not null,
    primary key (entity_type, entity_id, property_id, day, hour)
);

create index analytics_aggregates_day on analytics_aggregates (property_id, day);

-- Who viewed an entity on a day.
create table entity_visitor_days (
    property_id       text not null,
    entity_type       text not null,
    entity_id         text not null,
    user_number       integer not null,
    day               date not null,
    views             integer not null,
    first_at          timestamptz not null,
    last_at           timestamptz not null,
    engaged_ms        bigint not null,
    engaged_views     integer not null,
    visits            jsonb not null,                         -- the newest of the day: [{"at", "referrer"?}], newest first
    primary key (property_id, entity_type, entity_id, user_number, day)
);

create index entity_visitor_days_day on entity_visitor_days (property_id, day);

-- The same over all days, kept as days change.
create table entity_visitors (
    property_id       text not null,
    entity_type       text not null,
    entity_id         text not null,
    user_number       integer not null,
    visit_count       bigint not null,
    first_visit       timestamptz not null,
    last_visit        timestamptz not null,
    engaged_ms        bigint not null,
    engaged_views     bigint not null,
    days_visited      integer not null,
    primary key (property_id, entity_type, entity_id, user_number)
);

create index entity_visitors_latest on entity_visitors (property_id, entity_type, entity_id, last_visit desc, user_number);
create index entity_visitor_days_entity on entity_visitor_days (property_id, entity_type, entity_id, day);

-- With it, an account that an event names counts only with its HMAC-SHA256 under this; null: any account is believed.
alter table properties add column account_secret text;
