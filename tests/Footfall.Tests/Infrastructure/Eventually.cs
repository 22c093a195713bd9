using System.Diagnostics;

namespace Footfall.Tests.Infrastructure;

/// <summary>Waits for what must come about by itself. The patience is for slow machines; nothing is measured.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks again until <paramref name="missing"/> answers null; fails with its last answer.</summary>
    public static async Task HoldsAsync(Func<Task<string?>> missing, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        while (await missing() is { } still)
        {
            if (watch.Elapsed > Patience)
                throw new TimeoutException($"After {Patience.TotalSeconds:0} s: {still}");
            await Task.Delay(Look, ct);
        }
    }

    public static Task IsTrueAsync(string what, Func<Task<bool>> condition, CancellationToken ct) =>
        HoldsAsync(async () => await condition() ? null : $"not yet: {what}", ct);
}
