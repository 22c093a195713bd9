using System.Globalization;
using System.Text;
using Footfall.Capture;
using Footfall.Leads;

namespace Footfall.Demo;

/// <summary>One visit as it is made up, event by event, each some seconds after the one before: what the tracker would have sent.</summary>
internal sealed class DemoVisit(DemoVisitor visitor, DateTime start, string id, Random random, IVisitorKeys keys)
{
    public const string Home = "/";
    public const string Diary = "/diary.html";
    private const string FormName = "letters";
    private static readonly string[] Levels = ["new", "new", "months", "years"];

    private static readonly (string Path, string Product, int Price)[] Products = [("/bell.html", "bell", 59), ("/rope.html", "rope", 18), ("/mat.html", "mat", 74)];

    private DateTime now = start;
    private DateTime viewed = start;
    private string path = Home;
    private string page = Home;
    private bool measured;
    private string? account;

    public List<(EventRequest, Sender)> Events { get; } = [];

    /// <summary>The form that was sent in the visit, at most one.</summary>
    public (LeadRequest Request, Sender Sender)? Form { get; private set; }

    /// <param name="glance">Looked at for some seconds only.</param>
    public void View(string to, string? referrer = null, (string Source, string Medium, string Campaign)? utm = null, bool glance = false)
    {
        if (Events.Count > 0)
        {
            Leave();
            referrer ??= $"https://{DemoHistory.Host}{page}";
        }
        path = page = to;
        viewed = now;
        var view = Add("page_view");
        view.Referrer = referrer;
        if (utm is { } tags) (view.UtmSource, view.UtmMedium, view.UtmCampaign) = tags;
        if (Array.Find(Products, p => p.Path == to) is { Product: { } product }) (view.EntityType, view.EntityId) = ("product", product);
        now = now.AddSeconds(glance ? 1.5 + (random.NextDouble() * 7) : 3 + (random.NextDouble() * random.NextDouble() * (to == "/guide.html" ? 420 : 110)));
    }

    /// <summary>The page is left: how long it was looked at, and once in a visit how fast it was.</summary>
    public void Leave()
    {
        var engagement = Add("engagement");
        engagement.EngagedTimeMs = (int)((now - viewed).TotalMilliseconds * (0.5 + (random.NextDouble() * 0.5)));
        engagement.ScrollDepthPercent = 30 + random.Next(71);
        viewed = now;
        if (measured) return;
        measured = true;
        var mobile = visitor.UserAgent.Contains("Mobile", StringComparison.Ordinal) ? 1.6 : 1;
        var slow = mobile * (0.6 + (random.NextDouble() * random.NextDouble() * 3));
        var vitals = Add("web_vitals");
        vitals.TtfbMs = (int)(90 * slow);
        vitals.FcpMs = (int)(640 * slow);
        vitals.LcpMs = (int)(1150 * slow);
        vitals.InpMs = (int)(70 * slow);
        vitals.ClsScore = Math.Round(random.NextDouble() * random.NextDouble() * 0.2, 4);
    }

    public void LookAround()
    {
        var pages = 1 + random.Next(4);
        for (var i = 0; i < pages; i++)
        {
            var (to, product, price) = Products[random.Next(Products.Length)];
            View(random.Next(4) == 0 ? "/guide.html" : to);
            if (page == to && random.NextDouble() < 0.17) Event("add_to_cart", ("product", product), ("price", price.ToString(CultureInfo.InvariantCulture)));
            if (page == to && random.NextDouble() < 0.06) Event("outbound_click", ("url", $"https://example.com/tests/{product}"));
        }
        if (random.NextDouble() < 0.24) Subscribe();
    }

    public void KeepDiary(bool first, double perseverance)
    {
        if (page != Diary) View(Diary);
        account = visitor.Account;
        if (first)
        {
            var identify = Add("identify");
            identify.AccountUsername = visitor.Name!.ToLowerInvariant() + visitor.Joined.DayNumber % 1000;
            identify.AccountDisplayName = visitor.Name;
        }
        Event("tab_opened");
        if (random.NextDouble() > perseverance + 0.25) return;
        Event("workout_started");
        if (random.NextDouble() > perseverance + 0.2) return;
        for (var set = 1 + random.Next(5); set > 0; set--) Event("exercise_logged", ("exercise", "swing"), ("count", "10"));
        if (random.NextDouble() > perseverance + 0.15) return;
        Event("session_submitted");
        if (random.NextDouble() < 0.2) Event("achievement_unlocked", ("achievement", first ? "first_entry" : "streak"));
    }

    public void Event(string type, params (string Name, string Value)[] props)
    {
        now = now.AddSeconds(2 + (random.NextDouble() * 25));
        var e = Add(type);
        if (props.Length > 0) e.Props = new ClientProps(Encoding.UTF8.GetBytes(string.Join(',', props.Select(p => $"\"{p.Name}\":\"{p.Value}\""))), null);
    }

    /// <summary>Some look at the form, fewer begin, fewer still send it; its submit becomes an event where the lead is made.</summary>
    private void Subscribe()
    {
        View("/letters.html");
        if (random.NextDouble() < 0.35) return;
        Event("form_start", ("form", FormName));
        if (random.NextDouble() < 0.4) return;
        now = now.AddSeconds(8 + (random.NextDouble() * 40));
        var request = new LeadRequest
        {
            Email = visitor.Email,
            AnonId = visitor.AnonId,
            EventId = $"{id}-form",
            PropertyId = DemoFiller.PropertyId,
            FormName = FormName,
            Path = path,
            ConsentStatus = random.NextDouble() < 0.93 ? ConsentStatus.Express : ConsentStatus.Implied,
            ConsentMethod = "checkbox",
            ConsentPurpose = "monthly letter",
            Payload = new ClientProps(Encoding.UTF8.GetBytes($"\"level\":\"{Levels[random.Next(Levels.Length)]}\""), null),
        };
        Form = (request, SenderAt(new DateTimeOffset(now, TimeSpan.Zero)));
    }

    private EventRequest Add(string type)
    {
        var at = new DateTimeOffset(now, TimeSpan.Zero);
        var request = new EventRequest
        {
            EventType = type,
            EventId = $"{id}-{Events.Count}",
            AnonId = visitor.AnonId,
            PropertyId = DemoFiller.PropertyId,
            Path = path,
            Timestamp = Sender.WholeMicroseconds(at),
            AccountId = account,
        };
        // Batched by the tracker, then a line of some quality.
        var received = at.AddMilliseconds(200 + (random.NextDouble() * 700));
        Events.Add((request, SenderAt(received)));
        now = now.AddMilliseconds(20);
        return request;
    }

    private Sender SenderAt(DateTimeOffset received) => new(visitor.Address, visitor.UserAgent, Sender.WholeMicroseconds(received), keys) { PageHost = DemoHistory.Host };
}
