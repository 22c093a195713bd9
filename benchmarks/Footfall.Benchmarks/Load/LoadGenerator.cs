using System.Diagnostics;
using System.Text;

namespace Footfall.Benchmarks.Load;

/// <summary>Who the n-th event is of, and where it happened.</summary>
internal delegate (string Visitor, string Path) EventOf(long number);

/// <summary>
/// Sends numbered events over a fixed number of connections. Closed: each sends its next when the last was answered. Open: events are due at
/// given times, and an answer's time counts from when its event was due, so that a server that stalls is not spared those who would have come meanwhile.
/// What was not taken is sent again, as the tracker does, until it is.
/// </summary>
/// <param name="batch">Events in a request.</param>
internal sealed class LoadGenerator(int port, int connections, EventOf of, LoadTally tally, int batch = 1)
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryLast = TimeSpan.FromSeconds(2);
    private long next;

    /// <param name="dueSeconds">When the n-th event is due, in seconds from the start; null: closed. No more are begun once it says more than <paramref name="seconds"/>.</param>
    /// <param name="most">How many events at most.</param>
    public Task RunAsync(double seconds, Func<long, double>? dueSeconds, long most, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        return Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => SendAsync(start, seconds, dueSeconds, most, stop), stop)));
    }

    private async Task SendAsync(long start, double seconds, Func<long, double>? dueSeconds, long most, CancellationToken stop)
    {
        using var connection = new EventConnection(port);
        var mine = tally.NewList();
        while (!stop.IsCancellationRequested)
        {
            var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (dueSeconds is null && elapsed >= seconds) return;
            var number = Interlocked.Add(ref next, batch) - batch + 1;
            if (number > most) return;
            var from = Stopwatch.GetTimestamp();
            if (dueSeconds is not null)
            {
                var due = dueSeconds(number);
                if (due >= seconds) return;
                if (due - elapsed is > 0 and var wait) await Task.Delay(TimeSpan.FromSeconds(wait), stop);
                from = start + (long)(due * Stopwatch.Frequency);
            }
            var events = (int)Math.Min(batch, most - number + 1);
            tally.Began(events);
            var retried = await UntilTakenAsync(connection, Request(number, events), stop);
            for (var n = 0; n < events; n++) mine.Add((number + n, LoadTally.Ms(from), retried));
        }
    }

    /// <summary>True when once was not enough.</summary>
    private async Task<bool> UntilTakenAsync(EventConnection connection, ReadOnlyMemory<byte> request, CancellationToken stop)
    {
        var pause = RetryFirst;
        for (var tries = 1; ; tries++)
        {
            var (status, error) = await connection.SendAsync(request, stop);
            if (status == 202) return tries > 1;
            tally.Refused(status, error);
            await Task.Delay(pause, stop);
            pause = pause * 2 < RetryLast ? pause * 2 : RetryLast;
        }
    }

    private byte[] Request(long first, int events)
    {
        var body = events == 1 ? Event(first) : $"[{string.Join(',', Enumerable.Range(0, events).Select(n => Event(first + n)))}]";
        return Encoding.ASCII.GetBytes(
            $"POST /v1/events HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: text/plain;charset=UTF-8\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    private string Event(long number)
    {
        var (visitor, path) = of(number);
        return $$$"""{"eventType":"page_view","anonId":"{{{visitor}}}","eventId":"load-{{{number}}}","path":"{{{path}}}","referrer":"https://www.google.com/","title":"Blue widget - Example shop","utm":{"source":"newsletter","medium":"referral"},"props":{"k":{{{number}}},"plan":"pro"},"traffic":{"engagedTimeMs":15250,"scrollDepthPercent":80,"webVitals":{"lcpMs":1204.9,"inpMs":16,"ttfbMs":41.2,"clsScore":0.021} } }""";
    }
}
