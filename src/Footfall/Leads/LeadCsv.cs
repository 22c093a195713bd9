using System.Globalization;
using CsvHelper;
using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>
/// Reads leads from CSV: a heading with <c>email</c> and, as wanted, <c>consent_status</c>, <c>consent_method</c>, <c>consent_purpose</c>,
/// <c>consent_at</c>, <c>consent_basis</c>. Other columns are left alone. Comma, semicolon, tab; UTF-8 or with a byte order mark.
/// </summary>
internal sealed class LeadCsv : IDisposable
{
    private const int LongestText = 300;
    private const int LongestRecord = 1 << 20;

    private static readonly CsvReaderOptions Form = CsvReaderOptions.Default with
    {
        TrackLineNumbers = true,
        IncludeValuesInExceptions = false,
        TrimWhitespace = true,
        TrimInsideQuotes = true,
        MaxRecordSize = LongestRecord,
    };

    // What was bought says nothing of what anybody agreed to.
    private static readonly string[] NoConsent = ["purchase", "bought", "rented", "scraped", "harvested", "broker"];

    private readonly CsvReader csv;
    private readonly FileStream file;
    private readonly ImportDefaults defaults;
    private readonly ImportOutcome outcome;
    private readonly DateTimeOffset latest;

    /// <exception cref="InvalidDataException">There is no column of addresses.</exception>
    /// <param name="latest">Nobody has consented after the present.</param>
    public LeadCsv(FileStream file, ImportDefaults defaults, ImportOutcome outcome, DateTimeOffset latest)
    {
        this.file = file;
        this.defaults = defaults;
        this.outcome = outcome;
        this.latest = latest;
        csv = CsvReader.Create(file, Form, leaveOpen: true);
        csv.ReadHeader();
        if (Column("email") < 0) throw new InvalidDataException("The file's first line must name its columns, and one of them must be email.");
    }

    public long Position => file.Position;

    public long Length => file.Length;

    /// <summary>The rows that can be imported; what is wrong with the others goes to the outcome.</summary>
    public IEnumerable<ImportRow> Rows(CancellationToken cancellationToken)
    {
        int email = Column("email"), status = Column("consent_status"), method = Column("consent_method"), purpose = Column("consent_purpose"), at = Column("consent_at"), basis = Column("consent_basis");
        while (Next())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var line = csv.LineNumber;
            var (row, reason) = Read(line, Cell(email), Cell(status), Cell(method), Cell(purpose), Cell(at), Cell(basis));
            if (row is not null) yield return row;
            else outcome.Rejected.Add((line, reason!));
        }
    }

    public void Dispose() => csv.Dispose();

    private bool Next()
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException e)
        {
            throw new InvalidDataException($"The file is no CSV from about line {csv.LineNumber} on: a quote that is never closed, or a row of over {LongestRecord >> 20} MiB. What comes before is imported; mend the line and import the file again.", e);
        }
    }

    private (ImportRow? Row, string? Reason) Read(long line, string email, string status, string method, string purpose, string at, string basis)
    {
        if (!EmailAddress.TryParse(email, out var address, out var fault)) return (null, $"email: {EmailAddress.Message(fault)}");
        var consent = status.Length == 0 ? defaults.Status : ConsentNames.Status(status.ToLowerInvariant());
        if (consent is not { } wanted) return (null, "consent_status: expected express, implied, pending or withdrawn");
        var why = basis.Length == 0 ? defaults.Basis : ConsentNames.Basis(basis.ToLowerInvariant());
        if (why is not { } of) return (null, "consent_basis: expected inquiry or business_relationship");
        var (how, what) = (method.Length == 0 ? defaults.Method : method, purpose.Length == 0 ? defaults.Purpose : purpose);
        if (IsBad(how)) return (null, $"consent_method: at most {LongestText} characters, on one line");
        if (IsBad(what)) return (null, $"consent_purpose: at most {LongestText} characters, on one line");
        if (wanted is ConsentStatus.Express or ConsentStatus.Implied)
        {
            if (string.IsNullOrWhiteSpace(how)) return (null, "consent_method is missing: how did the person consent?");
            if (string.IsNullOrWhiteSpace(what)) return (null, "consent_purpose is missing: what did the person consent to?");
            if (NoConsent.Any(n => how.Contains(n, StringComparison.OrdinalIgnoreCase))) return (null, "consent_method: a list that was bought or gathered brings nobody's consent");
        }
        DateTimeOffset? given = defaults.GivenAt;
        if (at.Length > 0)
        {
            if (!TryInstant(at, out var instant)) return (null, "consent_at: expected a day such as 2026-02-13, or an ISO 8601 instant with zone");
            given = instant;
        }
        if (given > latest) return (null, "consent_at lies in the future");
        return (new ImportRow(line, address, wanted, of, how, what, given), null);
    }

    private static bool IsBad(string? text) => text is { Length: > LongestText } || text?.Any(c => char.IsControl(c) || char.IsSurrogate(c)) == true;

    public static bool TryInstant(string text, out DateTimeOffset instant)
    {
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            instant = new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
            return true;
        }
        return IsoInstant.TryParse(text, out instant);
    }

    private int Column(string name) => csv.TryGetFieldIndex(name, out var index) ? index : -1;

    private string Cell(int column) => column < 0 || column >= csv.FieldCount ? "" : csv.GetString(column);
}
