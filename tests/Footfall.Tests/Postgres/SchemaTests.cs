using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Postgres;

public sealed class SchemaTests
{
    private const string Accept = "FOOTFALL_ACCEPT_SCHEMA";

    private const string Columns = """
        select t.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
            || case when a.attnotnull then ' not null' else '' end
            || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
            || case a.attidentity when 'a' then ' identity' when 'd' then ' identity by default' else '' end
        from pg_class t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
        where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
        order by t.relname, a.attnum
        """;

    private const string Rules = """
        select t.relname || ' ' || pg_get_constraintdef(c.oid)
        from pg_constraint c join pg_class t on t.oid = c.conrelid
        where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition and c.contype <> 'n'
        order by 1
        """;

    private const string Indexes = """
        select replace(i.indexdef, 'public.', '') from pg_indexes i
        join pg_class t on t.oid = format('%I.%I', i.schemaname, i.tablename)::regclass
        where i.schemaname = 'public' and not t.relispartition
        order by 1
        """;

    [Fact]
    public async Task A_changed_schema_is_a_visible_diff()
    {
        await using var database = await TestDatabase.CreateAsync();
        List<string> lines = ["# columns", .. await database.RowsAsync(Columns), "", "# constraints", .. await database.RowsAsync(Rules), "", "# indexes", .. await database.RowsAsync(Indexes)];
        var now = string.Join('\n', lines) + "\n";
        var file = Repository.File("tests", "Footfall.Tests", "Postgres", "schema.txt");
        if (Environment.GetEnvironmentVariable(Accept) == "1") await File.WriteAllTextAsync(file, now);
        var before = (await File.ReadAllTextAsync(file)).Split('\n');
        var gone = before.Except(lines).Select(l => "- " + l);
        var added = lines.Except(before).Select(l => "+ " + l);
        Assert.True(string.Join('\n', before) == now, $"The schema differs from tests/Footfall.Tests/Postgres/schema.txt:\n{string.Join('\n', gone.Concat(added).Take(30))}\nIf that is meant, run this test with {Accept}=1 and commit the file.");
    }
}
