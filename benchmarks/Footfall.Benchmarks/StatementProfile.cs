using System.Diagnostics;
using Footfall.Ingestion;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>Where a batch spends its time: each of ingestion's statements timed on its own, in a transaction that is rolled back.</summary>
internal static class StatementProfile
{
    public static async Task RunAsync(BenchDatabase database, IngestBatch batch)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await using (var create = new NpgsqlCommand(BatchTables.Create, connection)) await create.ExecuteNonQueryAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var watch = Stopwatch.StartNew();
        await BatchTables.FillAsync(connection, batch.Events, CancellationToken.None);
        Console.WriteLine($"{watch.ElapsedMilliseconds,8} ms  copy");
        foreach (var statement in BatchWriter.Steps)
        {
            foreach (var sql in statement.Split(";\n"))
            {
                watch.Restart();
                await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
                BatchWriter.AddParameters(command, batch, TimeSpan.FromMinutes(30), TimeProvider.System.GetUtcNow());
                var rows = await command.ExecuteNonQueryAsync();
                Console.WriteLine($"{watch.ElapsedMilliseconds,8} ms  {rows,7} rows  {string.Join(' ', sql.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(9))}");
                if (watch.ElapsedMilliseconds > 300)
                {
                    await using var explain = new NpgsqlCommand("explain " + sql, connection);
                    BatchWriter.AddParameters(explain, batch, TimeSpan.FromMinutes(30), TimeProvider.System.GetUtcNow());
                    await using var plan = await explain.ExecuteReaderAsync();
                    while (await plan.ReadAsync()) Console.WriteLine("            " + plan.GetString(0));
                }
            }
        }
    }
}
