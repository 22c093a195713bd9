-- What several servers on one database share beside the data: the keys that show that a form was made by one of them.
create table form_keys (
    id                text primary key,
    xml               text not null,
    created_at        timestamptz not null
);
