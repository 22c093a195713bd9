using System.Diagnostics;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Metrics;

/// <summary>What docs/api.md tells people to type works as it stands there.</summary>
public sealed class DocumentationTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Fact]
    public async Task Every_curl_of_the_documentation_succeeds()
    {
        await server.StoreAsync(Told.Event("docs", "2026-02-01T10:00:00"));
        var ingestToken = await server.NewTokenAsync(Footfall.Access.AccessRole.Ingest);
        var commands = Commands(await File.ReadAllTextAsync(Path.Combine(Root(), "docs", "api.md")));
        Assert.True(commands.Count >= 11, $"{commands.Count} commands");
        foreach (var command in commands)
        {
            var start = new ProcessStartInfo("bash", ["-c", command.Replace("http://localhost:5280", server.Client.BaseAddress!.ToString().TrimEnd('/'), StringComparison.Ordinal).Replace("curl ", "curl --fail-with-body -sS ", StringComparison.Ordinal)])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["ADMIN_API_KEY"] = ApiServer.AdminKey;
            start.Environment["DASHBOARD_TOKEN"] = ApiServer.DashboardToken;
            start.Environment["INGEST_TOKEN"] = ingestToken;
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, $"{command}\n{await output}{await error}");
        }
    }

    /// <summary>Indented blocks that begin with curl, up to the next line that is not part of them.</summary>
    private static List<string> Commands(string markdown) =>
        [.. markdown.Split("\n\n").SelectMany(block => block.Split("\n    curl ").Skip(block.StartsWith("    curl ", StringComparison.Ordinal) ? 0 : 1).Select(c => c.StartsWith("    curl ", StringComparison.Ordinal) ? c : $"    curl {c}"))];

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Footfall.slnx"))) folder = folder.Parent;
        return folder.FullName;
    }
}
