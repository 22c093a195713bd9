-- The database and its roles on a PostgreSQL server of yours (15 to 18), with no more rights than they need.
-- Once, as a superuser:   psql -f deploy/roles.sql postgres
-- Then set passwords:     \password footfall   and   \password footfall_reader
-- DATABASE_URL is then    postgres://footfall:PASSWORD@HOST/footfall

-- The server: owner of its own database and of nothing else. It makes and drops weekly partitions, writes tables anew after an
-- erasure, and migrates; so it owns its tables. It cannot make databases or roles, read files, or see other databases.
create role footfall login nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit 100;

-- Dashboards of your own (Grafana): figures only, no addresses, no visitors, no raw events, and nothing to write.
create role footfall_reader login nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit 10;
alter role footfall_reader set default_transaction_read_only = on;
alter role footfall_reader set statement_timeout = '30s';

create database footfall owner footfall template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C';
revoke all on database footfall from public;
grant connect on database footfall to footfall_reader;

-- After an erasure the server also overwrites the write-ahead log, where it may (docs/leads.md). Leave these four out where that is not
-- wanted: erasure says in the log then that the operator's own backups and log have to be looked after.
grant pg_checkpoint to footfall;
\connect footfall
grant execute on function pg_switch_wal() to footfall;
grant execute on function pg_ls_waldir() to footfall;
alter schema public owner to footfall;
revoke all on schema public from public;
grant usage on schema public to footfall_reader;

-- What the reader may read is granted once there are tables:   footfall migrate; psql -f deploy/reader.sql footfall
