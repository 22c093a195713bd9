-- The key of each UTC day's cookieless visitors, shared by all servers; gone two days after its day.
create table visitor_day_keys (
    day               date primary key,
    key               bytea not null
);
