using System.Security.Cryptography;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>A server dies with events in its journal, and the files are damaged before the next one starts.</summary>
public sealed class JournalTailTests : IAsyncLifetime
{
    private const int Events = 60;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly string folder = TestFolder.New("tail");
    private TestDatabase database = null!;
    private string file = "";

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        // No database: everything stays in the journal. One record for each event.
        await using var server = await ServerProcess.StartListeningAsync(folder, Ct, "--Postgres:ConnectionString", "Host=127.0.0.1;Port=1;Username=nobody");
        for (var n = 0; n < Events; n++)
            await server.Client.TakenAsync($$$"""{"eventType":"page_view","eventId":"{{{n}}}","anonId":"visitor-of-{{{n % 5}}}","path":"/","props":{"k":"{{{n}}}"}}""");
        await server.KillAsync(Ct);
        file = Assert.Single(Directory.GetFiles(Path.Combine(folder, "journal"), "*.segment"));
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Theory]
    [InlineData("noise")]
    [InlineData("half a record")]
    public async Task What_a_dying_server_left_behind_the_last_record_is_cut_off_and_nothing_acknowledged_with_it(string tail)
    {
        var whole = await File.ReadAllBytesAsync(file, Ct);
        var bytes = tail == "noise" ? RandomNumberGenerator.GetBytes(5000) : whole[^(whole.Length / Events)..^(whole.Length / Events / 2)];
        await using (var append = new FileStream(file, FileMode.Append))
            await append.WriteAsync(bytes, Ct);

        await using var server = await StartAsync();
        Assert.Contains("ended in", server.Output, StringComparison.Ordinal);
        Assert.Contains(file, server.Output, StringComparison.Ordinal);
        await StoredFacts.AreStoredOnceAsync(database.Source, [.. Enumerable.Range(0, Events).Select(n => $"{n}")]);
        await StoredFacts.HoldAsync(database.Source);
        await server.InterruptAsync(Ct);
    }

    [Fact]
    public async Task A_damaged_byte_in_the_middle_costs_its_own_record_and_is_told_with_the_files_name()
    {
        using (var damage = new FileStream(file, FileMode.Open, FileAccess.ReadWrite))
        {
            damage.Position = damage.Length / 2;
            var old = damage.ReadByte();
            damage.Position--;
            damage.WriteByte((byte)~old);
        }

        await using var server = await StartAsync();
        Assert.Contains($"{file} is damaged at offset", server.Output, StringComparison.Ordinal);
        var stored = await StoredFacts.KeysAsync(database.Source);
        Assert.Equal(Events - 1, Enumerable.Range(0, Events).Count(n => stored.ContainsKey($"{n}")));
        await StoredFacts.HoldAsync(database.Source);
        await server.InterruptAsync(Ct);
    }

    private async Task<ServerProcess> StartAsync()
    {
        var server = await ServerProcess.StartListeningAsync(folder, Ct, "--Postgres:ConnectionString", database.ConnectionString);
        await StoredFacts.DrainAsync(server.Client, database.Source, Ct);
        return server;
    }
}
