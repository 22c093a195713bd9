using System.Diagnostics;
using Footfall.Ingestion;

namespace Footfall.Benchmarks;

/// <summary>Where a batch spends its time: what Npgsql tells of each statement and COPY, over several batches that are committed.</summary>
internal static class StatementProfile
{
    private const int WordsShown = 9;

    public static async Task RunAsync(BatchWriter writer, IReadOnlyList<IngestBatch> batches)
    {
        List<(double Ms, string Text)> done = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                var text = (activity.GetTagItem("db.query.text") ?? activity.GetTagItem("db.statement"))?.ToString() ?? activity.DisplayName;
                lock (done) done.Add((activity.Duration.TotalMilliseconds, text));
            },
        };
        ActivitySource.AddActivityListener(listener);
        for (var i = 0; i < batches.Count; i++)
        {
            done.Clear();
            var watch = Stopwatch.StartNew();
            await writer.WriteAsync(batches[i], (_, _) => Task.CompletedTask, CancellationToken.None);
            var whole = watch.Elapsed;
            Console.WriteLine($"batch {i + 1} of {batches.Count}: {whole.TotalMilliseconds:N0} ms, {batches[i].Events.Count / whole.TotalSeconds:N0} rows/s");
            foreach (var (ms, text) in done) Console.WriteLine($"{ms,8:N1} ms  {string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(WordsShown))}");
            Console.WriteLine($"{whole.TotalMilliseconds - done.Sum(d => d.Ms),8:N1} ms  not waiting for PostgreSQL");
        }
    }
}
