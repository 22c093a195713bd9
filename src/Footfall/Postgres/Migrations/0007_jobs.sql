-- A run that was stopped has not failed; what limits left out of a run's figures is told by reason.
alter table rollup_runs drop constraint rollup_runs_status_check;
alter table rollup_runs add constraint rollup_runs_status_check check (status in ('running', 'succeeded', 'failed', 'cancelled'));
alter table rollup_runs add column left_out jsonb not null default '{}';   -- {"reason": how many}

-- The days that a backfill still has to do: each leaves in the transaction that rolls it up, so that an interrupted
-- backfill goes on where it was.
create table backfill_days (
    window_from       date not null,
    window_to         date not null,
    scope             text not null,                          -- a property, or '' for all
    property_id       text not null,
    day               date not null,
    begun_at          timestamptz not null,                   -- the backfill, not the day
    primary key (window_from, window_to, scope, property_id, day)
);

-- The property that first named the account, and alone may rename it; null: an account for all properties.
alter table accounts add column property_id text;

-- Days of an entity from the newest back, and in each its visitors from the latest back: a page of visitors ends
-- where it is full, however many there are.
create index entity_visitor_days_latest on entity_visitor_days (property_id, entity_type, entity_id, day desc, last_at desc, user_number);
drop index entity_visitor_days_entity;
