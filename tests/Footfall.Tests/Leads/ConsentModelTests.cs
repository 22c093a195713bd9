using System.Net.Http.Json;
using System.Text.Json;
using Footfall.Leads;
using Footfall.Tests.Failure;
using Footfall.Tests.Infrastructure;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>Random lives of a few people, lived on the real server and in a model of a page that knows nothing of it.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ConsentModelTests : IAsyncLifetime
{
    private const int People = 4;
    private readonly StoppedClock clock = new();
    private TestDatabase database = null!;
    private TestServer server = null!;
    private int runs;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        server = await TestServer.StartAsync(TestFolder.New("consent"), s => s.AddSingleton<TimeProvider>(clock),
            "--Postgres:ConnectionString", database.ConnectionString, "--Rollups:Enabled", "false", "--Leads:RateLimit:Enabled", "false", "--Leads:ConfirmationHours", "84", "--Access:AdminKey", ApiServer.AdminKey, "--Logging:LogLevel:Default", "None");
        await server.Services.GetRequiredService<Footfall.Postgres.DatabaseGate>().WaitAsync(default);
        await database.ExecuteAsync("insert into properties (id, name, double_opt_in) values ('careful', 'Careful', true), ('plain', 'Plain', false)");
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>It is as late as it was set, so that whole days are between what is whole days apart.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 9, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }

    internal enum Deed
    {
        Express,
        Inquiry,
        Business,
        Nothing,
        Careful,
        Confirm,
        Unsubscribe,
        Expiry,
        OldList,
        NoList,
        Merge,
        Unmerge,
    }

    internal sealed record Step(Deed Deed, int Person, int DaysLater, int Purpose);

    /// <summary>What a person's consent is, by the rules as docs/leads.md tells them. Days, not instants.</summary>
    private sealed class Model
    {
        public string? Status { get; private set; }
        public List<string> History { get; } = [];
        private readonly HashSet<int> purposes = [];
        private readonly List<(int Day, int Purpose)> asked = [];
        private DateTimeOffset ends;
        private DateTimeOffset withdrawn = DateTimeOffset.MinValue;

        public bool MayBeMailed(DateTimeOffset now) => Status == "express" || (Status == "implied" && ends > now);

        public void Live(Step step, DateTimeOffset now, int day)
        {
            switch (step.Deed)
            {
                case Deed.Express: Express("form", step.Purpose); break;
                case Deed.OldList:
                    if (Status != "withdrawn" || withdrawn <= now.AddDays(-30)) Express("import", step.Purpose);
                    break;
                case Deed.Inquiry: Implied(now, now.AddMonths(6), step.Purpose); break;
                case Deed.Business: Implied(now, now.AddMonths(24), step.Purpose); break;
                case Deed.Nothing: Known(); break;
                case Deed.Careful:
                    if (Status == "express" && purposes.Contains(step.Purpose)) break;
                    Known();
                    asked.Add((day, step.Purpose));
                    break;
                case Deed.Confirm when asked.Count > 0 && asked[^1].Day >= day - 3:
                    var purpose = asked[^1].Purpose;
                    asked.RemoveAt(asked.Count - 1);
                    Express("double_opt_in", purpose);
                    break;
                case Deed.Unsubscribe when Status is not null:
                    asked.Clear();
                    if (Status != "withdrawn") Change("withdrawn", "unsubscribe_form");
                    withdrawn = now;
                    break;
                case Deed.NoList when Status != "withdrawn":
                    asked.Clear();
                    Change("withdrawn", "import");
                    withdrawn = now;
                    break;
                case Deed.Expiry when Status == "implied" && ends <= now: Change("pending", "expiry"); break;
                default: break;
            }
        }

        private void Known()
        {
            if (Status is null) Change("pending", "form");
        }

        private void Express(string method, int purpose)
        {
            if (Status == "express" && purposes.Contains(purpose)) return;
            if (Status != "express") purposes.Clear();
            purposes.Add(purpose);
            Change("express", method);
        }

        private void Implied(DateTimeOffset now, DateTimeOffset until, int purpose)
        {
            if (Status is "express" or "withdrawn") return;
            var holds = Status == "implied" && ends > now;
            if (!holds) purposes.Clear();
            var longer = !holds || until >= ends.AddDays(1);
            if (!longer && purposes.Contains(purpose)) return;
            purposes.Add(purpose);
            if (longer) ends = until;
            Change("implied", "form");
        }

        private void Change(string status, string method)
        {
            if (status is "pending" or "withdrawn") purposes.Clear();
            Status = status;
            History.Add($"{status} {method}");
        }
    }

    [Fact]
    public void Whatever_people_do_the_ledger_says_what_the_rules_say()
    {
        var step =
            from deed in Gen.Elements(Enum.GetValues<Deed>())
            from person in Gen.Choose(0, People - 1)
            from days in Gen.Frequency((6, Gen.Choose(1, 3)), (3, Gen.Choose(20, 60)), (1, Gen.Choose(150, 300)))
            from purpose in Gen.Choose(0, 2)
            select new Step(deed, person, days, purpose);
        var lives = Gen.ListOf(step).Resize(40).Where(l => l.Count > 0);
        Prop.ForAll(Arb.From(lives), steps => LiveAsync([.. steps]).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(30));
    }

    private async Task<bool> LiveAsync(List<Step> steps)
    {
        var run = Interlocked.Increment(ref runs);
        var models = Enumerable.Range(0, People).Select(_ => new Model()).ToArray();
        var start = new DateTimeOffset(2026, 1, 1, 9, 0, 0, TimeSpan.Zero);
        var day = 0;
        foreach (var step in steps)
        {
            day += step.DaysLater;
            var now = start.AddDays(day);
            clock.Now = now;
            await DoAsync(step, $"person{step.Person}-{run}@example.org", now);
            models[step.Person].Live(step, now, day);
            if (step.Deed != Deed.Expiry) continue;
            foreach (var other in models.Where(m => m != models[step.Person])) other.Live(step, now, day);      // the job looks at everyone
        }
        for (var i = 0; i < People; i++)
        {
            var rows = await database.RowsAsync("""
                select c.status || ' ' || case c.method when 'unsubscribe_link' then 'unsubscribe_form' else c.method end
                from consent_events c join leads l on l.id = c.lead_id where l.email_normalized = @email order by c.id
                """, ("email", $"person{i}-{run}@example.org"));
            Assert.Equal(models[i].History, rows);
            var stored = await database.RowsAsync("select consent_status, consent_status = 'express' or (consent_status = 'implied' and consent_expires_at > @now) from leads where email_normalized = @email",
                ("email", $"person{i}-{run}@example.org"), ("now", start.AddDays(day)));
            Assert.Equal(models[i].Status is null ? [] : [$"{models[i].Status}|{models[i].MayBeMailed(start.AddDays(day))}"], stored);
        }
        var report = await server.Services.GetRequiredService<ConsentLedger>().VerifyAsync(default);
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
        return true;
    }

    private async Task DoAsync(Step step, string email, DateTimeOffset now)
    {
        var purpose = $"purpose {step.Purpose}";
        switch (step.Deed)
        {
            case Deed.Express: await CaptureAsync(new { email, propertyId = "plain", consent = new { status = "express", purpose } }); break;
            case Deed.Inquiry: await CaptureAsync(new { email, propertyId = "plain", consent = new { status = "implied", purpose } }); break;
            case Deed.Business: await CaptureAsync(new { email, propertyId = "plain", consent = new { status = "implied", basis = "business_relationship", purpose } }); break;
            case Deed.Nothing: await CaptureAsync(new { email, propertyId = "plain" }); break;
            case Deed.Careful: await CaptureAsync(new { email, propertyId = "careful", consent = new { status = "express", purpose } }); break;
            case Deed.Confirm: await ConfirmAsync(email); break;
            case Deed.Unsubscribe: await PostAsync("/v1/leads/unsubscribe", new { email }); break;
            case Deed.Expiry: await server.Services.GetRequiredService<ConsentExpiry>().RunAsync(default); break;
            case Deed.OldList: await ImportAsync(email, ConsentStatus.Express, purpose, now.AddDays(-30)); break;
            case Deed.NoList: await ImportAsync(email, ConsentStatus.Withdrawn, null, null); break;
            case Deed.Merge: await MergeAsync(email, email.Replace($"person{step.Person}", $"person{(step.Person + 1 + step.Purpose) % People}", StringComparison.Ordinal)); break;
            case Deed.Unmerge: await UnmergeAsync(email); break;
            default: throw new ArgumentOutOfRangeException(nameof(step), step.Deed, null);
        }
    }

    /// <summary>The newest request that is still open, as its link would.</summary>
    private async Task ConfirmAsync(string email)
    {
        if (await database.ScalarAsync<Guid?>("select id from leads where email_normalized = @email", ("email", email)) is not { } lead) return;
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/leads/{lead}/consent");
        request.Headers.Add("x-admin-key", ApiServer.AdminKey);
        using var answer = await server.Client.SendAsync(request);
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        foreach (var confirmation in body.GetProperty("confirmations").EnumerateArray())
        {
            if (!confirmation.TryGetProperty("confirmUrl", out var url)) continue;
            using var confirmed = await server.Client.PostAsync(new Uri(url.GetString()!), null);
            Assert.True(confirmed.IsSuccessStatusCode);
            return;
        }
    }

    /// <summary>A list of one entry: of people who consented a month ago, or of those who have said no.</summary>
    private async Task ImportAsync(string email, ConsentStatus status, string? purpose, DateTimeOffset? givenAt)
    {
        Assert.True(EmailAddress.TryParse(email, out var address, out _));
        var row = new ImportRow(2, address, status, ConsentBasis.Inquiry, "paper form", purpose, givenAt);
        await server.Services.GetRequiredService<LeadImport>().RunAsync([row], new ImportDefaults("plain", status, ConsentBasis.Inquiry, null, null, null), new ImportOutcome(), _ => { }, default);
    }

    /// <summary>Two addresses of one person keep a consent each, whatever is merged and undone.</summary>
    private async Task MergeAsync(string email, string other)
    {
        if (await LeadAsync(email) is { } from && await LeadAsync(other) is { } into) await server.Services.GetRequiredService<LeadMerges>().MergeAsync(from, into, "test", default);
    }

    private async Task UnmergeAsync(string email)
    {
        if (await LeadAsync(email) is { } lead && await database.ScalarAsync<Guid?>("select id from lead_merges where from_lead_id = @lead and undone_at is null", ("lead", lead)) is { } merge)
            await server.Services.GetRequiredService<LeadMerges>().UndoAsync(merge, "test", default);
    }

    private Task<Guid?> LeadAsync(string email) => database.ScalarAsync<Guid?>("select id from leads where email_normalized = @email", ("email", email));

    private Task CaptureAsync(object lead) => PostAsync("/v1/leads/capture", lead);

    private async Task PostAsync(string path, object body)
    {
        using var answer = await server.Client.PostAsJsonAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }
}
