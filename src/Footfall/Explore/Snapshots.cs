using System.Data;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Explore;

/// <summary>Opens what questions about raw rows are answered from; only so many at once.</summary>
internal sealed class Snapshots(NpgsqlDataSource database, IOptions<ExploreOptions> options) : IDisposable
{
    private readonly SemaphoreSlim turns = new(options.Value.MaxConcurrentQueries);

    /// <summary>Everything read from it is of one moment.</summary>
    /// <exception cref="TooManyQueriesException">No turn came in time.</exception>
    public async Task<Snapshot> OpenAsync(CancellationToken cancellationToken)
    {
        if (!await turns.WaitAsync(TimeSpan.FromSeconds(options.Value.QueueSeconds), cancellationToken)) throw new TooManyQueriesException();
        NpgsqlConnection? connection = null;
        try
        {
            connection = await database.OpenConnectionAsync(cancellationToken);
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            // The server breaks off what takes too long, also when this process no longer can.
            await using var limit = new NpgsqlCommand("select set_config('statement_timeout', @ms, true), set_config('transaction_read_only', 'on', true)", connection);
            limit.Parameters.AddWithValue("ms", (options.Value.StatementTimeoutSeconds * 1000).ToString());
            await limit.ExecuteNonQueryAsync(cancellationToken);
            return new Snapshot(connection, transaction, options.Value.StatementTimeoutSeconds, turns);
        }
        catch
        {
            if (connection is not null) await connection.DisposeAsync();
            turns.Release();
            throw;
        }
    }

    public void Dispose() => turns.Dispose();
}

/// <summary>Raw rows as they were at one moment. Dispose it to let the next one have its turn.</summary>
internal sealed class Snapshot(NpgsqlConnection connection, NpgsqlTransaction transaction, int timeoutSeconds, SemaphoreSlim turns) : IAsyncDisposable
{
    /// <summary>The groups of the answer, in its order. For a question without groups one cell, also where nothing was counted.</summary>
    public async Task<List<Cell>> AnswerAsync(Query query, CancellationToken cancellationToken)
    {
        List<Cell> cells = [];
        await using var command = QuerySql.Command(query, connection);
        await ReadAsync(command, rows =>
        {
            var values = new double?[query.Metrics.Count];
            for (var i = 0; i < values.Length; i++) values[i] = rows.IsDBNull(i + 1) ? null : rows.GetDouble(i + 1);
            cells.Add(new Cell(rows.IsDBNull(0) ? null : rows.GetString(0), values));
        }, cancellationToken);
        if (cells.Count == 0 && query is { By: null, Per: null }) cells.Add(Nothing(query.Metrics));
        return cells;
    }

    /// <summary>What the metrics are where nothing was counted.</summary>
    public static Cell Nothing(IReadOnlyList<Metric> metrics) => new(null, [.. metrics.Select(m => m.IsRatio() ? (double?)null : 0)]);

    public NpgsqlCommand Command(string sql) => new(sql, connection);

    /// <exception cref="QueryTooSlowException">It was broken off.</exception>
    public async Task ReadAsync(NpgsqlCommand command, Action<NpgsqlDataReader> row, CancellationToken cancellationToken)
    {
        command.CommandTimeout = timeoutSeconds + 5;   // the server's own limit comes first
        try
        {
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) row(rows);
        }
        catch (PostgresException e) when ((e.SqlState == PostgresErrorCodes.QueryCanceled && !cancellationToken.IsCancellationRequested) || Distribution.SendsTooMuch(e))
        {
            throw new QueryTooSlowException(timeoutSeconds, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
        finally
        {
            turns.Release();
        }
    }
}

/// <summary>The question reads more than it may in the time it has.</summary>
internal sealed class QueryTooSlowException(int seconds, Exception cause) : Exception($"The question was broken off after {seconds} seconds.", cause)
{
    public int Seconds { get; } = seconds;
}

/// <summary>As many questions as may be are being worked on, and none ended in time.</summary>
internal sealed class TooManyQueriesException() : Exception("Too many questions at once.");
