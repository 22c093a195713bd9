-- The dashboard: browsers that showed a key, and notes that people pin on a day.

create table sign_ins (
    hash        bytea primary key,                            -- SHA-256 of what the browser's cookie holds
    token_id    uuid references access_tokens (id) on delete cascade,   -- null: signed in with a configured key
    key_mark    text,                                         -- which configured key; another one in its place ends the sign-in
    started_at  timestamptz not null,
    seen_at     timestamptz not null,
    check ((token_id is null) <> (key_mark is null))
);

create table day_notes (
    id          uuid primary key,
    property_id text not null,
    day         date not null,
    text        text not null,
    created_at  timestamptz not null
);

create index day_notes_by_day on day_notes (property_id, day);
