using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Footfall.Hosting;
using Footfall.Journal;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Journal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>
/// The disk of the data folder has no room left: a small file system of its own where the test may mount one (root in most
/// containers), else a journal disk that refuses as a full one does.
/// </summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly string folder = TestFolder.New("full");
    private readonly FailingDisk disk = new();
    private TestDatabase database = null!;
    private bool mounted;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        mounted = Run("mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "none", folder);
    }

    public async ValueTask DisposeAsync()
    {
        if (mounted) Assert.True(Run("umount", folder));
        await database.DisposeAsync();
    }

    [Fact]
    public async Task A_full_disk_is_answered_503_and_told_and_used_again_once_there_is_room()
    {
        await using (var server = await TestServer.StartAsync(folder, OnFailingDisk, "--Postgres:ConnectionString", database.ConnectionString, "--Capture:RateLimit:Enabled", "false", "--Health:MinFreeMegabytes", "0"))
        {
            List<string> acknowledged = [];
            for (var n = 0; n < 50; n++) await SendAsync(n);
            Fill();
            for (var n = 50; n < 2_000 && acknowledged.Count == n; n++) await SendAsync(n);   // what is left of a page is still used
            for (var n = 2_000; n < 2_020; n++) await SendAsync(n);
            Assert.InRange(acknowledged.Count, 50, 1_999);

            var (status, body) = await server.Client.AskAsync("/v1/readyz");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.Contains($"journal: {Path.Combine(folder, "journal")}", body, StringComparison.Ordinal);
            Assert.Contains("No space left", body, StringComparison.Ordinal);

            Free();
            await Eventually.HoldsAsync(async () => await server.Client.AskAsync("/v1/readyz") is var (_, ready) && ready.Contains("\"problems\":[]", StringComparison.Ordinal) ? null : ready, Ct);
            for (var n = 3_000; n < 3_050; n++)
            {
                await SendAsync(n);
                Assert.Equal($"{n}", acknowledged[^1]);
            }
            await StoredFacts.DrainAsync(server.Client, database.Source, Ct);
            await StoredFacts.AreStoredOnceAsync(database.Source, acknowledged);
            Assert.Equal(acknowledged.Count, (await StoredFacts.KeysAsync(database.Source)).Count - Footfall.Ingestion.Lanes.Count);   // the refused were not stored; the marks were
            await StoredFacts.HoldAsync(database.Source);
            Assert.Single(server.Log.Errors, e => e.StartsWith("3010:", StringComparison.Ordinal));   // one line for the change, not one for each event

            async Task SendAsync(int n)
            {
                using var answer = await server.Client.PostAsync($$$"""{"eventType":"page_view","eventId":"{{{n}}}","anonId":"visitor-of-{{{n % 5}}}","path":"/","props":{"k":"{{{n}}}","fill":"{{{new string('x', 800)}}}"}}""");
                if (answer.StatusCode == HttpStatusCode.Accepted)
                {
                    acknowledged.Add($"{n}");
                    return;
                }
                Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
                Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
                Assert.Equal("journal_unavailable", JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement.GetProperty("error").GetString());
            }
        }
    }

    private string Ballast => Path.Combine(folder, "ballast");

    private void Fill()
    {
        if (!mounted)
        {
            disk.WriteFailsAfter = 0;
            return;
        }
        using var file = new FileStream(Ballast, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true) file.Write(new byte[4096]);
        }
        catch (IOException)
        {
            // Full, which is what was wanted.
        }
    }

    private void Free()
    {
        disk.WriteFailsAfter = null;
        if (mounted) File.Delete(Ballast);
    }

    private void OnFailingDisk(IServiceCollection services)
    {
        if (mounted) return;
        services.AddSingleton(s => EventJournal.Open(s.GetRequiredService<DataFolder>().Journal, s.GetRequiredService<IOptions<JournalOptions>>().Value, TimeProvider.System, s.GetRequiredService<ILogger<EventJournal>>(), disk));
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
