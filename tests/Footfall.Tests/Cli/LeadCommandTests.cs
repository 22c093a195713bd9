using System.Text.RegularExpressions;
using Xunit;

namespace Footfall.Tests.Cli;

/// <summary>footfall leads import, leads verify, erase, audit.</summary>
public sealed class LeadCommandTests(CommandLineFixture cli) : IClassFixture<CommandLineFixture>
{
    // Implied consent ends: a day that is fixed would one day be too long ago.
    private static readonly DateOnly LastMonth = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(-30);

    [Fact]
    public async Task Rows_with_consent_are_imported_and_the_others_named_by_line()
    {
        var file = cli.WriteLog("mixed.csv",
            "email;consent_status;consent_method;consent_purpose;consent_at;name",
            "Ann@Example.org;express;paper form;letter;2026-01-15;Ann",
            $"ben@example.org;implied;order;letter;{LastMonth:yyyy-MM-dd}T10:00:00Z;Ben",
            "\"cy@example.org\";;paper form;letter;;\"Cy\nof the two lines\"",
            "no address;express;paper form;letter;;",
            "dee@example.org;express;;letter;;",
            "eve@example.org;express;paper form;;;",
            "fay@example.org;express;Purchased list;letter;;",
            "gil@example.org;sure;paper form;letter;;",
            "hal@example.org;express;paper form;letter;2999-01-01;",
            "ida@example.org;withdrawn;;;;",
            "ann@example.org;express;paper form;letter;2026-01-15;Ann");
        var report = Path.Combine(cli.DataFolder, "rejected.csv");
        var (exit, output, error) = await cli.RunAsync("leads", "import", file, "--property", "imported", "--rejected", report);
        Assert.True(exit == 0, error);
        Assert.Matches(@"new leads\s+4\b", output);
        Assert.Matches(@"consent changed\s+4\b", output);
        Assert.Matches(@"nothing new\s+1\b", output);
        Assert.Matches(@"rejected\s+6\b", output);
        Assert.Contains("line 6: email:", output);   // the row above it has two lines
        foreach (var name in new[] { "ben@", "dee@", "eve@", "no address" }) Assert.DoesNotContain(name, output + error);
        Assert.Equal(
            ["ann@example.org|express|{letter}|2026-01-15|", $"ben@example.org|implied|{{letter}}|{LastMonth:yyyy-MM-dd}|{LastMonth.AddMonths(6):yyyy-MM-dd}", "cy@example.org|express|{letter}||", "ida@example.org|withdrawn|{}||"],
            await cli.Database.RowsAsync("""
                select email_normalized, consent_status::text, consent_purposes::text,
                       case when consent_changed_at < now() - interval '1 hour' then consent_changed_at::date::text end, consent_expires_at::date::text
                from leads where property_id = 'imported' order by 1
                """));
        Assert.Equal(["express|import|paper form|letter"], await cli.Database.RowsAsync("select c.status::text, c.method, c.source, c.purpose from consent_events c join leads l on l.id = c.lead_id where l.email_normalized = 'ann@example.org'"));
        Assert.Equal("ann@example.org|Ann@example.org", (await cli.Database.RowsAsync("select email_normalized, email from leads where email_normalized = 'ann@example.org'"))[0]);
        var lines = await File.ReadAllLinesAsync(report);
        Assert.Equal("line,reason", lines[0]);
        Assert.Equal(["6", "7", "8", "9", "10", "11"], lines[1..].Select(l => l.Split(',')[0]));

        // The same file twice changes nothing.
        var before = await StateAsync();
        (exit, output, _) = await cli.RunAsync("leads", "import", file, "--property", "imported");
        Assert.Equal(0, exit);
        Assert.Matches(@"consent changed\s+0\b", output);
        Assert.Equal(before, await StateAsync());

        var (verified, said, _) = await cli.RunAsync("leads", "verify");
        Assert.Equal(0, verified);
        Assert.Contains("The ledger is whole", said);

        Task<List<string>> StateAsync() => cli.Database.RowsAsync("select l.*, (select count(*) from consent_events) from leads l order by id");
    }

    [Fact]
    public async Task A_list_without_consent_is_refused_and_one_statement_for_the_file_is_enough()
    {
        var file = cli.WriteLog("bought.csv", "Email,Name", "jo@example.net,Jo", "kim@example.net,Kim");
        var (exit, output, _) = await cli.RunAsync("leads", "import", file, "--property", "bought");
        Assert.Equal(1, exit);
        Assert.Contains("consent_method is missing", output);
        (exit, output, _) = await cli.RunAsync("leads", "import", file, "--property", "bought", "--consent-method", "bought from a broker", "--purpose", "offers");
        Assert.Equal(1, exit);
        Assert.Equal(0, await cli.Database.ScalarAsync<long>("select count(*) from leads where property_id = 'bought'"));
        (exit, output, _) = await cli.RunAsync("leads", "import", file, "--property", "bought", "--consent", "implied", "--basis", "business_relationship", "--consent-method", "customers of the shop", "--purpose", "offers", "--consented-at", $"{LastMonth:yyyy-MM-dd}");
        Assert.Equal(0, exit);
        Assert.Equal([$"implied|{LastMonth.AddMonths(24):yyyy-MM-dd}"], await cli.Database.RowsAsync("select distinct consent_status::text, consent_expires_at::date::text from leads where property_id = 'bought'"));
    }

    [Fact]
    public async Task An_older_list_brings_nobody_back_who_has_said_no_since()
    {
        var yes = cli.WriteLog("yes.csv", "email,consent_method,consent_purpose,consent_at", "lea@example.net,form,letter,2026-01-01");
        var no = cli.WriteLog("no.csv", "email,consent_status,consent_at", "lea@example.net,withdrawn,2026-02-01");
        await cli.RunAsync("leads", "import", yes);
        await cli.RunAsync("leads", "import", no);
        await cli.RunAsync("leads", "import", yes);
        Assert.Equal(["withdrawn"], await cli.Database.RowsAsync("select consent_status::text from leads where email_normalized = 'lea@example.net'"));
        var anew = cli.WriteLog("anew.csv", "email,consent_method,consent_purpose,consent_at", "lea@example.net,form,letter,2026-03-01");
        await cli.RunAsync("leads", "import", anew);
        await cli.RunAsync("leads", "import", no);
        Assert.Equal(["express"], await cli.Database.RowsAsync("select consent_status::text from leads where email_normalized = 'lea@example.net'"));
    }

    [Theory]
    [InlineData("name\nann\n", "email")]
    [InlineData("", "email")]
    [InlineData("email\n\"never closed@example.org\n", "")]
    public async Task A_file_that_is_no_list_is_told_from_one(string content, string says)
    {
        var file = Path.Combine(cli.DataFolder, $"bad-{content.Length}.csv");
        await File.WriteAllTextAsync(file, content);
        var (exit, output, error) = await cli.RunAsync("leads", "import", file, "--consent-method", "form", "--purpose", "letter");
        Assert.Equal(1, exit);
        Assert.Contains(says, output + error);
        Assert.DoesNotContain("--verbose", error);   // told in words, not as a defect
    }

    [Fact]
    public async Task A_person_is_erased_with_a_receipt_that_stays_the_same()
    {
        var file = cli.WriteLog("erase.csv", "email,consent_method,consent_purpose", "max@example.net,form,letter", "nia@example.net,form,letter");
        await cli.RunAsync("leads", "import", file, "--property", "erase");
        var (exit, output, error) = await cli.RunAsync("erase", "--email", "max@example.net", "--dry-run");
        Assert.True(exit == 0, error);
        Assert.Contains("Nothing was erased", output);
        Assert.Matches(@"leads\s+1\b", output);
        Assert.Equal(2, await cli.Database.ScalarAsync<long>("select count(*) from leads where property_id = 'erase'"));

        (exit, output, error) = await cli.RunAsync("erase", "--email", "Max@Example.net");
        Assert.True(exit == 0, error);
        Assert.Contains("Nothing of it is left on the disk", error);
        var receipt = Regex.Match(output, @"receipt\s+(\S+)").Groups[1].Value;
        Assert.Equal(["nia@example.net"], await cli.Database.RowsAsync("select email_normalized from leads where property_id = 'erase'"));
        Assert.Equal(1, await cli.Database.ScalarAsync<long>("select count(*) from erasures where id = @id and scrubbed_at is not null and work is null", ("id", Guid.Parse(receipt))));
        var (again, same, _) = await cli.RunAsync("erase", "--email", "max@example.net");
        Assert.Equal((0, output), (again, same));
        Assert.DoesNotContain("max", output + error);

        (exit, _, error) = await cli.RunAsync("erase", "--email", "nobody@example.net");
        Assert.Equal(1, exit);
        Assert.DoesNotContain("nobody@", error);
        Assert.Equal(2, (await cli.RunAsync("erase")).Exit);
        Assert.Equal(2, (await cli.RunAsync("erase", "--email", "none")).Exit);
        Assert.Equal(2, (await cli.RunAsync("erase", "--email", "a@example.net", "--lead", $"{Guid.NewGuid()}")).Exit);

        var (audited, log, _) = await cli.RunAsync("audit", "--action", "person_erased");
        Assert.Equal(0, audited);
        Assert.Contains($"person_erased       command line", log);
        Assert.Contains(receipt, log);
        Assert.DoesNotContain("@example.net", log);
    }
}
