using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>The packages that people install, packed for real.</summary>
public sealed class ModulePackageTests
{
    private static readonly string Root = FindRoot();
    private static readonly string Packages = Path.Combine(Root, "web", "node_modules");

    private const string RightUse = """
        import { init, event, identify, experiment, leadForm, consent, optOut } from 'footfall-tracker';
        import type { Options } from 'footfall-tracker';
        const options: Options = { host: 'https://stats.example.com', property: 'app', off: ['vitals'], beforeSend: e => e };
        init(options);
        event('saved', { size: 2 }, { isConversion: true });
        identify('a', { username: 'x' }, 'ab');
        consent('granted');
        optOut();
        export const variant: Promise<string> = experiment('x');
        export const markup: string = leadForm({ host: 'h', purpose: 'p', consent: 'c', name: 'n' });
        """;

    [Fact]
    public async Task The_module_packs_compiles_for_its_users_and_can_be_imported_on_a_server()
    {
        var folder = TestFolder.New("module");
        await RunAsync(Path.Combine(Root, "web", "tracker"), "npm", "pack", "--silent", "--pack-destination", folder);
        var package = Path.Combine(folder, "node_modules", "footfall-tracker");
        var names = await UnpackAsync(Directory.EnumerateFiles(folder, "*.tgz").Single(), package);
        Assert.Equal(["README.md", "dist/index.js", "dist/types/index.d.ts", "package.json"], names.Where(n => !n.Contains('-', StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        // What is loaded only where it is needed, and what they share.
        Assert.All(names.Where(n => n.Contains('-', StringComparison.Ordinal)), n => Assert.Matches("^dist/(measure|lead|chunk)-[A-Z0-9]{8}.js$", n));

        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{"type":"module"}""", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "right.ts"), RightUse, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "wrong.ts"), "import { init } from 'footfall-tracker';\ninit({ host: 'h', off: ['nonsense'] });", TestContext.Current.CancellationToken);
        string[] compile = [Path.Combine(Packages, "typescript", "bin", "tsc"), "--noEmit", "--strict", "--ignoreConfig", "--target", "es2020", "--lib", "es2020,dom"];
        foreach (var resolution in (string[])["bundler", "nodenext"])
            await RunAsync(folder, "node", [.. compile, "--module", resolution == "bundler" ? "esnext" : resolution, "--moduleResolution", resolution, "right.ts"]);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(folder, "node", [.. compile, "--module", "esnext", "--moduleResolution", "bundler", "wrong.ts"]));
        Assert.Contains("nonsense", refused.Message, StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(folder, "server.js"), "import { init, event, leadForm } from 'footfall-tracker';\ninit({ host: 'https://stats.example.com' });\nevent('x');\nconsole.log(leadForm({ host: 'h', purpose: 'p', consent: 'c', name: 'n' }).length > 100);", TestContext.Current.CancellationToken);
        Assert.Equal("true", (await RunAsync(folder, "node", "server.js")).Trim());
    }

    [Fact]
    public async Task The_client_packs_with_its_documentation()
    {
        var folder = TestFolder.New("client");
        var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";
        await RunAsync(Root, "dotnet", "pack", Path.Combine("src", "Footfall.Client"), "--no-build", "-c", configuration, "-o", folder, "--nologo");
        await using var package = await ZipFile.OpenReadAsync(Directory.EnumerateFiles(folder, "Footfall.Client.*.nupkg").Single(), TestContext.Current.CancellationToken);
        string[] wanted = ["lib/net10.0/Footfall.Client.dll", "lib/net10.0/Footfall.Client.xml", "README.md", "Footfall.Client.nuspec"];
        Assert.All(wanted, name => Assert.Contains(package.Entries, e => e.FullName == name));
        using var nuspec = new StreamReader(await package.GetEntry("Footfall.Client.nuspec")!.OpenAsync(TestContext.Current.CancellationToken));
        var text = await nuspec.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Contains("<readme>README.md</readme>", text, StringComparison.Ordinal);
        Assert.Contains("<license type=\"expression\">MIT</license>", text, StringComparison.Ordinal);
        Assert.DoesNotContain("<dependency ", text, StringComparison.Ordinal);
    }

    private static async Task<List<string>> UnpackAsync(string archive, string folder)
    {
        await using var file = File.OpenRead(archive);
        await using var zip = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(zip);
        List<string> names = [];
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            var name = entry.Name["package/".Length..];
            names.Add(name);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            await entry.ExtractToFileAsync(Path.Combine(folder, name), overwrite: true);
        }
        return names;
    }

    /// <summary>What it wrote; fails with that when it ended otherwise than well.</summary>
    private static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await output}{await error}");
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Footfall.slnx"))) folder = folder.Parent;
        return folder.FullName;
    }
}
