-- Segments: a property's day in columns, from which questions are answered. Built from raw rows like the rollups, kept as long as they are.

-- No two builds have the same version, of whatever days: a server that holds a decoded segment knows by it whether that is still the one.
create sequence segment_versions as bigint;

create table day_segments (
    property_id       text not null,
    day               date not null,
    version           bigint not null,
    format            smallint not null,                      -- of payload: docs/segments.md
    visits            integer not null,                       -- sessions that began in the day
    guests            integer not null,                       -- sessions that began earlier and went on in the day
    hits              integer not null,                       -- events
    decoded_bytes     bigint not null,                        -- memory that it takes where it is used, roughly
    payload           bytea not null,                         -- empty for a day that is too large for a segment
    built_at          timestamptz not null,
    primary key (property_id, day)
);

alter table day_segments alter column payload set storage external;   -- compressed already

-- Days that were rolled up before there were segments get theirs in the background.
insert into dirty_days as d (property_id, day, marks, marked_at)
select m.property_id, m.day, 1, now()
from daily_metric_rollups m
left join purged_days w on w.property_id = m.property_id
where w.through is null or m.day > w.through
on conflict (property_id, day) do update set marks = d.marks + 1;
