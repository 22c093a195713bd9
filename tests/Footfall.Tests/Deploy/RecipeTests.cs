using System.Text.RegularExpressions;
using Footfall.Cli;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Deploy;

/// <summary>No container engine runs where these tests do: that recipes fit together, and say nothing that the program does not know, is looked up instead.</summary>
public sealed partial class RecipeTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Port = "8080";
    private static readonly string[] Composes = ["compose.yaml", "compose.cluster.yaml"];

    public static TheoryData<string> ComposeFiles => [.. Composes];

    [Theory]
    [MemberData(nameof(ComposeFiles))]
    public void A_compose_file_fits_together(string file)
    {
        var compose = DeployFiles.Yaml(file);
        var services = compose.Map("services");
        var (volumes, networks) = (compose.Map("volumes").Names().ToList(), compose.Map("networks").Names().ToList());
        foreach (var name in services.Names())
        {
            var service = services.Map(name);
            Assert.True(service.ContainsKey("image"), $"{file}: {name} has no image.");
            Assert.All(service.List("networks"), n => Assert.Contains(n, networks));
            Assert.All(service.List("volumes"), v => Assert.True(v[0] == '.' ? File.Exists(Repository.File("deploy", v.Split(':')[0])) : volumes.Contains(v.Split(':')[0]), $"{file}: {name} mounts {v}, which is not declared."));
            if (service.TryGetValue("depends_on", out var depends)) Assert.All(depends is List<object> list ? list.Cast<string>() : ((Dictionary<object, object>)depends).Names(), d => Assert.Contains(d, services.Names()));
            if (!service.ContainsKey("build")) continue;

            var build = service.Map("build");
            Assert.Equal(("..", "deploy/Dockerfile"), ((string)build["context"], (string)build["dockerfile"]));
            Assert.Contains((string)build["target"], Stages());
            Assert.Equal("true", (string)service["read_only"]);
            Assert.Equal(["ALL"], service.List("cap_drop"));
            Assert.All(service.Map("environment").Names(), v => Assert.True(ConfigurationKeys.Knows(v), $"{file}: {name} sets {v}, which docs/configuration.md does not name."));
        }
        // Nothing but the proxy is reachable from outside, and it is told where the server is.
        Assert.Equal(["proxy"], services.Names().Where(n => services.Map(n).ContainsKey("ports")));
        var upstreams = string.Join(' ', services.Map("proxy").List("command")) + (file == "compose.yaml" ? "" : DeployFiles.Text("Caddyfile"));
        foreach (var name in services.Names().Where(n => services.Map(n).ContainsKey("build"))) Assert.Contains($"{name}:{Port}", upstreams, StringComparison.Ordinal);
        // Every network that the server trusts is one of the file's.
        var subnet = Regex.Match(DeployFiles.Text(file), "subnet: (\\S+)").Groups[1].Value;
        Assert.Contains($"TrustedProxies: {subnet}\n", DeployFiles.Text(file), StringComparison.Ordinal);
        var filledIn = Repository.Text("deploy", "env.example");
        foreach (Match variable in Variable().Matches(DeployFiles.Text(file))) Assert.Contains($"\n{variable.Groups[1].Value}=", filledIn, StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_has_what_its_recipe_says()
    {
        var text = DeployFiles.Text("Dockerfile");
        Assert.Equal(["node", "build", "server", "embedded", "fly"], Stages());
        Assert.Equal(2, Regex.Count(text, $"EXPOSE {Port}\n"));
        Assert.Equal(2, Regex.Count(text, $"ASPNETCORE_HTTP_PORTS={Port} "));
        Assert.Equal(2, Regex.Count(text, "USER 1654\n"));
        foreach (Match copy in Regex.Matches(text, @"^COPY (?:--chmod=\d+ )?(?<file>deploy/\S+) ", RegexOptions.Multiline)) Assert.True(File.Exists(Repository.File(copy.Groups["file"].Value)), copy.Value);
        foreach (Match from in Regex.Matches(text, "COPY --from=(\\S+)")) Assert.Contains(from.Groups[1].Value, Stages());
        foreach (Match variable in Regex.Matches(text, @"^(?:ENV|   ) (?<name>\w+)=\S+(?: \\)?$", RegexOptions.Multiline)) Assert.True(ConfigurationKeys.Knows(variable.Groups["name"].Value), $"The Dockerfile sets {variable.Groups["name"].Value}, which docs/configuration.md does not name.");
        Assert.Contains("dotnet publish src/Footfall ", text, StringComparison.Ordinal);
        // What the build copies must not be held back.
        var ignored = Repository.Text(".dockerignore").Split('\n');
        Assert.Contains("!deploy/start-as-app.sh", ignored);
        Assert.DoesNotContain(ignored, l => l is "src" or "web" or "docs" or "LICENSE");
    }

    [Fact]
    public void Fly_is_told_the_truth()
    {
        var fly = DeployFiles.Toml("fly.toml");
        Assert.Equal("yyz", fly["primary_region"]);
        Assert.Equal(long.Parse(Port, null), fly["http_service.internal_port"]);
        Assert.Equal(true, fly["http_service.force_https"]);
        Assert.Equal(("/v1/healthz", "GET"), ((string)fly["http_service.checks.path"], (string)fly["http_service.checks.method"]));
        Assert.Contains(fly["build.build-target"], Stages());
        Assert.True(File.Exists(Repository.File("deploy", (string)fly["build.dockerfile"])));
        Assert.Contains($"DataDir={fly["mounts.destination"]} ", DeployFiles.Text("Dockerfile").Replace("\\\n", " ", StringComparison.Ordinal) + " ", StringComparison.Ordinal);
        Assert.EndsWith($":{fly["metrics.port"]}", (string)fly["env.Telemetry__MetricsUrl"], StringComparison.Ordinal);
        Assert.Equal("/metrics", fly["metrics.path"]);
        Assert.All(fly.Keys.Where(k => k.StartsWith("env.", StringComparison.Ordinal)), k => Assert.True(ConfigurationKeys.Knows(k[4..]), $"fly.toml sets {k}, which docs/configuration.md does not name."));
    }

    [Fact]
    public void The_unit_starts_what_the_guide_puts_there()
    {
        var unit = DeployFiles.Text("footfall.service");
        Assert.Equal(["[Unit]", "[Service]", "[Install]"], unit.Split('\n').Where(l => l.StartsWith('[')));
        Assert.All(unit.Split('\n').Where(l => l.Length > 0 && l[0] is not ('#' or '[')), l => Assert.Matches("^[A-Za-z]+=", l));
        foreach (Match variable in Regex.Matches(unit, "^Environment=(?<name>\\w+)=", RegexOptions.Multiline)) Assert.True(ConfigurationKeys.Knows(variable.Groups["name"].Value), variable.Value);
        foreach (Match variable in Regex.Matches(DeployFiles.Text("footfall.env.example"), "^(?<name>\\w+)=", RegexOptions.Multiline)) Assert.True(ConfigurationKeys.Knows(variable.Groups["name"].Value), variable.Value);
        var guide = Repository.Text("docs", "deploy.md");
        foreach (var path in (string[])["/opt/footfall", "/etc/footfall/env", "/var/lib/footfall"])
        {
            Assert.Contains(path, unit, StringComparison.Ordinal);
            Assert.Contains(path, guide, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_command_runs_with_the_settings_of_the_service_and_runs_nothing_that_stands_in_them()
    {
        var folder = TestFolder.New("command");
        var settings = Path.Combine(folder, "env");
        await File.WriteAllTextAsync(settings, "# a comment\n\nADMIN_API_KEY='in quotes'\nDATABASE_URL=postgres://u:p$(touch harmed)@h/d?a=b&c=`id`;x\nnot a setting\nLeads__Smtp__From=\"A <a@b.example>\"");
        void Stub(string name, string text)
        {
            File.WriteAllText(Path.Combine(folder, name), "#!/bin/sh\n" + text);
            File.SetUnixFileMode(Path.Combine(folder, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        Stub("runuser", "[ \"$1 $2 $3\" = '-u footfall --' ] || exit 9\nshift 3\nexec \"$@\"\n");
        Stub("dotnet", "printf '%s\\n' \"$@\" \"$ADMIN_API_KEY\" \"$DATABASE_URL\" \"$Leads__Smtp__From\" \"$PORT\" \"$DataDir\" \"$PWD\"\n");
        var start = new System.Diagnostics.ProcessStartInfo("sh", [Repository.File("deploy", "footfall.sh"), "backup", "--to", "a folder"]) { RedirectStandardOutput = true, UseShellExecute = false };
        (start.Environment["PATH"], start.Environment["FOOTFALL_ENV"], start.Environment["DataDir"]) = ($"{folder}:{Environment.GetEnvironmentVariable("PATH")}", settings, folder);
        using var process = System.Diagnostics.Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        Assert.Equal(
            ["/opt/footfall/footfall.dll", "backup", "--to", "a folder", "in quotes", "postgres://u:p$(touch harmed)@h/d?a=b&c=`id`;x", "A <a@b.example>", "5280", folder, folder],
            said.TrimEnd('\n').Split('\n'));
        Assert.False(File.Exists(Path.Combine(folder, "harmed")));
    }

    [Fact]
    public void What_the_guide_installs_is_there()
    {
        var guide = Repository.Text("docs", "deploy.md");
        var named = Regex.Matches(guide, @"(?:install -m \d+|cp) (deploy/\S+) (/\S+)").Select(m => (From: m.Groups[1].Value, To: m.Groups[2].Value)).ToList();
        Assert.Equal(["/etc/footfall/env", "/usr/local/bin/footfall", "/etc/systemd/system/footfall.service"], named.Select(n => n.To));
        Assert.All(named, n => Assert.True(File.Exists(Repository.File(n.From)), n.From));
        // Backups go where the unit lets the server write.
        Assert.Contains("ReadWritePaths=-/var/backups/footfall\n", DeployFiles.Text("footfall.service"), StringComparison.Ordinal);
        Assert.Contains("Backup__Directory=/var/backups/footfall\\n", guide, StringComparison.Ordinal);
    }

    [Fact]
    public void Health_is_asked_where_the_server_answers()
    {
        var mapped = server.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>().Select(e => "/" + e.RoutePattern.RawText!.TrimStart('/')).ToHashSet();
        foreach (var file in Directory.EnumerateFiles(Repository.File("deploy"), "*", SearchOption.AllDirectories).Append(Repository.File("docs", "deploy.md")).Append(Repository.File("docs", "operations.md")))
        {
            foreach (Match path in Regex.Matches(File.ReadAllText(file), "/v1/[a-z]+z\\b|(?<![\\w/])/metrics\\b")) Assert.Contains(path.Value, mapped);
        }
    }

    [Fact]
    public async Task Commands_that_recipes_and_guides_name_exist_with_their_options()
    {
        var said = 0;
        foreach (var file in Directory.EnumerateFiles(Repository.File("deploy")).Concat(Directory.EnumerateFiles(Repository.File("docs"), "*.md")).Append(Repository.File("README.md")))
        {
            foreach (Match match in Invocation().Matches(await File.ReadAllTextAsync(file)))
            {
                var words = match.Groups["words"].Value.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
                var options = words.Where(w => w.StartsWith("--", StringComparison.Ordinal) && !char.IsUpper(w[2])).Select(w => w.Split('=')[0]).ToList();
                using var output = new StringWriter();
                using var error = new StringWriter();
                var command = words.TakeWhile(w => !w.StartsWith('-') && !w.Any(char.IsAsciiLetterUpper)).ToList();
                var exit = await HelpAsync(command, output, error);
                // The last words may be values rather than commands.
                while (exit != 0 && command.Count > 1)
                {
                    command.RemoveAt(command.Count - 1);
                    exit = await HelpAsync(command, output, error);
                }
                Assert.True(exit == 0, $"{Path.GetFileName(file)} says `footfall {match.Groups["words"].Value}`: {error}");
                var help = output.ToString();
                Assert.All(options, o => Assert.True(help.Contains(o, StringComparison.Ordinal), $"{Path.GetFileName(file)} says `footfall {match.Groups["words"].Value}`, and `footfall {string.Join(' ', command)}` has no {o}."));
                said++;
            }
        }
        Assert.True(said > 20, $"{said} found");

        static async Task<int> HelpAsync(List<string> command, TextWriter output, TextWriter error) => await FootfallCommand.RunAsync([.. command, "--help"], output, error, CancellationToken.None);
    }

    private static List<string> Stages() => [.. Regex.Matches(DeployFiles.Text("Dockerfile"), @"^FROM \S+ AS (?<name>\w+)$", RegexOptions.Multiline).Select(m => m.Groups["name"].Value)];

    [GeneratedRegex(@"\$\{(\w+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"(?:`footfall|(?m:^ *footfall)|footfall\.dll|run --rm server-1|--project src/Footfall --|dotnet footfall) (?<words>(?:--)?[a-z][\w -]*)")]
    private static partial Regex Invocation();
}
