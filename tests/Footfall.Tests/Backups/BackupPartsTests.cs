using System.Buffers.Binary;
using System.Globalization;
using Footfall.Backups;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Backups;

/// <summary>Checksums, the shelf, and the names of what migrations make.</summary>
public sealed class BackupPartsTests
{
    [Fact]
    public void A_table_s_checksum_depends_on_its_rows_and_not_on_their_order_or_the_pieces_they_come_in()
    {
        byte[][] rows = [Row("a", "b"), Row("", null), Row(new string('x', 100_000), "y"), Row("a", "b")];
        var whole = Digest([Copy(rows)]);
        Assert.Equal((4, true), (whole.Rows, whole.IsWhole));
        Assert.Equal(whole.Text, Digest([Copy([.. rows.Reverse()])]).Text);
        foreach (var size in new[] { 1, 2, 3, 7, 18, 19, 20, 1000 }) Assert.Equal(whole.Text, Digest(Copy(rows).Chunk(size)).Text);
        Assert.NotEqual(whole.Text, Digest([Copy(rows[..3])]).Text);
        Assert.NotEqual(whole.Text, Digest([Copy([Row("ab", ""), .. rows[1..]])]).Text);
        Assert.False(Digest([Copy(rows)[..^2]]).IsWhole);
        Assert.Throws<InvalidDataException>(() => Digest([[.. Copy(rows), 0]]));
        Assert.Throws<InvalidDataException>(() => Digest([new byte[40]]));
    }

    [Fact]
    public void The_newest_of_each_day_week_and_month_is_kept()
    {
        var now = new DateTimeOffset(2026, 3, 15, 3, 15, 0, TimeSpan.Zero);   // a Sunday
        var shelf = Enumerable.Range(0, 200).SelectMany(n => new[] { now.AddDays(-n), now.AddDays(-n).AddHours(-1) }).Order().Select(t => new ShelvedBackup($"/b/{t:O}", t)).ToList();
        var kept = shelf.Except(BackupShelf.Surplus(shelf, 7, 4, 3)).Select(b => b.TakenAt.UtcDateTime.ToString("MM-dd HH", CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(["01-31 03", "02-22 03", "02-28 03", "03-01 03", "03-08 03", "03-09 03", "03-10 03", "03-11 03", "03-12 03", "03-13 03", "03-14 03", "03-15 03"], kept);
        Assert.Equal(["03-15 03"], shelf.Except(BackupShelf.Surplus(shelf, 0, 0, 0)).Select(b => b.TakenAt.UtcDateTime.ToString("MM-dd HH", CultureInfo.InvariantCulture)));
        Assert.Empty(BackupShelf.Surplus([], 7, 4, 3));
    }

    [Fact]
    public void A_shelf_knows_its_own_files_only()
    {
        var folder = TestFolder.New("shelf");
        var at = new DateTimeOffset(2026, 3, 15, 3, 15, 0, TimeSpan.Zero);
        foreach (var name in new[] { "footfall-notes.backup", "other-20260315T031500Z.backup", "footfall-20260315T031500Z.backup.partial", "requests.jsonl" }) File.WriteAllText(Path.Combine(folder, name), "");
        Assert.Empty(BackupShelf.In(folder));
        for (var i = 0; i < 3; i++) File.WriteAllText(BackupShelf.PathOf(folder, at), "");
        Assert.Equal(["footfall-20260315T031500Z.backup", "footfall-20260315T031500Z-2.backup", "footfall-20260315T031500Z-3.backup"], BackupShelf.In(folder).Select(b => b.Name));
    }

    /// <summary>What a backup leaves out by not knowing of it, nobody would miss until it is needed.</summary>
    [Fact]
    public async Task Every_table_that_migrations_make_is_known()
    {
        await using var database = await TestDatabase.CreateAsync();
        var there = await database.RowsAsync("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> 'schema_migrations'");
        Assert.Empty(there.Except(SchemaObjects.OfThisProgram.Tables));
        await using var connection = await database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await SchemaObjects.OfThisProgram.DropAsync(connection, TestContext.Current.CancellationToken);
        Assert.Empty(await database.RowsAsync("select relname from pg_class where relnamespace = 'public'::regnamespace"));
        Assert.Empty(await database.RowsAsync("select typname from pg_type where typnamespace = 'public'::regnamespace"));
        Assert.Empty(await database.RowsAsync("select proname from pg_proc where pronamespace = 'public'::regnamespace"));
    }

    /// <summary>Binary COPY gives a type of its own by a number that another database does not know.</summary>
    [Fact]
    public async Task No_column_is_an_array_of_a_type_of_our_own()
    {
        await using var database = await TestDatabase.CreateAsync();
        Assert.Empty(await database.RowsAsync("""
            select a.attrelid::regclass, a.attname
            from pg_attribute a
            join pg_type t on t.oid = a.atttypid
            join pg_type e on e.oid = t.typelem
            where a.attnum > 0 and e.typnamespace = 'public'::regnamespace
            """));
    }

    private static CopyDigest Digest(IEnumerable<byte[]> pieces)
    {
        var digest = new CopyDigest();
        foreach (var piece in pieces) digest.Add(piece);
        return digest;
    }

    private static byte[] Copy(byte[][] rows) => [.. "PGCOPY\n"u8, 0xff, (byte)'\r', (byte)'\n', 0, .. new byte[8], .. rows.SelectMany(r => r), 0xff, 0xff];

    private static byte[] Row(params string?[] fields)
    {
        List<byte> row = [0, (byte)fields.Length];
        foreach (var field in fields)
        {
            var length = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, field?.Length ?? -1);
            row.AddRange(length);
            if (field is not null) row.AddRange(System.Text.Encoding.ASCII.GetBytes(field));
        }
        return [.. row];
    }
}
