-- What footfall_reader may read: tables of figures, as far as there are some by now. Run it after `footfall migrate`, as footfall or a
-- superuser:   psql -f deploy/reader.sql footfall
-- Columns with visitor numbers are left out: joined with nothing they say nothing, but nobody's dashboard needs them.
do $$
declare
    figures record;
begin
    for figures in
        select c.relname, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.atttypid <> 'bytea'::regtype
        where c.relnamespace = 'public'::regnamespace
          and c.relname in ('daily_metric_rollups', 'daily_ingest_rollups', 'daily_product_metrics', 'experiment_metric_rollups',
                            'funnel_rollups', 'analytics_aggregates', 'ingest_counts', 'rollup_runs', 'day_notes')
        group by c.relname
    loop
        execute format('grant select (%s) on %I to footfall_reader', figures.columns, figures.relname);
    end loop;
end
$$;
