using Footfall.Access;
using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Metrics;

/// <summary>Questions about what visitors do one after the other: funnels asked for on the spot, returning, ways from page to page.</summary>
internal static class WayEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/metrics").RequireAccess(AccessRole.Dashboard).AddEndpointFilter(QueryFailures.Add);
        group.MapPost("/funnel", PostFunnelAsync).WithName("funnel").Produces<AdHocFunnelBody>().WithMetadata(WayTexts.Funnel);
        group.MapGet("/retention", GetRetentionAsync).WithName("retention").Produces<RetentionBody>().WithMetadata(WayTexts.Retention);
        group.MapGet("/journeys", GetJourneysAsync).WithName("journeys").Produces<JourneysBody>().WithMetadata(WayTexts.Journeys);
    }

    private static async Task<IResult> PostFunnelAsync(HttpContext context, PropertyScope scope, Moments moments, Goals goals, Assignments assignments, CancellationToken cancellationToken)
    {
        var (reader, unreadable) = await QuestionBody.ReadAsync(context, cancellationToken);
        if (reader is null) return unreadable!;
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var query = FunnelReader.Read(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        List<FunnelQueryStep> steps = [];
        foreach (var step in query.Steps)
        {
            var (found, missing) = await goals.FindAsync(property, step.Filters, cancellationToken);
            if (missing is not null) return Answers.Refuse(new InvalidParameter("steps", missing));
            steps.Add(step with { Filters = found });
        }
        var (filters, unknown) = await goals.FindAsync(property, query.Filters, cancellationToken);
        if (unknown is not null) return Answers.Refuse(new InvalidParameter("filters", unknown));
        query = query with { Steps = steps, Filters = filters };
        await using var moment = moments.Open(property);
        var variants = query.Experiment is { } id ? await assignments.ReadAsync(property, id, cancellationToken) : null;
        var result = await Ways.AnswerAsync(moment, query, variants, cancellationToken);
        var by = query.By?.Name ?? (query.Experiment is { } experiment ? $"experiment:{experiment}" : null);
        var body = new AdHocFunnelBody(
            new WindowBody(query.Window.From, query.Window.To), query.WindowHours, by, Steps(query, result.Overall),
            by is null ? null : [.. result.Groups.Select(g => new AdHocFunnelGroup(g.Key, Steps(query, g)))], result.HasMore, moment.Engine, state.CompleteBy(moment.Engine));
        return Answers.Of(context, form, body, $"funnel-{query.Window.From:yyyy-MM-dd}-{query.Window.To:yyyy-MM-dd}", b =>
        {
            var table = new CsvTable(by ?? "group", "step", "name", "visitors", "from_previous", "from_first", "drop_off", "median_seconds");
            foreach (var s in b.Steps) table.Add("all visitors", s.Index, s.Name, s.Visitors, s.FromPrevious, s.FromFirst, s.DropOff, s.MedianSeconds);
            foreach (var g in b.Groups ?? [])
            {
                foreach (var s in g.Steps) table.Add(g.Value, s.Index, s.Name, s.Visitors, s.FromPrevious, s.FromFirst, s.DropOff, s.MedianSeconds);
            }
            return table;
        });
    }

    private static async Task<IResult> GetRetentionAsync(HttpContext context, PropertyScope scope, Moments moments, Goals goals, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var query = WayReader.Retention(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        var (entry, noEntry) = await goals.FindAsync(property, query.Entry, cancellationToken);
        if (noEntry is not null) return Answers.Refuse(new InvalidParameter("entry", noEntry));
        var (comesBack, noReturn) = await goals.FindAsync(property, query.Return, cancellationToken);
        if (noReturn is not null) return Answers.Refuse(new InvalidParameter("return", noReturn));
        var (filters, unknown) = await goals.FindAsync(property, query.Filters, cancellationToken);
        if (unknown is not null) return Answers.Refuse(new InvalidParameter("filters", unknown));
        query = query with { Entry = entry, Return = comesBack, Filters = filters };
        await using var moment = moments.Open(property);
        var cohorts = await Ways.AnswerAsync(moment, query, cancellationToken);
        var body = new RetentionBody(new WindowBody(query.Window.From, query.Window.To), ExploreEndpoints.Name(query.Per), Grid(query, cohorts, scope.Now), moment.Engine, state.CompleteBy(moment.Engine));
        return Answers.Of(context, form, body, $"retention-{query.Window.From:yyyy-MM-dd}-{query.Window.To:yyyy-MM-dd}", b =>
        {
            var table = new CsvTable(b.Cohorts.Select((_, i) => $"{b.Interval}_{i}").Prepend("visitors").Prepend("cohort"));
            foreach (var cohort in b.Cohorts)
            {
                var cells = cohort.Cells.Select(c => (object?)c.Visitors).Concat(Enumerable.Repeat((object?)null, b.Cohorts.Count - cohort.Cells.Count));
                table.Add(cells.Prepend(cohort.Visitors).Prepend(cohort.Start));
            }
            return table;
        });
    }

    private static async Task<IResult> GetJourneysAsync(HttpContext context, PropertyScope scope, Moments moments, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var query = WayReader.Journeys(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        await using var moment = moments.Open(property);
        var found = await Ways.AnswerAsync(moment, query, cancellationToken);
        NeighbourRow Row(JourneyNeighbour n) => new(n.Path, n.Views, n.Sessions, (double)n.Views / found.Views);
        var body = new JourneysBody(
            new WindowBody(query.Window.From, query.Window.To), query.Path, found.Views, found.Sessions, [.. found.Next.Select(Row)], [.. found.Previous.Select(Row)],
            [.. found.Paths.Select(p => new PathRow(p.Pages, p.Pages.Count <= query.Steps, p.Sessions, (double)p.Sessions / found.Sessions))], moment.Engine, state.CompleteBy(moment.Engine));
        return Answers.Of(context, form, body, $"journeys-{query.Window.From:yyyy-MM-dd}-{query.Window.To:yyyy-MM-dd}", b =>
        {
            var table = new CsvTable("list", "path", "views", "sessions", "share");
            foreach (var n in b.Next) table.Add("next", n.Path, n.Views, n.Sessions, n.Share);
            foreach (var n in b.Previous) table.Add("previous", n.Path, n.Views, n.Sessions, n.Share);
            foreach (var p in b.Paths) table.Add("path", string.Join(" > ", p.Pages), p.Sessions, p.Sessions, p.Share);
            return table;
        });
    }

    private static List<AdHocFunnelStep> Steps(FunnelQuery query, FunnelCounts counts) =>
    [
        .. query.Steps.Select((step, i) => new AdHocFunnelStep(
            step.Name, i + 1, counts.Visitors[i],
            i == 0 ? null : WindowTotals.Ratio(counts.Visitors[i], counts.Visitors[i - 1]), WindowTotals.Ratio(counts.Visitors[i], counts.Visitors[0]),
            i == 0 ? null : counts.Visitors[i - 1] - counts.Visitors[i], i == 0 ? null : counts.MedianSeconds[i - 1])),
    ];

    /// <summary>Every piece of the window with what it is known to have, and what is not known in full.</summary>
    internal static List<CohortBody> Grid(RetentionQuery query, List<Cohort> cohorts, DateTimeOffset now)
    {
        var pieces = TimePieces.Of(query.Window, query.Per).ToList();
        var byStart = cohorts.ToDictionary(c => c.Start);
        var known = now < query.Window.End ? now : query.Window.End;
        DateTimeOffset EndOf(int piece) => TimePieces.Next(pieces[piece], query.Per);
        return
        [
            .. pieces.Select((start, i) =>
            {
                var cohort = byStart.GetValueOrDefault(start) ?? new Cohort(start, 0, new Dictionary<DateTimeOffset, long>());
                return new CohortBody(
                    DateOnly.FromDateTime(start.UtcDateTime), cohort.Visitors, start < query.Window.Start || EndOf(i) > known,
                    [.. Enumerable.Range(i, pieces.Count - i).Select(j => cohort.Returned.GetValueOrDefault(pieces[j]) is var n ? new CohortCell(j - i, n, WindowTotals.Ratio(n, cohort.Visitors), EndOf(j) > known) : null!)]);
            }),
        ];
    }
}
