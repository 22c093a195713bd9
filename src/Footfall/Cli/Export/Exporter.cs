using System.Data;
using CsvHelper;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Cli.Export;

/// <param name="PropertyId">Null for all.</param>
internal sealed record ExportRequest(ExportSet Set, DateOnly From, DateOnly To, string? PropertyId, bool AsCsv);

/// <summary>Writes a set day by day, all from one moment, and holds one row at a time.</summary>
internal sealed class Exporter(NpgsqlDataSource database)
{
    private const int RowsPerReport = 10_000;

    // Texts come from visitors, and a spreadsheet would run one that begins like a formula.
    private static readonly CsvWriterOptions CsvForm = CsvWriterOptions.Default with { Injection = CsvInjection.Escape, InjectionCharacters = "=@+-\t\r\n", TrueValue = "true", FalseValue = "false" };

    /// <summary>Returns the rows written.</summary>
    /// <param name="report">Days done, days in all, rows so far.</param>
    public async Task<long> WriteAsync(ExportRequest request, TextWriter output, Action<int, int, long> report, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        using var csv = request.AsCsv ? CsvWriter.Create(output, CsvForm, leaveOpen: true) : null;
        csv?.WriteHeader(request.Set.Columns);
        var days = request.To.DayNumber - request.From.DayNumber + 1;
        long written = 0;
        for (var n = 0; n < days; n++)
        {
            await using var command = new NpgsqlCommand(request.AsCsv ? request.Set.CsvSql : request.Set.JsonSql, connection) { CommandTimeout = 0 };
            var day = request.From.AddDays(n);
            command.Parameters.AddWithValue("day", day);
            command.Parameters.AddWithValue("day_start", new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero));
            command.Parameters.AddWithValue("day_end", new DateTimeOffset(day.AddDays(1).ToDateTime(TimeOnly.MinValue), TimeSpan.Zero));
            command.Parameters.Add(new NpgsqlParameter("property", NpgsqlDbType.Text) { Value = (object?)request.PropertyId ?? DBNull.Value });
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                if (csv is null) await output.WriteAsync($"{rows.GetString(0)}\n");
                else Write(csv, rows);
                if (++written % RowsPerReport == 0) report(n, days, written);
            }
            report(n + 1, days, written);
        }
        if (csv is not null) await csv.FlushAsync(cancellationToken);
        await output.FlushAsync(cancellationToken);
        return written;
    }

    private static void Write(CsvWriter csv, NpgsqlDataReader row)
    {
        for (var i = 0; i < row.FieldCount; i++)
        {
            switch (row.IsDBNull(i) ? null : row.GetValue(i))
            {
                case null: csv.WriteField((string?)null); break;
                case string text: csv.WriteField(text); break;
                case int number: csv.WriteField(number); break;
                case long number: csv.WriteField(number); break;
                case bool flag: csv.WriteField(flag); break;
                case Guid id: csv.WriteField(id); break;
                case DateOnly day: csv.WriteField(day); break;
                case DateTime instant: csv.WriteField(instant.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFZ")); break;
                case var other: throw new InvalidOperationException($"The export's column {row.GetName(i)} is a {other.GetType().Name}, which has no form in CSV.");
            }
        }
        csv.EndRecord();
    }
}
