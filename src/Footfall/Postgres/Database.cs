using Footfall.Hosting;
using System.Net.Sockets;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>The database of this process, embedded or not: brings it up with its schema, tells whether it answers, lets go of it.</summary>
internal sealed class Database(NpgsqlDataSource source, EmbeddedPostgres? embedded, EventPartitions partitions, TimeProvider time, ILogger<Database> log) : IAsyncDisposable, IDisposable
{
    private const int PingSeconds = 5;

    public EmbeddedPostgres? Embedded => embedded;

    /// <summary>Starts or reaches the database and migrates it. Throws what stands in the way.</summary>
    public async Task BringUpAsync(CancellationToken ct)
    {
        if (embedded is not null)
            await embedded.StartAsync(ct);
        await Migrator.RunAsync(source, Migration.OfThisProgram, log, time, ct);
        await using var connection = await source.OpenConnectionAsync(ct);
        await partitions.EnsureUpcomingAsync(connection, ct);
    }

    /// <summary>Throws when the database does not answer.</summary>
    public async Task PingAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("select 1");
        command.CommandTimeout = PingSeconds;
        await command.ExecuteNonQueryAsync(ct);
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

    /// <summary>An error as a sentence for operators; without values, which an error of the server might quote.</summary>
    public static string Describe(Exception error) => error switch
    {
        SetupException => error.Message,
        PostgresException e => $"PostgreSQL answers {e.SqlState} ({e.Severity}).{Hint(e.SqlState)}",
        NpgsqlException { InnerException: SocketException e } => $"no connection to PostgreSQL ({e.SocketErrorCode}).",
        NpgsqlException { InnerException: TimeoutException } => "PostgreSQL does not answer in time.",
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
