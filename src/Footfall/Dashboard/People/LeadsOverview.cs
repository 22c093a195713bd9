using Footfall.Hosting;
using Footfall.Leads;

namespace Footfall.Dashboard.People;

/// <summary>A page of the list of leads.</summary>
/// <param name="Search">What is searched for; null for nothing.</param>
/// <param name="IsSearchLost">The address has a search that cannot be read any more.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
internal sealed record LeadsModel(IReadOnlyList<LeadEntry> Leads, long All, long Mailable, string? Search, bool IsSearchLost, string? Next);

/// <summary>Reads the leads that the address asks for. Each look goes into the audit log.</summary>
internal sealed class LeadsOverview(CurrentPage page, LeadList list, AuditLog audit, SealedText searches)
{
    public const string Search = "search", Status = "status", Source = "source", Domain = "domain", Mailable = "mailable", Everywhere = "everywhere";
    private const int PageRows = 50;

    /// <summary>The parameters that narrow the list, beside its days.</summary>
    public static readonly string[] Filters = [Status, Source, Domain, Mailable, Everywhere];

    /// <summary>Whether only leads of some days are wanted: without days in the address, all are.</summary>
    public bool IsOfDays => page.Address["period"] is not null || page.Address["from"] is not null;

    /// <summary>The page, or a sentence that says what is wrong with the address.</summary>
    public async Task<(LeadsModel? Model, string? Problem)> ReadAsync(CancellationToken cancellationToken)
    {
        var (filter, problem) = FilterOf(asFile: false);
        if (filter is null) return (null, problem);
        var found = await list.ReadAsync(filter, LeadAdminAnswers.Server(page.Context), cancellationToken);
        var (all, mailable) = await list.CountAsync(filter, cancellationToken);
        await NoteAsync(found.Leads.Count, "page", filter, cancellationToken);
        return (new LeadsModel(found.Leads, all, mailable, filter.Search, page.Address[Search] is not null && filter.Search is null, found.NextCursor), null);
    }

    /// <summary>All of them, as a file.</summary>
    public async Task<(CsvTable? Table, string? Problem)> TableAsync(CancellationToken cancellationToken)
    {
        var (filter, problem) = FilterOf(asFile: true);
        if (filter is null) return (null, problem);
        var found = await list.ReadAsync(filter, LeadAdminAnswers.Server(page.Context), cancellationToken);
        await NoteAsync(found.Leads.Count, "csv", filter, cancellationToken);
        return (LeadList.Table(found), null);
    }

    private Task NoteAsync(int rows, string form, LeadFilter filter, CancellationToken cancellationToken) =>
        audit.AddAsync(page.Caller.Actor, AuditAction.LeadsListed, null, $$"""{"rows":{{rows}},"form":"{{form}}","mailable":{{(filter.Mailable ? "true" : "false")}}}""", cancellationToken);

    private (LeadFilter? Filter, string? Problem) FilterOf(bool asFile)
    {
        var address = page.Address;
        var everywhere = address[Everywhere] == "true" && page.Caller.PropertyId is null;
        var (filter, problem) = LeadFilter.Of(
            new LeadSearchBody
            {
                Search = address[Search] is { } text ? searches.Open(text) : null,
                Status = address[Status],
                Source = address[Source],
                DomainKind = address[Domain],
                Mailable = address[Mailable] == "true",
                From = IsOfDays ? $"{page.Period.Days.From:yyyy-MM-dd}" : null,
                To = IsOfDays ? $"{page.Period.Days.To:yyyy-MM-dd}" : null,
                Property = everywhere ? null : page.Property.Id,
                Limit = asFile ? null : PageRows,
                Cursor = asFile ? null : address["cursor"],
            },
            asFile);
        return (filter, problem?.Message);
    }
}
