using Footfall.Postgres;
using Xunit;

namespace Footfall.Tests.Postgres;

public sealed class DatabaseGateTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_waits_goes_on_when_the_gate_opens_and_waits_again_when_it_has_closed()
    {
        var gate = new DatabaseGate(TimeProvider.System);
        Assert.False(gate.IsReady);
        var waiting = gate.WaitAsync(Ct);
        Assert.False(waiting.IsCompleted);

        Assert.True(gate.Open());
        await waiting.WaitAsync(TimeSpan.FromSeconds(5), Ct);
        Assert.True(gate.IsReady);
        Assert.Null(gate.Problem);
        Assert.False(gate.Open());

        Assert.True(gate.Close("the disk is full."));
        Assert.False(gate.IsReady);
        Assert.False(gate.WaitAsync(Ct).IsCompleted);
    }

    [Fact]
    public async Task A_wait_ends_with_its_token()
    {
        using var stop = new CancellationTokenSource();
        var waiting = new DatabaseGate(TimeProvider.System).WaitAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public void A_problem_says_since_when_and_the_same_one_is_no_news()
    {
        var time = new SettableTime { Now = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero) };
        var gate = new DatabaseGate(time);
        gate.Open();
        Assert.True(gate.Close("first."));
        time.Now = time.Now.AddMinutes(1);
        Assert.False(gate.Close("first."));
        Assert.True(gate.Close("second."));
        Assert.Equal("Not available since 2026-01-02T03:04:05Z: second.", gate.Problem);
    }

    private sealed class SettableTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
