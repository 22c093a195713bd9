using System.Globalization;

namespace Footfall.Postgres;

/// <summary>Open while the database answers and has this program's schema. Rooms that need the database wait here.</summary>
internal sealed class DatabaseGate(TimeProvider time)
{
    private readonly Lock sync = new();
    private TaskCompletionSource open = NewSource();
    private string? reason = "it has not been reached yet.";
    private DateTimeOffset since = time.GetUtcNow();

    public bool IsReady
    {
        get
        {
            lock (sync)
                return reason is null;
        }
    }

    /// <summary>What is wrong and since when, in a sentence; null while the database is ready.</summary>
    public string? Problem
    {
        get
        {
            lock (sync)
                return reason is null ? null : string.Create(CultureInfo.InvariantCulture, $"Not available since {since:yyyy-MM-ddTHH:mm:ssZ}: {reason}");
        }
    }

    /// <summary>Returns at once while the database is ready, else when it is.</summary>
    public Task WaitAsync(CancellationToken ct)
    {
        lock (sync)
            return open.Task.WaitAsync(ct);
    }

    /// <summary>True when this changed something.</summary>
    internal bool Open()
    {
        lock (sync)
        {
            if (reason is null)
                return false;
            reason = null;
            open.TrySetResult();
            return true;
        }
    }

    /// <summary>True when this changed something: the gate was open, or closed for another reason.</summary>
    internal bool Close(string problem)
    {
        lock (sync)
        {
            if (reason == problem)
                return false;
            if (reason is null)
            {
                since = time.GetUtcNow();
                open = NewSource();
            }
            reason = problem;
            return true;
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
