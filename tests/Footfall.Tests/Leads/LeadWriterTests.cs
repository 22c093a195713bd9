using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>Forms that are written together, on the real database.</summary>
public sealed class LeadWriterTests(ApiServer server) : IClassFixture<ApiServer>
{
    private LeadWriter Writer => server.Services.GetRequiredService<LeadWriter>();

    [Fact]
    public async Task One_form_that_cannot_be_stored_costs_no_other_one()
    {
        var forms = Enumerable.Range(0, 60).Select(i => Form($"together{i}@example.org", i == 30 ? "a page\0" : "shop.example/letters")).ToList();
        var outcomes = await Task.WhenAll(forms.Select(f => OutcomeAsync(f, default)));
        Assert.Equal([30], Enumerable.Range(0, 60).Where(i => outcomes[i] is PostgresException));
        Assert.All(outcomes.Where((_, i) => i != 30), Assert.Null);
        Assert.Equal(["59|59|59"], await server.Database.RowsAsync("""
            select count(distinct l.id), count(distinct s.id), count(distinct c.id)
            from leads l join form_submissions s on s.lead_id = l.id join consent_events c on c.lead_id = l.id where l.email_normalized like 'together%'
            """));
        Assert.True((await server.Services.GetRequiredService<ConsentLedger>().VerifyAsync(default)).IsWhole);
    }

    [Fact]
    public async Task Forms_of_one_address_that_come_together_see_what_the_one_before_left()
    {
        var forms = Enumerable.Range(0, 20).Select(_ => Form("one@example.org", "shop.example/letters")).ToList();
        var taken = await Task.WhenAll(forms.Select(f => Writer.WriteAsync(f, default)));
        Assert.Single(taken, t => t.IsNew);
        Assert.Single(taken.Select(t => t.LeadId).Distinct());
        Assert.Equal(["1|20"], await server.Database.RowsAsync("""
            select (select count(*) from consent_events c where c.lead_id = l.id), (select count(*) from form_submissions s where s.lead_id = l.id)
            from leads l where email_normalized = 'one@example.org'
            """));
    }

    [Fact]
    public async Task Who_gives_up_while_waiting_has_stored_nothing()
    {
        await using var blocker = await server.Database.Source.OpenConnectionAsync();
        await using var transaction = await blocker.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("select last_id from consent_chain for update", blocker)) await hold.ExecuteScalarAsync();

        var first = OutcomeAsync(Form("held@example.org", "shop.example/letters"), default);      // is being written, and waits for the ledger's end
        using var patience = new CancellationTokenSource();
        var second = OutcomeAsync(Form("impatient@example.org", "shop.example/letters"), patience.Token);
        await patience.CancelAsync();
        Assert.IsAssignableFrom<OperationCanceledException>(await second);
        await transaction.CommitAsync();
        Assert.Null(await first);
        Assert.Equal(["held@example.org"], await server.Database.RowsAsync("select email_normalized from leads where email_normalized in ('held@example.org', 'impatient@example.org')"));
    }

    /// <summary>What was thrown; null when the form was stored.</summary>
    private async Task<Exception?> OutcomeAsync(Submission form, CancellationToken cancellationToken)
    {
        try
        {
            await Writer.WriteAsync(form, cancellationToken);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private static Submission Form(string email, string page)
    {
        Assert.True(EmailAddress.TryParse(email, out var address, out _));
        var request = new LeadRequest { Email = email, ConsentStatus = ConsentStatus.Express, ConsentMethod = "checkbox", ConsentPurpose = "letter" };
        return new Submission(Guid.CreateVersion7(), "shop", request, address, null, page, IsServer: false, null, null, TimeProvider.System.GetUtcNow(), "valid", LooksForLikely: false);
    }
}
