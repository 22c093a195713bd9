using Footfall.Demo;
using Footfall.Postgres;

namespace Footfall.Dashboard.Welcome;

/// <summary>How the filling of the demo fares. Public as its page is, which Razor makes so.</summary>
/// <param name="Problem">Why it ended too early; null when it did not.</param>
public sealed record DemoState(bool Runs, int Days, int Events, bool IsDone, string? Problem);

/// <summary>Fills the demo behind the pages: who began it may leave, and finds it done.</summary>
internal sealed class DemoFill(DemoFiller filler, IHostApplicationLifetime lifetime)
{
    private readonly Lock gate = new();

    public DemoState State { get; private set; } = new(false, 0, 0, false, null);

    /// <summary>Once at a time. Begun again after a failure it goes on where it was.</summary>
    public void Begin()
    {
        lock (gate)
        {
            if (State.Runs) return;
            State = new DemoState(true, 0, 0, false, null);
        }
        _ = Task.Run(FillAsync, CancellationToken.None);
    }

    private async Task FillAsync()
    {
        try
        {
            var report = await filler.FillAsync(p => State = State with { Days = p.Days, Events = p.Events }, lifetime.ApplicationStopping);
            State = State with { Runs = false, IsDone = report.Error is null, Problem = report.Error };
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            State = State with { Runs = false, Problem = "The server stops. Begun again, it goes on where it was." };
        }
#pragma warning disable CA1031 // Nobody waits for it: what went wrong is shown on its page, whatever it was.
        catch (Exception e)
#pragma warning restore CA1031
        {
            State = State with { Runs = false, Problem = Database.Describe(e) };
        }
    }
}
