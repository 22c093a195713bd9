using System.Diagnostics;
using Footfall.Ingestion;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>Where a batch spends its time: each of ingestion's statements timed on its own, over several batches that are committed; of the slow ones also what they read and wrote.</summary>
internal static class StatementProfile
{
    private const int SlowMilliseconds = 150;

    public static async Task RunAsync(BenchDatabase database, IReadOnlyList<IngestBatch> batches)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await using (var create = new NpgsqlCommand(BatchTables.Create, connection)) await create.ExecuteNonQueryAsync();
        for (var i = 0; i < batches.Count; i++)
        {
            Console.WriteLine($"batch {i + 1} of {batches.Count}");
            var whole = Stopwatch.StartNew();
            await using var transaction = await connection.BeginTransactionAsync();
            await BatchTables.FillAsync(connection, batches[i].Events, CancellationToken.None);
            Console.WriteLine($"{whole.ElapsedMilliseconds,8} ms  copy");
            foreach (var sql in BatchWriter.Steps.SelectMany(s => s.Split(";\n"))) await RunAsync(connection, sql, batches[i]);
            var watch = Stopwatch.StartNew();
            await transaction.CommitAsync();
            Console.WriteLine($"{watch.ElapsedMilliseconds,8} ms  commit");
            Console.WriteLine($"{whole.ElapsedMilliseconds,8} ms  in all, {batches[i].Events.Count / whole.Elapsed.TotalSeconds:N0} rows/s");
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, IngestBatch batch)
    {
        var explainable = !sql.StartsWith("analyze", StringComparison.Ordinal);
        var watch = Stopwatch.StartNew();
        await using var command = new NpgsqlCommand(explainable ? "explain (analyze, buffers, wal, timing off) " + sql : sql, connection) { CommandTimeout = 0 };
        if (explainable) BatchWriter.AddParameters(command, batch, TimeSpan.FromMinutes(30), TimeProvider.System.GetUtcNow());
        List<string> plan = [];
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
        }
        Console.WriteLine($"{watch.ElapsedMilliseconds,8} ms  {string.Join(' ', sql.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(9))}");
        if (watch.ElapsedMilliseconds < SlowMilliseconds) return;
        foreach (var line in plan) Console.WriteLine("            " + line);
    }
}
