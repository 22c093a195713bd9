using Footfall.Backups;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Backups;

/// <summary>A backup that is not as it was written is refused, in words, and the database stays as it was.</summary>
[Collection(nameof(BackupFixture))]
public sealed class BadBackupTests(BackupFixture fixture)
{
    public static TheoryData<string, bool, string> Damage => new()
    {
        { "first byte", false, "is no backup of Footfall" },
        { "empty", false, "is no backup of Footfall" },
        { "header", false, "The header of" },
        { "header cut", false, "ends within its header" },
        { "first chunk", false, "is damaged: the checksum of the chunk" },
        { "first chunk", true, "cannot be decrypted: the key is not the one" },
        { "middle", false, "is damaged: the checksum of the chunk" },
        { "middle", true, "is damaged: the checksum of the chunk" },
        { "last byte", false, "is damaged: the checksum of the chunk" },
        { "last byte", true, "is damaged: the checksum of the chunk" },
        { "cut in the middle", false, "it was cut off" },
        { "cut in the middle", true, "it was cut off" },
        { "cut at a chunk", false, "it was cut off" },
        { "cut at a chunk", true, "it was cut off" },
        { "more behind", false, "Bytes follow the end" },
        { "chunks swapped", false, "is damaged: the checksum of the chunk" },
        { "chunks swapped", true, "cannot be decrypted" },
    };

    [Theory]
    [MemberData(nameof(Damage))]
    public async Task A_damaged_backup_is_refused_and_nothing_is_changed(string damage, bool encrypted, string says)
    {
        var file = Path.Combine(TestFolder.New("damaged"), "footfall-20260101T000000Z.backup");
        File.WriteAllBytes(file, Damaged(File.ReadAllBytes(encrypted ? fixture.Locked : fixture.Plain), damage));
        await using var target = await TestDatabase.CreateAsync();
        await target.ExecuteAsync("insert into day_notes (id, property_id, day, text, created_at) values (gen_random_uuid(), 'p', '2026-01-01', 'mine', now())");
        string[] key = encrypted ? ["--key-file", fixture.KeyFile] : [];
        var folder = TestFolder.New("restore");
        foreach (var how in new[] { "--check", "--replace" })
        {
            var (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, ["restore", "--from", file, how, .. key]);
            Assert.Equal(1, exit);
            Assert.Contains(says, error, StringComparison.Ordinal);
            Assert.Contains(file, error, StringComparison.Ordinal);
        }
        Assert.Equal(["mine"], await target.RowsAsync("select text from day_notes"));
        Assert.False(Path.Exists(Path.Combine(folder, "restoring")));
    }

    [Fact]
    public async Task A_wrong_or_missing_key_is_told()
    {
        await using var target = await TestDatabase.CreateAsync(migrated: false);
        var folder = TestFolder.New("restore");
        var wrong = Path.Combine(folder, "wrong");
        File.WriteAllText(wrong, "another key of thirty-two letters");
        var (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", fixture.Locked, "--key-file", wrong);
        Assert.Equal((1, true), (exit, error.Contains("the key is not the one that it was encrypted with", StringComparison.Ordinal)));
        (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", fixture.Locked);
        Assert.Equal((1, true), (exit, error.Contains("is encrypted, and no key is given", StringComparison.Ordinal)));
        File.WriteAllText(wrong, "short");
        (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", fixture.Locked, "--key-file", wrong);
        Assert.Equal((1, true), (exit, error.Contains("which holds 5 characters; a key has 16 at least", StringComparison.Ordinal)));
        (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", fixture.Locked, "--Backup:KeyFile", "/no/such/file");
        Assert.Equal((1, true), (exit, error.Contains("Backup:KeyFile is /no/such/file, which does not exist", StringComparison.Ordinal)));
        Assert.Equal(0, await target.ScalarAsync<long>("select count(*) from pg_class where relname = 'events'"));
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "pg_authid", "table" }, { "events\"; drop table visitors; --", "table" }, { "events_2026w99", "table" }, { "schema_migrations", "table" },
        { "../../etc/passwd", "file" }, { "/etc/passwd", "file" }, { "keys/../../outside", "file" }, { "postgres/15/PG_VERSION", "file" }, { "no-guid", "journal" },
    };

    /// <summary>An unencrypted backup can be written by anybody: its names go neither into SQL nor to places of their choice.</summary>
    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_made_up_backup_writes_only_where_backups_do(string name, string section)
    {
        var file = Path.Combine(TestFolder.New("hostile"), "made-up");
        await using (var stream = File.Create(file))
        {
            await using var writer = await BackupWriter.BeginAsync(stream, Guid.NewGuid(), null, default);
            await writer.WriteAsync(RecordKind.Manifest, new Manifest(Guid.NewGuid(), DateTimeOffset.UnixEpoch, "1", "15", 1, [.. Footfall.Postgres.Migration.OfThisProgram.Select(m => new MigrationMark(m.Number, m.Name, m.Checksum))], [], false), BackupJson.Default.Manifest, default);
            using var bytes = new MemoryStream([1, 2, 3]);
            await writer.WriteBytesAsync(new SectionBegin(section, name, ["a"], section == "table" ? "events" : null), bytes, default);
            await writer.CompleteAsync(default);
        }
        await using var target = await TestDatabase.CreateAsync();
        var folder = TestFolder.New("restore");
        var (exit, _, error) = await BackupFixture.RunAsync(folder, target.ConnectionString, "restore", "--from", file);
        Assert.Equal(1, exit);
        Assert.Contains("holds a record that cannot be read", error, StringComparison.Ordinal);
        Assert.True(await target.ScalarAsync<bool>("select to_regclass('visitors') is not null"));
        Assert.False(File.Exists(Path.Combine(Path.GetDirectoryName(folder)!, "outside")));
    }

    [Fact]
    public async Task A_backup_of_a_newer_schema_is_refused()
    {
        var file = Path.Combine(TestFolder.New("newer"), "newer");
        await using (var stream = File.Create(file))
        {
            await using var writer = await BackupWriter.BeginAsync(stream, Guid.NewGuid(), null, default);
            var marks = Enumerable.Range(1, 99).Select(n => new MigrationMark(n, "x", "y")).ToList();
            await writer.WriteAsync(RecordKind.Manifest, new Manifest(Guid.NewGuid(), DateTimeOffset.UnixEpoch, "9.9", "15", 1, marks, [], false), BackupJson.Default.Manifest, default);
            await writer.CompleteAsync(default);
        }
        await using var target = await TestDatabase.CreateAsync(migrated: false);
        var (exit, _, error) = await BackupFixture.RunAsync(TestFolder.New("restore"), target.ConnectionString, "restore", "--from", file);
        Assert.Equal(1, exit);
        Assert.Contains("newer schema than this program: 99 migrations by version 9.9", error, StringComparison.Ordinal);
    }

    private static byte[] Damaged(byte[] bytes, string how)
    {
        switch (how)
        {
            case "empty": return [];
            case "header cut": return bytes[..40];
            case "cut in the middle": return bytes[..(bytes.Length / 2)];
            case "cut at a chunk": return bytes[..(BackupFormat.HeaderBytes + (2 * Chunk))];
            case "more behind": return [.. bytes, 0];
            case "chunks swapped":
                return [.. bytes[..BackupFormat.HeaderBytes], .. bytes[(BackupFormat.HeaderBytes + Chunk)..(BackupFormat.HeaderBytes + (2 * Chunk))], .. bytes[BackupFormat.HeaderBytes..(BackupFormat.HeaderBytes + Chunk)], .. bytes[(BackupFormat.HeaderBytes + (2 * Chunk))..]];
            default:
                bytes[how switch { "first byte" => 0, "header" => 20, "first chunk" => 100, "middle" => bytes.Length / 2, _ => bytes.Length - 1 }] ^= 0x10;
                return bytes;
        }
    }

    private static int Chunk => 4 + BackupFormat.ChunkBytes + BackupFormat.TagBytes;
}
