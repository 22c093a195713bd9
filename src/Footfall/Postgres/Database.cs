using Footfall.Hosting;
using System.Net.Sockets;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>The database of this process, embedded or not: brings it up with its schema, tells whether it answers, lets go of it.</summary>
internal sealed class Database(NpgsqlDataSource source, EmbeddedPostgres? embedded, EventPartitions partitions, TimeProvider time, ILogger<Database> log) : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan PingPatience = TimeSpan.FromSeconds(5);

    public EmbeddedPostgres? Embedded => embedded;

    /// <summary>Starts or reaches the database and migrates it. Throws what stands in the way.</summary>
    public async Task BringUpAsync(CancellationToken ct)
    {
        if (embedded is not null)
            await embedded.StartAsync(ct);
        await using var connection = await source.OpenConnectionAsync(ct);
        await Distribution.RefuseWorkerAsync(connection, ct);
        await Migrator.RunAsync(source, Migration.OfThisProgram, log, time, ct);
        await partitions.EnsureUpcomingAsync(connection, ct);
    }

    /// <summary>Throws when the database does not answer within a few seconds.</summary>
    public async Task PingAsync(CancellationToken ct)
    {
        var answer = AskAsync(ct);
        try
        {
            await answer.WaitAsync(PingPatience, time, ct);
        }
        catch (TimeoutException)
        {
            // A machine that hangs with its connections open holds up the driver's cancelling and connecting too, for 40 s
            // together. Who asks whether it answers has the answer; the rest ends by itself.
            _ = answer.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }

    private async Task AskAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("select 1");
        command.CommandTimeout = (int)PingPatience.TotalSeconds;
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Overwrites what the write-ahead log still holds of changes made before now: on a normal server segments are used again with
    /// their old bytes in them. False where the database's user may not do that (a given server, whose operator can: docs/leads.md).
    /// </summary>
    public async Task<bool> ScrubLogAsync(CancellationToken ct)
    {
        try
        {
            if (embedded is null)
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                await WriteAheadLog.ScrubAsync(connection, ct);
            }
            else
            {
                await using var connection = await embedded.OpenAsSuperuserAsync(ct);
                await WriteAheadLog.ScrubAsync(connection, ct);
            }
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return false;
        }
    }

    /// <summary>Lets go of the embedded PostgreSQL, which stops when nobody else uses it.</summary>
    public async Task ReleaseAsync(CancellationToken ct)
    {
        if (embedded is not null)
            await embedded.StopAsync(ct);
    }

    // A host that fails to start (its port is taken, say) stops nothing, but disposes.
    public async ValueTask DisposeAsync() => await ReleaseAsync(CancellationToken.None);

    public void Dispose() => ReleaseAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Whether the error says that the database cannot be asked now, rather than that it was asked something wrong:
    /// no or a broken connection, no answer in time, or SQLSTATE class 08 (connection), 53 (resources), 57 (starting, stopping).</summary>
    public static bool IsAway(Exception error) => error switch
    {
        PostgresException e => e.SqlState[..2] is "08" or "53" or "57",
        NpgsqlException or TimeoutException => true,
        _ => false,
    };

    /// <summary>An error as a sentence for operators; without values, which an error of the server might quote.</summary>
    public static string Describe(Exception error) => error switch
    {
        SetupException => error.Message,
        PostgresException e => $"PostgreSQL answers {e.SqlState} ({e.Severity}).{Hint(e.SqlState)}",
        NpgsqlException { InnerException: SocketException e } => $"no connection to PostgreSQL ({e.SocketErrorCode}).",
        TimeoutException or NpgsqlException { InnerException: TimeoutException } => "PostgreSQL does not answer in time.",
        NpgsqlException { InnerException: IOException } => "the connection to PostgreSQL broke.",
        _ => error.Message,
    };

    private static string Hint(string sqlState) => sqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => " It refuses the user or password of Postgres:ConnectionString (DATABASE_URL).",
        PostgresErrorCodes.InvalidCatalogName => " The database named in Postgres:ConnectionString (DATABASE_URL) does not exist; create it.",
        PostgresErrorCodes.InsufficientPrivilege => " The user of Postgres:ConnectionString (DATABASE_URL) must own the database, to create tables in it.",
        PostgresErrorCodes.CannotConnectNow => " It is starting or stopping.",
        PostgresErrorCodes.TooManyConnections => " It has no connection left; lower Postgres:MaxPoolSize or raise its max_connections.",
        PostgresErrorCodes.DiskFull => " Its disk is full.",
        _ => "",
    };
}
