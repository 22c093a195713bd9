using System.CommandLine;
using System.CommandLine.Parsing;
using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Leads;

namespace Footfall.Cli;

/// <summary><c>footfall properties</c>: sites and apps, their hosts, goals, and who may see their summary.</summary>
internal static class PropertiesCommand
{
    public static Command Build(CommandRun run) =>
        new("properties", "Show and change the sites and apps that send events.") { List(run), Show(run), Set(run) };

    private static Argument<string> Id()
    {
        var id = new Argument<string>("ID") { Description = $"{PropertyId.Rule}." };
        id.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && !PropertyId.IsValid(token.Value)) r.AddError($"'{token.Value}' is no property id: it must have {PropertyId.Rule}.");
        });
        return id;
    }

    private static Command List(CommandRun run)
    {
        var command = new Command("list", "Every property.");
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var properties = await context.Get<PropertySettings>().ListAsync(cancelled);
            if (properties.Count == 0)
            {
                await context.Output.WriteLineAsync("No property yet. The first event makes one, or `footfall properties set ID`.");
                return ExitCodes.Ok;
            }
            var table = new TextTable(new("id", MayBeCut: true), new("name", MayBeCut: true), new("hosts", MayBeCut: true), new("goals", IsNumber: true), new("summary"));
            foreach (var p in properties) table.Add(p.Id, p.Name, string.Join(",", p.Hosts), $"{p.Goals.Length}", Visibility(p));
            table.Write(context.Output);
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    private static Command Show(CommandRun run)
    {
        var id = Id();
        var command = new Command("show", "All about one property.") { id };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var name = parsed.GetRequiredValue(id);
            var property = await context.Get<PropertySettings>().FindAsync(name, cancelled)
                ?? throw new CommandException($"There is no property {name}. `footfall properties list` shows those that exist; `footfall properties set {name}` makes it.");
            await ShowAsync(context.Output, property);
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    private static Command Set(CommandRun run)
    {
        var id = Id();
        var name = new Option<string>("--name") { Description = "What pages call it.", HelpName = "TEXT" };
        var hosts = new Option<string[]?>("--hosts")
        {
            Description = "The site's own hosts, separated by commas: referrers on them are internal. Empty (\"\") for none.",
            HelpName = "A,B",
            CustomParser = HostsArgument.Parse,
        };
        var timeZone = new Option<string>("--time-zone") { Description = "Whose times of day pages show, by its IANA name, such as America/Toronto. Days stay UTC days.", HelpName = "NAME" };
        timeZone.Validators.Add(r =>
        {
            if (r.Tokens is [var token] && !TimeZoneInfo.TryFindSystemTimeZoneById(token.Value, out _)) r.AddError($"'{token.Value}' is no time zone that this machine knows: write it as IANA does, such as America/Toronto.");
        });
        var summary = new Option<string>("--public-summary") { Description = "on: anybody may read the totals of its summary. off: only who has the admin key.", HelpName = "on|off" };
        summary.AcceptOnlyFromAmong("on", "off");
        var goals = new Option<GoalSetting[]?>("--goal")
        {
            Description = "An event that is a conversion; may be given several times, and replaces the goals there were. A path that ends in * is a beginning. \"none\" removes all.",
            HelpName = "NAME=EVENTTYPE[:PATH]",
            Arity = ArgumentArity.OneOrMore,
            CustomParser = ParseGoals,
        };
        var submits = Events("--submit-events", "Event types that are submits in the product metrics, separated by commas.");
        var opens = Events("--open-events", "Event types that are opens in the product metrics, separated by commas.");
        var rawDays = new Option<int?>("--raw-days") { Description = "Keep raw events for so many days; 0: as Retention:RawDays says.", HelpName = "N" };
        rawDays.Validators.Add(r => Between(r, rawDays, 0, 36_600));
        var months = new Option<int?>("--rollup-months") { Description = "Keep rollups for so many months; 0: for ever, -1: as Retention:RollupMonths says.", HelpName = "N" };
        months.Validators.Add(r => Between(r, months, -1, 1_200));
        var secret = new Option<string>("--account-secret") { Description = "Accounts that events name count only with accountSignature, their HMAC-SHA256 under this secret in hexadecimal. At least 16 characters; empty (\"\") for none.", HelpName = "TEXT" };
        secret.Validators.Add(r =>
        {
            if (r.Tokens is [{ Value.Length: > 0 and (< 16 or > 256) }]) r.AddError("--account-secret must have 16 to 256 characters; `openssl rand -hex 24` makes a good one.");
        });
        var doubleOptIn = new Option<string>("--double-opt-in") { Description = "on: who gives an address in a form must confirm it by mail before anybody may write to them. off: the form is enough.", HelpName = "on|off" };
        doubleOptIn.AcceptOnlyFromAmong("on", "off");
        var thanksUrl = Page("--thanks-url", "Where a lead form without script leads when it was taken: a path of the site, or an address. Empty (\"\"): a page of this server.");
        var errorUrl = Page("--error-url", "The same, when it was not.");
        var command = new Command("set", "Change a property, or make it. What is left out stays as it is.") { id, name, hosts, timeZone, summary, goals, submits, opens, rawDays, months, secret, doubleOptIn, thanksUrl, errorUrl };
        command.SetAction((parsed, stop) => run.WithDatabaseAsync(parsed, async (context, cancelled) =>
        {
            var settings = context.Get<PropertySettings>();
            var property = parsed.GetRequiredValue(id);
            bool? isPublic = parsed.GetValue(summary) is { } word ? word == "on" : null;
            await settings.SaveAsync(property, parsed.GetValue(name), Given(parsed, hosts), Given(parsed, goals), isPublic, cancelled, parsed.GetValue(timeZone));
            var product = new ProductSetting(
                parsed.GetValue(submits), parsed.GetValue(opens), parsed.GetValue(rawDays), parsed.GetValue(months), parsed.GetValue(secret),
                parsed.GetValue(doubleOptIn) is { } asks ? asks == "on" : null, parsed.GetValue(thanksUrl), parsed.GetValue(errorUrl));
            await settings.SaveProductAsync(property, product, cancelled);
            await ShowAsync(context.Output, (await settings.FindAsync(property, cancelled))!);
            return ExitCodes.Ok;
        }, stop));
        return command;
    }

    // A list that was left out and one that was given empty are not the same: the one stays as it is, the other is emptied.
    private static T[]? Given<T>(ParseResult parsed, Option<T[]?> option) => parsed.GetResult(option) is null ? null : parsed.GetValue(option);

    private static Option<string[]?> Events(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "A,B",
        CustomParser = r =>
        {
            var types = r.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).Distinct(StringComparer.Ordinal).ToArray();
            if (types.Length is >= 1 and <= 20 && types.All(t => t.Length <= 64)) return types;
            r.AddError($"{name} takes 1 to 20 event types of at most 64 characters, such as saved,submitted.");
            return null;
        },
    };

    private static Option<string> Page(string name, string description)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "URL" };
        option.Validators.Add(r =>
        {
            if (r.Tokens is [{ Value.Length: > 0 } token] && !Redirects.IsAddress(token.Value)) r.AddError($"{name} must be a path such as /thanks, or an http or https address.");
        });
        return option;
    }

    private static void Between(OptionResult result, Option<int?> option, int least, int most)
    {
        if (result.Tokens is [var token] && int.TryParse(token.Value, out var n) && (n < least || n > most)) result.AddError($"{option.Name} must be between {least} and {most}.");
    }

    private static async Task ShowAsync(TextWriter output, PropertySetting p)
    {
        await output.WriteLineAsync($"id       {p.Id}");
        await output.WriteLineAsync($"name     {p.Name}");
        await output.WriteLineAsync($"hosts    {(p.Hosts.Length == 0 ? "none: referrers on the site itself count as referrals" : string.Join(", ", p.Hosts))}");
        await output.WriteLineAsync($"goals    {(p.Goals.Length == 0 ? "none" : string.Join("\n         ", p.Goals.Select(g => g.ToString())))}");
        await output.WriteLineAsync($"zone     {p.TimeZone}");
        await output.WriteLineAsync($"summary  {Visibility(p)}");
        await output.WriteLineAsync($"forms    {(p.Forms.DoubleOptIn ? "confirmed by mail" : "enough by themselves")}, thanks: {p.Forms.ThanksUrl ?? "this server's page"}, error: {p.Forms.ErrorUrl ?? "this server's page"}");
        await output.WriteLineAsync($"since    {p.CreatedAt.UtcDateTime:yyyy-MM-dd}");
    }

    private static string Visibility(PropertySetting p) => p.PublicSummary ? "public" : "private";

    private static GoalSetting[]? ParseGoals(ArgumentResult result)
    {
        if (result.Tokens is [{ Value: "none" }]) return [];
        List<GoalSetting> goals = [];
        foreach (var text in result.Tokens.Select(t => t.Value))
        {
            var equals = text.IndexOf('=');
            var colon = equals < 0 ? -1 : text.IndexOf(':', equals);
            var type = equals < 0 ? "" : colon < 0 ? text[(equals + 1)..] : text[(equals + 1)..colon];
            var path = colon < 0 ? null : text[(colon + 1)..];
            if (equals < 1 || type.Length is < 1 or > 64 || path is not (null or ['/', ..]))
            {
                result.AddError($"'{text}' is no goal: write NAME=EVENTTYPE or NAME=EVENTTYPE:/PATH, such as signup=page_view:/welcome.");
                return null;
            }
            goals.Add(new GoalSetting(text[..equals], type, path));
        }
        return [.. goals];
    }
}

/// <summary>Reads a list of host names.</summary>
internal static class HostsArgument
{
    public static string[]? Parse(ArgumentResult result)
    {
        var hosts = result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).Select(h => h.ToLowerInvariant()).ToArray();
        foreach (var host in hosts)
        {
            if (Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4) continue;
            result.AddError($"'{host}' is no host name: write it without scheme, port and path, such as shop.example.");
            return null;
        }
        return hosts;
    }
}
