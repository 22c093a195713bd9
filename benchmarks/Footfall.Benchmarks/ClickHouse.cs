using System.Diagnostics;
using System.Text.Json;

namespace Footfall.Benchmarks;

/// <summary>
/// The ClickHouse engine in a process of its own (npm chdb, brought in here and never part of the product). Times are taken in that process around the
/// query alone, so that neither pipes nor JSON are in them.
/// </summary>
internal sealed class ClickHouse : IAsyncDisposable
{
    private const string Package = "chdb@3.4.0";

    private const string Program = """
        const { Session } = require('chdb');
        const session = new Session(process.argv[2]);
        require('readline').createInterface({ input: process.stdin }).on('line', line => {
            const sql = JSON.parse(line);
            try {
                const began = process.hrtime.bigint();
                const text = session.query(sql, 'JSONCompact');
                const ms = Number(process.hrtime.bigint() - began) / 1e6;
                console.log(JSON.stringify({ ms, data: text ? JSON.parse(text).data : [], rss: process.memoryUsage.rss() }));
            } catch (e) {
                console.log(JSON.stringify({ error: String(e && e.message || e) }));
            }
        }).on('close', () => process.exit(0));
        """;

    private readonly Process process;

    private ClickHouse(Process process) => this.process = process;

    /// <param name="data">Kept between runs.</param>
    public static async Task<ClickHouse> StartAsync(string data)
    {
        var folder = Folders.Named("chdb");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "chdb")))
        {
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{"private": true}""");
            using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", Package]) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardOutput = true })!;
            await npm.StandardOutput.ReadToEndAsync();
            await npm.WaitForExitAsync();
            if (npm.ExitCode != 0) throw new InvalidOperationException($"npm could not install {Package}.");
        }
        var program = Path.Combine(folder, "queries.js");
        await File.WriteAllTextAsync(program, Program);
        Directory.CreateDirectory(data);
        return new ClickHouse(Process.Start(new ProcessStartInfo("node", [program, data]) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!);
    }

    /// <summary>Resident memory after the last query, in MB.</summary>
    public double Memory { get; private set; }

    public async Task<(double Ms, List<List<string?>> Rows)> QueryAsync(string sql)
    {
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(sql));
        await process.StandardInput.FlushAsync();
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The ClickHouse engine ended.");
        using var answer = JsonDocument.Parse(line);
        if (answer.RootElement.TryGetProperty("error", out var error)) throw new InvalidOperationException($"{sql}\n{error}");
        Memory = answer.RootElement.GetProperty("rss").GetDouble() / (1 << 20);
        return (answer.RootElement.GetProperty("ms").GetDouble(),
            [.. answer.RootElement.GetProperty("data").EnumerateArray().Select(r => r.EnumerateArray().Select(c => c.ValueKind == JsonValueKind.Null ? null : c.ToString()).ToList())]);
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
