using System.Globalization;
using System.Text;
using System.Text.Json;
using Footfall.Capture;
using Footfall.Definitions;

namespace Footfall.Tests.Model;

/// <summary>Product metrics, experiments, funnels and entities as the definitions say them, event by event. Rows come as text, sorted, to be compared with the tables' rows.</summary>
internal sealed class ReferenceUsers(ReferenceModel model, string property, IReadOnlyList<ExperimentDefinition> experiments, IReadOnlyList<FunnelDefinition> funnels)
{
    private static readonly string[] Opens = ["app_opened", "tab_opened"];
    private static readonly string[] Submits = ["session_submitted"];

    private readonly List<CapturedEvent> events = [.. model.Stored.Where(e => e.PropertyId == property && !e.IsOutOfRange && e.DeviceType != DeviceType.Bot).OrderBy(e => e.OccurredAt).ThenBy(e => e.Id)];

    private IEnumerable<DateOnly> Days => events.Select(e => Day(e)).Distinct().Order();

    private static DateOnly Day(CapturedEvent e) => ReferenceModel.Day(e.OccurredAt);

    private string User(CapturedEvent e)
    {
        var account = e.AccountId ?? events.FirstOrDefault(o => o.VisitorId == e.VisitorId && Day(o) == Day(e) && o.AccountId is not null)?.AccountId;
        return account is null ? $"visitor {e.VisitorId}" : $"account {account}";
    }

    public List<string> Product()
    {
        List<string> rows = [];
        foreach (var day in Days)
        {
            var today = events.Where(e => Day(e) == day).ToList();
            var users = today.Select(User).Distinct().ToList();
            Row("dau", "", users.Count);
            Row("new_users", "", users.Count(u => events.Where(e => User(e) == u).Min(Day) == day));
            Row("sessions_submitted", "", today.Count(e => Submits.Contains(e.EventType)));
            foreach (var type in today.GroupBy(e => e.EventType)) Row("event_volume_by_name", type.Key, type.Count());
            var lags = today.Select(e => Math.Max(0, (e.ReceivedAt - e.OccurredAt).TotalMilliseconds)).Order().ToList();
            Row("ingestion_lag_p50", "", Percentile(lags, 0.5));
            Row("ingestion_lag_p95", "", Percentile(lags, 0.95));
            var openers = today.Where(e => Opens.Contains(e.EventType)).GroupBy(User).ToDictionary(g => g.Key, g => g.Min(e => e.OccurredAt));
            if (openers.Count > 0)
            {
                var submitted = openers.Count(o => SubmitsOf(o.Key).Any(at => at >= o.Value && at <= o.Value.AddHours(24)));
                Row("logging_rate_24h", "", (double)submitted / openers.Count);
                Row("logging_openers", "", openers.Count);
                Row("logging_submitters", "", submitted);
            }

            void Row(string name, string key, double value) => rows.Add(Text(day, name, key, value));
        }
        return Sorted(rows);
    }

    public List<string> Experiments()
    {
        List<string> rows = [];
        foreach (var (key, assigned) in Assignments().GroupBy(a => (a.Day, a.Experiment, a.Variant)).Select(g => (g.Key, g.ToList())))
        {
            Row("users_assigned", assigned.Count);
            Row("users_active_d1", assigned.Count(a => events.Any(e => User(e) == a.User && Day(e) == a.Day.AddDays(1))));
            Row("sessions_submitted_d7", assigned.Sum(a => SubmitsOf(a.User).Count(at => at >= a.At && at <= a.At.AddDays(7))));
            var logged = assigned.Count(a => SubmitsOf(a.User).Any(at => at >= a.At && at <= a.At.AddHours(24)));
            Row("logging_rate_24h_by_variant", (double)logged / assigned.Count);
            Row("users_logged_24h", logged);
            Row("users_contaminated", assigned.Count(a => a.Contaminated));
            if (experiments.SingleOrDefault(e => e.Id == key.Experiment) is { } definition)
            {
                Row("users_converted", assigned.Count(a => events.Any(e => User(e) == a.User && e.EventType == definition.MetricEvent && e.OccurredAt >= a.At && e.OccurredAt <= a.At.AddHours(definition.MetricHours))));
            }

            void Row(string name, double value) => rows.Add(Text(key.Day, key.Experiment, key.Variant, name, value));
        }
        return Sorted(rows);
    }

    public List<string> Funnels()
    {
        var counts = new Dictionary<string, int>();
        var assignments = Assignments().ToList();
        foreach (var funnel in funnels)
        {
            var entries = events.Where(e => Is(e, funnel.Steps[0])).GroupBy(e => (Day(e), User: User(e))).Select(g => (Day: g.Key.Item1, g.Key.User, At: g.Min(e => e.OccurredAt)));
            foreach (var (day, user, entered) in entries)
            {
                List<(string, string)> groups = [("", ""), .. assignments.Where(a => a.User == user && a.Day <= day).Select(a => (a.Experiment, a.Variant))];
                foreach (var (experiment, variant) in groups)
                {
                    DateTimeOffset? at = entered;
                    for (var i = 0; i < funnel.Steps.Count; i++)
                    {
                        if (i > 0 && at is { } from) at = events.Where(e => User(e) == user && Is(e, funnel.Steps[i]) && e.OccurredAt >= from && e.OccurredAt <= entered.AddHours(funnel.WindowHours)).Select(e => (DateTimeOffset?)e.OccurredAt).Min();
                        var key = Text(day, funnel.Name, funnel.Steps[i].Name, i + 1, experiment, variant);
                        counts[key] = counts.GetValueOrDefault(key) + (at is null ? 0 : 1);
                    }
                }
            }
        }
        return Sorted([.. counts.Select(c => $"{c.Key}|{c.Value}")]);
    }

    public List<string> Entities()
    {
        List<string> rows = [];
        foreach (var day in Views().GroupBy(v => (Day(v.View), v.View.EntityType, v.View.EntityId)))
        {
            Rows(day.Key.Item1, day.Key.EntityType!, day.Key.EntityId!, -1, [.. day]);
            foreach (var hour in day.GroupBy(v => v.View.OccurredAt.UtcDateTime.Hour)) Rows(day.Key.Item1, day.Key.EntityType!, day.Key.EntityId!, hour.Key, [.. hour]);
        }
        return Sorted(rows);

        void Rows(DateOnly day, string type, string id, int hour, List<(CapturedEvent View, long Engaged, ModelSession Session)> views)
        {
            var entered = views.Where(v => v.Session.EntryId == v.View.Id).ToList();
            rows.Add(Text(day, type, id, hour, views.Count,
                views.Select(v => v.View.AccountId ?? v.View.VisitorId.ToString()).Distinct().Count(),
                views.Where(v => v.View.AccountId is not null).Select(v => v.View.AccountId).Distinct().Count(),
                views.Where(v => v.View.AccountId is null).Select(v => v.View.VisitorId).Distinct().Count(),
                views.Sum(v => v.Engaged), views.Count(v => v.Engaged > 0), entered.Count, entered.Count(v => v.Session.IsBounce)));
        }
    }

    public List<string> EntityVisitors() => Sorted([.. Views()
        .GroupBy(v => (v.View.EntityType, v.View.EntityId, User: v.View.AccountId is { } account ? $"account {account}" : $"visitor {v.View.VisitorId}"))
        .Select(g => Text(g.Key.EntityType!, g.Key.EntityId!, g.Key.User, g.Count(), Time(g.Min(v => v.View.OccurredAt)), Time(g.Max(v => v.View.OccurredAt)),
            g.Sum(v => v.Engaged), g.Count(v => v.Engaged > 0), g.Select(v => Day(v.View)).Distinct().Count()))]);

    public static string Text(params object[] values) => string.Join('|', values.Select(v => v switch
    {
        DateOnly d => d.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        double d => d.ToString("0.######", CultureInfo.InvariantCulture),
        _ => Convert.ToString(v, CultureInfo.InvariantCulture),
    }));

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    private IEnumerable<(DateOnly Day, string Experiment, string Variant, string User, DateTimeOffset At, bool Contaminated)> Assignments() =>
        from e in events
        where e.EventType == "experiment_assigned" && e.Props is not null
        let props = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(Encoding.UTF8.GetString(e.Props!))!
        where props.ContainsKey("experimentId")
        let told = (Event: e, Experiment: props["experimentId"].GetString()!, Variant: props["variantId"].GetString()!)
        group told by (told.Experiment, User: User(e)) into g
        let first = g.OrderBy(t => t.Event.OccurredAt).ThenBy(t => t.Event.Id).First()
        select (Day(first.Event), g.Key.Experiment, first.Variant, g.Key.User, first.Event.OccurredAt, g.Any(t => t.Variant != first.Variant));

    private IEnumerable<DateTimeOffset> SubmitsOf(string user) => events.Where(e => Submits.Contains(e.EventType) && User(e) == user).Select(e => e.OccurredAt);

    /// <summary>A view's engaged time is its own and that of the session's events of the same day up to its next page view.</summary>
    private IEnumerable<(CapturedEvent View, long Engaged, ModelSession Session)> Views()
    {
        foreach (var session in model.Sessions.Where(s => s.PropertyId == property && !s.IsBot))
        {
            foreach (var day in events.Where(e => e.VisitorId == session.VisitorId && e.OccurredAt >= session.StartedAt && e.OccurredAt <= session.EndedAt).GroupBy(Day))
            {
                (CapturedEvent View, long Engaged)? open = null;
                foreach (var e in day)
                {
                    if (e.EventType == "page_view")
                    {
                        if (open is { View.EntityType: not null } done) yield return (done.View, done.Engaged, session);
                        open = (e, 0);
                    }
                    if (open is { } current) open = (current.View, current.Engaged + e.EngagedMs);
                }
                if (open is { View.EntityType: not null } last) yield return (last.View, last.Engaged, session);
            }
        }
    }

    private static bool Is(CapturedEvent e, FunnelStep step) =>
        step.EventTypes.Contains(e.EventType) && (step.Path is null || e.Path == step.Path);

    private static double Percentile(List<double> ascending, double fraction)
    {
        var rank = fraction * (ascending.Count - 1);
        var (lower, upper) = (ascending[(int)Math.Floor(rank)], ascending[(int)Math.Ceiling(rank)]);
        return lower + (upper - lower) * (rank - Math.Floor(rank));
    }

    private static List<string> Sorted(List<string> rows)
    {
        rows.Sort(StringComparer.Ordinal);
        return rows;
    }
}
