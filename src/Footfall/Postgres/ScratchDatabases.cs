using System.Globalization;
using System.Security.Cryptography;
using Footfall.Hosting;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>Databases for a moment, on the server that has the real one. Where the user may not make databases, a schema in the real one does.</summary>
internal sealed class ScratchDatabases(NpgsqlConnectionStringBuilder real, EmbeddedPostgres? embedded, TimeProvider time)
{
    private const string Prefix = "footfall_scratch_";
    private const string Stamp = "yyyyMMddHHmmss";
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    private const string Left = """
        select d.datname::text
        from pg_database d
        where starts_with(d.datname, @prefix) and d.datname < @before
          and not exists (select from pg_stat_activity a where a.datid = d.oid)
        """;

    /// <summary>An empty database with a connection to it; gone when disposed of.</summary>
    public async Task<ScratchDatabase> CreateAsync(CancellationToken ct)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{time.GetUtcNow().UtcDateTime.ToString(Stamp, CultureInfo.InvariantCulture)}_{RandomNumberGenerator.GetHexString(6, lowercase: true)}");
        try
        {
            await using (var maker = await MakerAsync(ct))
            {
                await DropLeftAsync(maker, ct);
                // Whatever the server makes by default: text of any language, and nothing in it.
                await ExecuteAsync(maker, $"create database {name}{(embedded is null ? "" : $" owner {EmbeddedPostgres.Role}")} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'", ct);
            }
            return await OpenAsync(name, isSchema: false, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return await OpenAsync(name, isSchema: true, ct);
        }
    }

    private async Task<ScratchDatabase> OpenAsync(string name, bool isSchema, CancellationToken ct)
    {
        var where = new NpgsqlConnectionStringBuilder(real.ConnectionString) { Pooling = false };
        if (isSchema) where.SearchPath = name;
        else where.Database = name;
        var connection = new NpgsqlConnection(where.ConnectionString);
        try
        {
            await connection.OpenAsync(ct);
            if (isSchema) await ExecuteAsync(connection, $"create schema {name}", ct);
            return new ScratchDatabase(connection, async () =>
            {
                if (isSchema)
                {
                    await ExecuteAsync(connection, $"drop schema {name} cascade", CancellationToken.None);
                    await connection.DisposeAsync();
                    return;
                }
                await connection.DisposeAsync();
                await using var maker = await MakerAsync(CancellationToken.None);
                await ExecuteAsync(maker, $"drop database if exists {name} with (force)", CancellationToken.None);
            });
        }
        catch (PostgresException e) when (isSchema && e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            await connection.DisposeAsync();
            throw new SetupException("The database's user may neither make databases nor schemas, and one is needed for a moment. Allow it with `alter role ... createdb` or `grant create on database ... to ...`.", e);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task<NpgsqlConnection> MakerAsync(CancellationToken ct)
    {
        if (embedded is not null) return await embedded.OpenAsSuperuserAsync(ct);
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(real.ConnectionString) { Pooling = false }.ConnectionString);
        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Of processes that were killed.</summary>
    private async Task DropLeftAsync(NpgsqlConnection maker, CancellationToken ct)
    {
        List<string> names = [];
        await using (var find = new NpgsqlCommand(Left, maker))
        {
            find.Parameters.AddWithValue("prefix", Prefix);
            find.Parameters.AddWithValue("before", Prefix + (time.GetUtcNow() - Forgotten).UtcDateTime.ToString(Stamp, CultureInfo.InvariantCulture));
            await using var rows = await find.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct)) names.Add(rows.GetString(0));
        }
        foreach (var name in names)
        {
            if (name.All(c => c is '_' or (>= 'a' and <= 'z') or (>= '0' and <= '9'))) await ExecuteAsync(maker, $"drop database if exists {name}", ct);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>A database, or a schema, of its own for as long as it is held.</summary>
internal sealed class ScratchDatabase(NpgsqlConnection connection, Func<Task> drop) : IAsyncDisposable
{
    public NpgsqlConnection Connection => connection;

    public async ValueTask DisposeAsync() => await drop();
}
