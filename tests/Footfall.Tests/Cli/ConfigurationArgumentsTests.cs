using Footfall.Cli;
using Footfall.Hosting;
using Xunit;

namespace Footfall.Tests.Cli;

public sealed class ConfigurationArgumentsTests
{
    [Theory]
    [InlineData("", "", "")]
    [InlineData("--DataDir x --urls y", "--DataDir x --urls y", "")]
    [InlineData("--Journal:MaxBytes 5", "--Journal:MaxBytes 5", "")]
    [InlineData("--journal:maxBytes=5 serve", "--journal:maxBytes=5", "serve")]
    [InlineData("rollups run --DataDir x --job daily", "--DataDir x", "rollups run --job daily")]
    [InlineData("rollups run --from 2026-01-01 --DATABASE_URL=Host=a", "--DATABASE_URL=Host=a", "rollups run --from 2026-01-01")]
    [InlineData("--environment=Development --contentRoot=/a", "--environment=Development --contentRoot=/a", "")]
    [InlineData("import access-log - --property P", "", "import access-log - --property P")]
    [InlineData("properties set p --goal a=b:/c", "", "properties set p --goal a=b:/c")]
    public void Configuration_is_told_from_the_command(string line, string configuration, string command)
    {
        var (c, rest) = ConfigurationArguments.Split(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(configuration, string.Join(' ', c));
        Assert.Equal(command, string.Join(' ', rest));
    }

    [Theory]
    [InlineData("--DataDir")]
    [InlineData("--DataDir --urls y")]
    public void A_key_without_a_value_is_refused(string line) =>
        Assert.Equal(ExitCodes.Usage, Assert.Throws<CommandException>(() => ConfigurationArguments.Split(line.Split(' '))).ExitCode);

    [Theory]
    [InlineData(null, "http://localhost:5280")]
    [InlineData("  ", "http://localhost:5280")]
    [InlineData("8080", "http://0.0.0.0:8080")]
    public void Without_anything_said_only_this_machine_is_served(string? port, string address) =>
        Assert.Equal(address, ListenAddress.FromPort(port));

    [Theory]
    [InlineData("http")]
    [InlineData("70000")]
    [InlineData("-1")]
    public void A_port_that_is_none_is_refused_by_name(string port) =>
        Assert.Contains("PORT is", Assert.Throws<InvalidDataException>(() => ListenAddress.FromPort(port)).Message);
}
