using System.CommandLine;
using System.Globalization;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Leads;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;
using Command = System.CommandLine.Command;

namespace Footfall.Cli;

/// <summary><c>footfall keys</c>: the secrets that the server made for itself, and others in their place.</summary>
internal static class KeysCommand
{
    private static readonly (string Name, string File, string What)[] Kinds =
    [
        ("admin", AdminKey.SecretName, "the admin key"),
        ("pepper", PersonalHashes.SecretName, "hashes of addresses and user agents"),
        ("links", SignedLinks.SecretName, "links in mails, tokens of forms"),
    ];

    public static Command Build(CommandRun run) => new("keys", "Show and rotate the secrets in the data folder.") { List(run), Rotate(run) };

    private static Command List(CommandRun run)
    {
        var command = new Command("list", "Which secrets there are, since when, and which of before still hold. Shows none of them.");
        command.SetAction((parsed, stop) => run.RunAsync(parsed, (context, _) =>
        {
            var folder = context.Get<DataFolder>();
            var table = new TextTable(new("key"), new("for", MayBeCut: true), new("since (UTC)"), new("of before, still valid", IsNumber: true));
            var now = context.Get<TimeProvider>().GetUtcNow();
            foreach (var (name, file, what) in Kinds)
            {
                var path = Path.Combine(folder.Keys, file);
                var since = Configured(context, name) is { } key ? $"configured: {key}" : File.Exists(path) ? $"{File.GetLastWriteTimeUtc(path):yyyy-MM-dd HH:mm}" : "not made yet";
                table.Add(name, what, since, $"{folder.FormerSecrets(file, now).Count}");
            }
            table.Write(context.Output);
            return Task.FromResult(ExitCodes.Ok);
        }, stop));
        return command;
    }

    private static Command Rotate(CommandRun run)
    {
        var kind = new Argument<string>("KEY") { Description = "admin, pepper or links." };
        kind.AcceptOnlyFromAmong([.. Kinds.Select(k => k.Name)]);
        var grace = TokenCommand.Grace();
        grace.Description = "Of admin: how long the old one works yet. Default: 24; 0 where it may be in wrong hands. The others of before are known again until their files are deleted.";
        var command = new Command("rotate", "Put a new secret in the place of one that the server made. Start the server again after it.") { kind, grace };
        command.SetAction((parsed, stop) => run.RunAsync(parsed, async (context, cancelled) =>
        {
            var (name, file, what) = Kinds.Single(k => k.Name == parsed.GetRequiredValue(kind));
            if (Configured(context, name) is { } key)
                throw new CommandException($"{key} is configured, and so that is where it is changed: put a new value there and the old one into {Former(name)}. What goes on and what does not: docs/keys.md.");
            if (name == "admin" && !string.IsNullOrEmpty(context.Get<IOptions<PostgresOptions>>().Value.ConnectionString))
                throw new CommandException("With a PostgreSQL of your own the server makes no admin key: set one, Access:AdminKey (ADMIN_API_KEY), for example from `openssl rand -hex 24`.");
            var folder = context.Get<DataFolder>();
            folder.Create();
            var now = context.Get<TimeProvider>().GetUtcNow();
            var hours = parsed.GetValue(grace);
            var fresh = folder.RotateSecret(file, now, name == "admin" ? TimeSpan.FromHours(hours) : null, name == "admin" ? AdminKey.SecretBytes : 32);
            if (name == "admin") await context.Output.WriteLineAsync(Convert.ToHexStringLower(fresh));
            await context.Error.WriteLineAsync(name switch
            {
                "admin" => $"This is the admin key from the server's next start on. The one of before works {(hours == 0 ? "no more from then" : $"until {now.AddHours(hours).UtcDateTime:yyyy-MM-dd HH:mm} UTC")}.",
                "pepper" => "From the server's next start on hashes are made with a new pepper. Visitors are known again by their own ids; addresses that were erased are known again; visitors of the last half hour are not linked to a form by address and browser.",
                _ => $"From the server's next start on {what} are signed with a new key. Those that were signed before hold until the file keys/{file}.before-* is deleted.",
            });
            await RecordAsync(context, name, name == "admin" ? hours : null, cancelled);
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    /// <summary>After it: a key in wrong hands is replaced whether or not there is a database to write that into.</summary>
    /// <param name="grace">For how many hours the one of before works yet, where that ends.</param>
    private static async Task RecordAsync(CommandContext context, string name, int? grace, CancellationToken cancellationToken)
    {
        try
        {
            await using var database = await context.Services.OpenDatabaseForCommandAsync(cancellationToken);
            var detail = grace is { } hours ? string.Create(CultureInfo.InvariantCulture, $$"""{"key":"{{name}}","graceHours":{{hours}}}""") : $$"""{"key":"{{name}}"}""";
            await context.Get<AuditLog>().AddAsync(AuditLog.CommandLine, AuditAction.KeyRotated, null, detail, cancellationToken);
        }
        catch (Exception e) when (e is SetupException or NpgsqlException or TimeoutException)
        {
            await context.Error.WriteLineAsync($"The key is rotated all the same, but the audit log does not have it. {Database.Describe(e)}");
        }
    }

    /// <summary>The setting that holds the secret; null when it lies in the data folder.</summary>
    private static string? Configured(CommandContext context, string name) => name switch
    {
        "admin" => string.IsNullOrEmpty(context.Get<IOptions<AccessOptions>>().Value.AdminKey) ? null : "Access:AdminKey (ADMIN_API_KEY)",
        "pepper" => string.IsNullOrEmpty(context.Get<IOptions<CaptureOptions>>().Value.IpHashPepper) ? null : "Capture:IpHashPepper (IP_HASH_PEPPER)",
        _ => string.IsNullOrEmpty(context.Get<IOptions<LeadsOptions>>().Value.LinkKey) ? null : "Leads:LinkKey",
    };

    private static string Former(string name) => name switch
    {
        "admin" => "Access:PreviousAdminKey (ADMIN_API_KEY_PREVIOUS) until everybody has the new one",
        "pepper" => "Capture:PreviousIpHashPeppers:0 (IP_HASH_PEPPER_PREVIOUS)",
        _ => "Leads:PreviousLinkKeys:0",
    };
}
