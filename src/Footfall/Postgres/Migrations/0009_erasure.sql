-- Erasure: receipts for all leads of a person, what is still under way and must not come in again, and what remains to be scrubbed.

-- A person may have had several addresses, and may have come back and been erased again: the newest erasure answers.
create table erased_leads (
    lead_id           uuid primary key,
    address_hash      bytea not null,                            -- keyed: tells whether an address was erased, and no address
    erasure_id        uuid not null references erasures (id)
);

create index erased_leads_address on erased_leads (address_hash);

alter table erasures
    drop column lead_id,
    drop column address_hash,
    add column erased_by   xid8 not null default pg_current_xact_id(),   -- whose snapshot is older still sees what was erased
    add column work        bytea,                                -- what the scrub looks for, encrypted; null when it is done
    add column scrubbed_at timestamptz;                          -- no dead row, log or file holds anything of it any more

create index erasures_unscrubbed on erasures (erased_at) where scrubbed_at is null;

-- Events that arrived before are turned away by ingestion, whichever server's journal or file they still come from.
create table erased_visitors (
    visitor_id        uuid primary key,
    erased_at         timestamptz not null
);

-- Up to when each server's journal and the files beside it are free of the erased.
create table journal_scrubs (
    journal_id        uuid primary key,
    through           timestamptz not null
);

-- Other browsers of an account, which forget it when its owner is erased.
create index visitors_account on visitors (account_id) where account_id is not null;
