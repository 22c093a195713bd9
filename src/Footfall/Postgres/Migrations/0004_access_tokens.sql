-- Keys that `footfall token create` made. The key itself is shown once and stored nowhere: it is 256 random bits,
-- so its plain SHA-256 can neither be reversed nor guessed.
create table access_tokens (
    id                uuid primary key,
    name              text not null,
    hash              bytea not null unique check (length(hash) = 32),
    role              text not null check (role in ('admin', 'dashboard', 'ingest')),
    plan              text not null check (plan in ('free', 'pro')),
    property_id       text,                                   -- null: every property
    created_at        timestamptz not null,
    last_used_at      timestamptz,                            -- written once a minute at most
    revoked_at        timestamptz
);
