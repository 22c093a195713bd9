-- Leads: addresses, what forms brought, and a ledger of consent. Few rows beside the events: local tables, not distributed.

alter table leads
    add column email              text,                          -- where the local part was typed in another case than email_normalized has it
    add column consent_method     text,                          -- of the standing consent: as in consent_events
    add column consent_purposes   text[] not null default '{}',  -- what was consented to since consent was last given anew
    add column consent_changed_at timestamptz,
    add column consent_expires_at timestamptz,                   -- only implied consent expires
    add column consent_event_id   bigint;                        -- the ledger's newest row of this lead

create index leads_newest on leads (first_captured_at desc, id desc);
create index leads_expiring on leads (consent_expires_at) where consent_status = 'implied';

create table form_submissions (
    id                uuid primary key,                          -- ordered by arrival
    lead_id           uuid not null references leads (id) on delete cascade,
    visitor_id        uuid,                                      -- who sent the form, known by an id or only for the day
    session_id        uuid,                                      -- null where the visitor's session was not stored yet
    property_id       text not null,
    form_name         text not null default '',
    submit_key        uuid,                                      -- of the client's eventId: the same form sent again is one submission
    payload           jsonb,
    consent           jsonb,                                     -- what the form itself said of consent: {"status", "method", "purpose"}
    source            text,                                      -- the page, without its query
    ip_hash           bytea,
    ua_hash           bytea,
    validation_status text not null check (validation_status in ('valid', 'mail_host_unknown', 'imported')),
    submitted_at      timestamptz not null,
    unique (lead_id, submit_key)
);

create index form_submissions_newest on form_submissions (submitted_at);
create index form_submissions_visitor on form_submissions (visitor_id);

-- Events of submissions on their way into the journal: written with the submission, gone when the journal has the event,
-- so that a submission makes its event, and counts as an accepted lead, however the server ends.
create table form_submit_events (
    submission_id     uuid primary key references form_submissions (id) on delete cascade,
    property_id       text not null,
    day               date not null,                             -- of arrival, UTC
    record            bytea not null,                            -- a journal record
    created_at        timestamptz not null
);

-- The ledger. Rows are appended only, and each holds the hash of the one before it. What is personal (lead_id, ip_hash,
-- source, purpose) goes into the hash by a salted digest, so that erasing it, and the salt, leaves the chain whole.
create table consent_events (
    id                bigint primary key,                        -- place in the chain, from 1, without gaps
    lead_id           uuid,                                      -- null after erasure
    status            consent_status not null,
    method            text not null check (method in ('form', 'double_opt_in', 'import', 'api', 'unsubscribe_link', 'unsubscribe_form', 'expiry')),
    basis             text check (basis in ('inquiry', 'business_relationship')),   -- of implied consent
    purpose           text,
    source            text,
    ip_hash           bytea,
    property_id       text not null,
    occurred_at       timestamptz not null,
    expires_at        timestamptz,
    salt              bytea,                                     -- null after erasure
    personal_digest   bytea not null,
    previous_hash     bytea not null,
    hash              bytea not null
);

create index consent_events_lead on consent_events (lead_id, id) where lead_id is not null;

-- The chain's end; its row is also the lock under which the ledger grows.
create table consent_chain (
    one               boolean primary key default true check (one),
    last_id           bigint not null,
    previous_hash     bytea not null,
    hash              bytea not null
);
insert into consent_chain (last_id, previous_hash, hash) values (0, '\x'::bytea, '\x'::bytea);

create function refuse_change() returns boolean language plpgsql as $$
begin
    raise exception 'Rows of this table are only ever added, never changed or deleted.' using errcode = 'restrict_violation';
end
$$;

-- Rules rather than triggers, which a cluster does not take. Erasure may take what is personal away, all of it at once.
create rule consent_events_not_deleted as on delete to consent_events do instead select refuse_change();
create rule consent_events_not_changed as on update to consent_events
    where not (new.lead_id is null and new.ip_hash is null and new.source is null and new.salt is null
               and (new.purpose is null or new.purpose is not distinct from old.purpose)
               and (new.id, new.status, new.method, new.property_id, new.occurred_at, new.personal_digest, new.previous_hash, new.hash)
                 = (old.id, old.status, old.method, old.property_id, old.occurred_at, old.personal_digest, old.previous_hash, old.hash)
               and new.basis is not distinct from old.basis and new.expires_at is not distinct from old.expires_at)
    do instead select refuse_change();

-- Consent asked for and not confirmed yet: double opt-in.
create table consent_requests (
    id                uuid primary key,
    lead_id           uuid not null references leads (id) on delete cascade,
    property_id       text not null,
    purpose           text,
    source            text,
    ip_hash           bytea,
    requested_at      timestamptz not null,
    expires_at        timestamptz not null,
    confirmed_at      timestamptz,
    voided_at         timestamptz,                               -- withdrawn meanwhile: the link confirms nothing any more
    sent_at           timestamptz,
    attempts          integer not null default 0,
    next_attempt_at   timestamptz                                -- null: sent, given up, or there is no way to send it
);

create index consent_requests_lead on consent_requests (lead_id);
create index consent_requests_due on consent_requests (next_attempt_at) where next_attempt_at is not null;

-- Two addresses of one person: the visitors of the one are linked to the other too. The addresses and their consents stay two.
create table lead_merges (
    id                uuid primary key,
    from_lead_id      uuid not null references leads (id) on delete cascade,
    into_lead_id      uuid not null references leads (id) on delete cascade,
    merged_at         timestamptz not null,
    undone_at         timestamptz,
    check (from_lead_id <> into_lead_id)
);

create unique index lead_merges_standing on lead_merges (from_lead_id) where undone_at is null;
create index lead_merges_into on lead_merges (into_lead_id);

alter table lead_identities
    add column merge_id uuid references lead_merges (id) on delete cascade;   -- of manual_merge: undoing it takes these away

create index lead_identities_merge on lead_identities (merge_id) where merge_id is not null;

-- What admins did with personal data. Holds none itself.
create table audit_log (
    id                bigint generated always as identity primary key,
    at                timestamptz not null,
    actor             text not null,                             -- which kind of key, or the command line
    action            text not null,
    lead_id           uuid,                                      -- random, and without meaning once the lead is erased
    detail            jsonb not null default '{}'
);

create rule audit_log_not_deleted as on delete to audit_log do instead select refuse_change();
create rule audit_log_not_changed as on update to audit_log do instead select refuse_change();

-- Receipts of erasures, found again by a keyed hash of the address or by the id that the lead had.
create table erasures (
    id                uuid primary key,
    lead_id           uuid unique,
    address_hash      bytea unique,
    receipt           jsonb not null,
    erased_at         timestamptz not null
);

-- To find visitors who were last seen with the same address and browser. Of four bytes each, since every new visitor pays
-- for it; it moves only when one of the two does.
create index visitors_last_agent on visitors using hash ((last_ip_hash || last_ua_hash));

-- What a property says about its forms.
alter table properties
    add column double_opt_in boolean not null default false,
    add column thanks_url    text,                               -- where a form without script leads, when it names none itself
    add column error_url     text;
