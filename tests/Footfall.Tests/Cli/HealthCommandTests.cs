using Footfall.Cli;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Cli;

public sealed class HealthCommandTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Fact]
    public async Task A_server_that_works_is_ok()
    {
        Assert.Equal((0, "ok", ""), await RunAsync("health", "--urls", Address));
        Assert.Equal((0, "ok", ""), await RunAsync("health", "--ready", "--url", Address));
    }

    [Fact]
    public async Task A_server_that_is_not_there_or_says_what_is_wrong_is_exit_code_1()
    {
        var (exit, _, error) = await RunAsync("health", "--PORT", "9");
        Assert.Equal(1, exit);
        Assert.StartsWith("No answer from http://localhost:9/", error, StringComparison.Ordinal);

        await using var low = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", "--Health:MinFreeMegabytes=10000000");
        (exit, _, error) = await RunAsync("health", "--ready", "--url", low.Client.BaseAddress!.ToString());
        Assert.Equal(1, exit);
        Assert.StartsWith("disk: ", error, StringComparison.Ordinal);

        (exit, _, error) = await RunAsync("health", "--url", "localhost");
        Assert.Equal(2, exit);
        Assert.Contains("http://localhost:5280", error, StringComparison.Ordinal);
    }

    private string Address => server.Client.BaseAddress!.ToString();

    private static async Task<(int, string, string)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await FootfallCommand.RunAsync(args, output, error, TestContext.Current.CancellationToken);
        return (exit, output.ToString().Trim(), error.ToString().Trim());
    }
}
