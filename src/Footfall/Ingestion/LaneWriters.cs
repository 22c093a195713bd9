using Microsoft.Extensions.Options;

namespace Footfall.Ingestion;

/// <summary>Several writers, the lanes dealt out among them: what one PostgreSQL process and one core would limit, several share. Used by one caller at a time.</summary>
internal sealed class LaneWriters(Func<BatchWriter> newWriter, IOptions<IngestionOptions> options) : IAsyncDisposable
{
    /// <summary>Below this many events one transaction costs less than several.</summary>
    private const int WorthSplitting = 1_000;

    private readonly BatchWriter[] writers = [.. Enumerable.Range(0, options.Value.Writers).Select(_ => newWriter())];

    /// <summary>Has each writer store what is of its lanes, all at once. Ends when all have ended, with the error of one that failed: what the others stored stays.</summary>
    public Task WriteAsync(int events, Func<BatchWriter, IReadOnlyList<int>, Task> store) =>
        events < WorthSplitting || writers.Length == 1
            ? store(writers[0], Lanes.All)
            : Task.WhenAll(writers.Select((writer, i) => store(writer, Lanes.Of(i, writers.Length))));

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in writers) await writer.DisposeAsync();
    }
}
