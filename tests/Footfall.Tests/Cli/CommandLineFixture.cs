using Footfall.Cli;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Cli;

/// <summary>Runs commands as a user does, on a database and a data folder of the test class's own.</summary>
public sealed class CommandLineFixture : IAsyncLifetime
{
    private readonly string folder = TestFolder.New("cli");

    public TestDatabase Database { get; private set; } = null!;

    public string DataFolder => folder;

    public ValueTask InitializeAsync() => InitializeAsync(migrated: true);

    internal async ValueTask InitializeAsync(bool migrated) => Database = await TestDatabase.CreateAsync(migrated);

    public ValueTask DisposeAsync() => Database.DisposeAsync();

    /// <summary>Exit code, standard output, standard error.</summary>
    public async Task<(int Exit, string Output, string Error)> RunAsync(params string[] args) => await RunAsync(CancellationToken.None, args);

    public async Task<(int Exit, string Output, string Error)> RunAsync(CancellationToken stop, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        string[] configuration = ["--DataDir", folder, "--Postgres:ConnectionString", Database.ConnectionString, "--Postgres:MaxPoolSize", "10"];
        var exit = await FootfallCommand.RunAsync([.. configuration, .. args], output, error, stop);
        return (exit, output.ToString(), error.ToString());
    }

    /// <summary>A log file of these lines; gzip when its name says so.</summary>
    public string WriteLog(string name, params IEnumerable<string> lines)
    {
        var path = Path.Combine(folder, name);
        using Stream file = File.Create(path);
        using Stream stream = name.EndsWith(".gz", StringComparison.Ordinal) ? new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionLevel.Fastest) : file;
        using var writer = new StreamWriter(stream);
        foreach (var line in lines) writer.Write(line + "\n");
        return path;
    }
}
