-- Links that show the figures of one property to whoever has them, and the properties that were deleted.

create table shared_links (
    id              uuid primary key,
    property_id     text not null,
    name            text not null,
    hash            bytea not null unique check (length(hash) = 32),   -- SHA-256 of the link's 256 random bits
    password_salt   bytea,
    password_hash   bytea,                                    -- PBKDF2 with the salt
    frame_ancestors text[] not null default '{}',             -- origins whose pages may show it in a frame
    created_at      timestamptz not null,
    expires_at      timestamptz,
    last_used_at    timestamptz,                              -- written once a minute at most
    revoked_at      timestamptz,
    check ((password_hash is null) = (password_salt is null)),
    check (password_hash is null or frame_ancestors = '{}')   -- in a frame no browser would keep that the password was given
);

create index shared_links_property on shared_links (property_id, created_at);

-- What had arrived before and is still under way in a journal is turned away by ingestion; what comes later makes the property anew.
create table removed_properties (
    property_id     text primary key,
    removed_at      timestamptz not null
);
