using System.CommandLine;
using Footfall.Access;
using Footfall.Backups;
using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Leads;

namespace Footfall.Cli;

/// <summary><c>footfall token</c>: keys for dashboards, servers and people, each of which can be taken back alone.</summary>
internal static class TokenCommand
{
    private const int ShownIdCharacters = 13;   // 48 bits of time: as much as tells the tokens of one millisecond apart
    private const int FewestIdCharacters = 4;

    public static Command Build(CommandRun run) => new("token", "Make, list and revoke the keys with which others read figures or send data.") { Create(run), List(run), Rotate(run), Revoke(run) };

    private static Command Create(CommandRun run)
    {
        var role = new Option<string>("--role") { Description = "dashboard: reads figures. ingest: a server that sends what only it may say. admin: everything.", Required = true };
        role.AcceptOnlyFromAmong(AccessNames.Roles);
        var plan = new Option<string>("--plan") { Description = "pro: also the endpoints about single visitors. Default: free.", DefaultValueFactory = _ => AccessPlan.Free.Text() };
        plan.AcceptOnlyFromAmong(AccessNames.Plans);
        var property = new Option<string>("--property", "--property-id") { Description = "The only property that the token is for; every property when left out.", HelpName = "ID" };
        property.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && !PropertyId.IsValid(token.Value)) r.AddError($"'{token.Value}' is no property id: it must have {PropertyId.Rule}.");
        });
        var name = new Option<string>("--name") { Description = "What the list calls it, such as who it is for.", HelpName = "TEXT" };
        name.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && (token.Value.Length is 0 or > 100 || token.Value.Any(char.IsControl))) r.AddError("--name must have 1 to 100 characters, on one line.");
        });
        var command = new Command("create", "Make a token. It is shown once: only its hash is stored.") { role, plan, property, name };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var only = parsed.GetValue(property);
            if (only is not null && await context.Get<PropertySettings>().FindAsync(only, cancelled) is null)
                throw new CommandException($"There is no property {only}. `footfall properties list` shows those that exist; `footfall properties set {only}` makes it.");
            var (kind, level) = (AccessNames.Role(parsed.GetRequiredValue(role)), AccessNames.Plan(parsed.GetRequiredValue(plan)));
            var (token, text) = await context.Get<AuditedTokens>().MakeAsync(AuditLog.CommandLine, parsed.GetValue(name) ?? kind.Text(), kind, level, only, cancelled);
            await context.Output.WriteLineAsync(text);   // alone on standard output, so that a script can take it
            await context.Error.WriteLineAsync($"""

                Token {ShortId(token)} for {(only is null ? "every property" : $"the property {only}")}: role {kind.Text()}, plan {level.Text()}.
                Keep it now; it is not shown again. Send it as {Header(kind)}.
                `footfall token revoke {ShortId(token)}` takes it back.
                """);
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    private static Command List(CommandRun run)
    {
        var command = new Command("list", "Every token, what it may do, and when it was last used.");
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var tokens = await context.Get<TokenStore>().ListAsync(cancelled);
            if (tokens.Count == 0)
            {
                await context.Output.WriteLineAsync("No token yet. `footfall token create --role dashboard` makes one.");
                return ExitCodes.Ok;
            }
            var table = new TextTable(new("id"), new("name", MayBeCut: true), new("role"), new("plan"), new("property", MayBeCut: true), new("last used (UTC)"));
            var now = context.Get<TimeProvider>().GetUtcNow();
            foreach (var t in tokens)
                table.Add(ShortId(t), t.Name, t.Role.Text(), t.Plan.Text(), t.PropertyId ?? "all", t.RevokedAt is { } at ? $"{(at > now ? "ends" : "revoked")} {at.UtcDateTime:yyyy-MM-dd}" : t.LastUsedAt is { } used ? $"{used.UtcDateTime:yyyy-MM-dd HH:mm}" : "never");
            table.Write(context.Output);
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    private static Argument<string> Id()
    {
        var id = new Argument<string>("ID") { Description = "Its id, as the list shows it." };
        id.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && (token.Value.Length is < FewestIdCharacters or > 36 || !token.Value.All(c => char.IsAsciiHexDigit(c) || c == '-')))
                r.AddError(token.Value.StartsWith(TokenText.Prefix, StringComparison.Ordinal)
                    ? "That is a token itself, not its id: `footfall token list` shows the ids."
                    : $"'{token.Value}' is no token's id: `footfall token list` shows them.");
        });
        return id;
    }

    private static Command Rotate(CommandRun run)
    {
        var id = Id();
        var grace = Grace();
        var command = new Command("rotate", "Make another token that may do the same, shown once; the old one works for a while yet, so that its users can change over.") { id, grace };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var store = context.Get<AuditedTokens>();
            var given = parsed.GetRequiredValue(id);
            var old = await store.RevokeAsync(AuditLog.CommandLine, given, TimeSpan.FromHours(parsed.GetValue(grace)), cancelled)
                ?? throw new CommandException($"Not exactly one token has an id that begins with {given}. `footfall token list` shows them.");
            var (token, text) = await store.MakeAsync(AuditLog.CommandLine, old.Name, old.Role, old.Plan, old.PropertyId, cancelled);
            await context.Get<RequestKeeper>().KeepAsync(cancelled);   // where no server does it
            await context.Output.WriteLineAsync(text);
            await context.Error.WriteLineAsync($"Token {ShortId(token)} ({token.Name}) takes the place of {ShortId(old)}, which works until {old.RevokedAt!.Value.UtcDateTime:yyyy-MM-dd HH:mm} UTC. Send it as {Header(token.Role)}.");
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    internal static Option<int> Grace()
    {
        var grace = new Option<int>("--grace-hours") { Description = "How long the old one works yet. Default: 24; 0 where it may be in wrong hands.", HelpName = "N", DefaultValueFactory = _ => 24 };
        grace.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && (!int.TryParse(token.Value, out var n) || n is < 0 or > 8760)) r.AddError("--grace-hours must be 0 to 8760.");
        });
        return grace;
    }

    private static Command Revoke(CommandRun run)
    {
        var id = Id();
        var command = new Command("revoke", "Take a token back. Requests with it are refused within seconds.") { id };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var given = parsed.GetRequiredValue(id);
            var token = await context.Get<AuditedTokens>().RevokeAsync(AuditLog.CommandLine, given, TimeSpan.Zero, cancelled)
                ?? throw new CommandException($"Not exactly one token has an id that begins with {given}. `footfall token list` shows them.");
            await context.Get<RequestKeeper>().KeepAsync(cancelled);   // where no server does it
            await context.Output.WriteLineAsync($"Token {ShortId(token)} ({token.Name}) is revoked: servers refuse it within {KnownTokens.KeptFor.TotalSeconds:0} seconds.");
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    private static string ShortId(AccessToken token) => token.Id.ToString()[..ShownIdCharacters];

    private static string Header(AccessRole role) => role switch
    {
        AccessRole.Admin => $"{AdminKey.Header}: TOKEN",
        AccessRole.Dashboard => $"{DashboardKey.Header}: TOKEN",
        AccessRole.Ingest => "Authorization: Bearer TOKEN",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, null),
    };
}
