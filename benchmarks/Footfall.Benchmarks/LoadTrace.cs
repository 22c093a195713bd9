using System.Text.Json;
using Microsoft.Playwright;

namespace Footfall.Benchmarks;

/// <summary>What Chromium's trace says of one page load, from its start on. Times in ms.</summary>
internal sealed record LoadTrace
{
    public const float WatchMs = 4_000;
    private const double LongTaskMs = 50;

    // The names under which Chromium traces the running of script, and what the renderer does between scripts.
    private static readonly string[] Scripts = ["EvaluateScript", "FunctionCall", "v8.compile", "v8.produceCache"];
    private static readonly string[] Layouts = ["Layout", "UpdateLayoutTree"];

    public double BusyMs { get; private init; }
    public double ScriptMs { get; private init; }
    public double LayoutMs { get; private init; }
    public double LongestTaskMs { get; private init; }
    public double LongTasks { get; private init; }
    public double ReadyMs { get; private init; }
    public double LoadMs { get; private init; }
    public double FirstPaintMs { get; private init; }
    public double LargestPaintMs { get; private init; }

    /// <summary>What tasks after the first paint take beyond 50 ms each, as Lighthouse has it.</summary>
    public double BlockingMs { get; private init; }

    /// <summary>The scores of all layout shifts that nobody's input made, together.</summary>
    public double LayoutShift { get; private init; }

    /// <summary>Script of the tag's files: compiled and run, what they call included.</summary>
    public double OwnMs { get; private init; }

    /// <summary>The same in CPU time of the thread, which a busy machine does not lengthen by waiting.</summary>
    public double OwnCpuMs { get; private init; }
    public double OwnBeforeReadyMs { get; private init; }
    public double OwnLongestMs { get; private init; }
    /// <summary>The CPU time by the file that ran.</summary>
    public Dictionary<string, double> ByFile { get; private init; } = [];

    private sealed record Span(string Name, double At, double Dur, double Cpu, int Pid, int Tid, string Url)
    {
        public double End => At + Dur;
    }

    /// <summary>
    /// Loads the page in a browser profile of its own, with nothing attached to it: tools that look at a page have each call's stack
    /// noted, which a visitor's browser does not.
    /// </summary>
    public static async Task<LoadTrace> OfAsync(IBrowser browser, string url)
    {
        var cdp = await browser.NewBrowserCDPSessionAsync();
        var profile = (await cdp.SendAsync("Target.createBrowserContext"))!.Value.GetProperty("browserContextId").GetString()!;
        var ended = new TaskCompletionSource<string>();
        cdp.Event("Tracing.tracingComplete").OnEvent += (_, e) => ended.TrySetResult(e!.Value.GetProperty("stream").GetString()!);
        await cdp.SendAsync("Tracing.start", new Dictionary<string, object> { ["transferMode"] = "ReturnAsStream", ["traceConfig"] = new { includedCategories = new[] { "devtools.timeline", "v8", "disabled-by-default-devtools.timeline", "toplevel", "blink.user_timing", "loading" }, excludedCategories = new[] { "*" } } });
        await cdp.SendAsync("Target.createTarget", new Dictionary<string, object> { ["url"] = url, ["browserContextId"] = profile, ["width"] = 1200, ["height"] = 900 });
        await Task.Delay(TimeSpan.FromMilliseconds(WatchMs));
        await cdp.SendAsync("Tracing.end");
        using var trace = JsonDocument.Parse(await ReadAsync(cdp, await ended.Task));
        await cdp.SendAsync("Target.disposeBrowserContext", new Dictionary<string, object> { ["browserContextId"] = profile });
        await cdp.DetachAsync();
        return Of(trace.RootElement.GetProperty("traceEvents"), url);
    }

    private static async Task<string> ReadAsync(ICDPSession cdp, string stream)
    {
        var text = new System.Text.StringBuilder();
        while (true)
        {
            var part = (await cdp.SendAsync("IO.read", new Dictionary<string, object> { ["handle"] = stream, ["size"] = 1_000_000 }))!.Value;
            text.Append(part.GetProperty("data").GetString());
            if (part.GetProperty("eof").GetBoolean()) break;
        }
        await cdp.SendAsync("IO.close", new Dictionary<string, object> { ["handle"] = stream });
        return text.ToString();
    }

    private static LoadTrace Of(JsonElement events, string url)
    {
        List<Span> spans = [.. events.EnumerateArray().Where(e => e.GetProperty("ph").GetString() == "X").Select(Read)];
        // The page's own thread is the one that parses its HTML.
        var parse = spans.First(s => s.Name == "ParseHTML" && s.Url == url);
        List<Span> main = [.. spans.Where(s => s.Pid == parse.Pid && s.Tid == parse.Tid).OrderBy(s => s.At).ThenByDescending(s => s.Dur)];
        var marks = events.EnumerateArray().Where(e => e.GetProperty("pid").GetInt32() == parse.Pid).ToLookup(e => Text(e, "name") ?? "", e => e.GetProperty("ts").GetDouble() / 1000);
        var began = marks["navigationStart"].Last(at => at < parse.At);
        var ready = marks["domContentLoadedEventStart"].First(at => at >= parse.At);

        var firstPaint = marks["firstContentfulPaint"].First(at => at >= parse.At);
        var shifts = events.EnumerateArray().Where(e => Text(e, "name") == "LayoutShift" && e.GetProperty("pid").GetInt32() == parse.Pid).Select(e => e.GetProperty("args").GetProperty("data"));
        var tasks = Outermost(main.Where(s => s.Name is "RunTask" or "ThreadControllerImpl::RunTask" && s.End >= parse.At));
        var own = Outermost(main.Where(s => Scripts.Contains(s.Name) && FileOf(s.Url) is not null));
        return new LoadTrace
        {
            BusyMs = tasks.Sum(t => t.Dur),
            LongestTaskMs = tasks.Max(t => t.Dur),
            LongTasks = tasks.Count(t => t.Dur >= LongTaskMs),
            ScriptMs = Outermost(main.Where(s => Scripts.Contains(s.Name))).Sum(s => s.Dur),
            LayoutMs = Outermost(main.Where(s => Layouts.Contains(s.Name))).Sum(s => s.Dur),
            ReadyMs = ready - began,
            LoadMs = marks["loadEventEnd"].First(at => at >= parse.At) - began,
            FirstPaintMs = firstPaint - began,
            BlockingMs = tasks.Where(t => t.At >= firstPaint).Sum(t => Math.Max(0, t.Dur - LongTaskMs)),
            LayoutShift = shifts.Where(d => !d.GetProperty("had_recent_input").GetBoolean()).Sum(d => d.GetProperty("score").GetDouble()),
            LargestPaintMs = marks["largestContentfulPaint::Candidate"].Last() - began,
            OwnMs = own.Sum(s => s.Dur),
            OwnCpuMs = own.Sum(s => s.Cpu),
            OwnBeforeReadyMs = own.Where(s => s.At < ready).Sum(s => s.Dur),
            OwnLongestMs = own.Select(s => s.Dur).DefaultIfEmpty().Max(),
            ByFile = own.GroupBy(s => FileOf(s.Url)!).ToDictionary(g => g.Key, g => g.Sum(s => s.Cpu)),
        };
    }

    /// <summary>Those that lie in no other: what they take adds up. Sorted by their start, longer ones first.</summary>
    private static List<Span> Outermost(IEnumerable<Span> sorted)
    {
        List<Span> outer = [];
        foreach (var span in sorted)
        {
            if (outer.Count == 0 || span.At >= outer[^1].End) outer.Add(span);
        }
        return outer;
    }

    private static string? FileOf(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || !address.AbsolutePath.StartsWith("/t.", StringComparison.Ordinal)) return null;
        return address.AbsolutePath == "/t.js" ? "core" : address.AbsolutePath.Split('.')[1];
    }

    private static Span Read(JsonElement e)
    {
        var data = e.TryGetProperty("args", out var args) ? args : default;
        var url = "";
        foreach (var name in (string[])["data", "beginData"])
        {
            if (data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var inner) && Text(inner, "url") is { Length: > 0 } found) url = found;
        }
        if (url.Length == 0 && data.ValueKind == JsonValueKind.Object) url = Text(data, "fileName") ?? "";
        var dur = Ms("dur") ?? 0;
        return new Span(Text(e, "name") ?? "", e.GetProperty("ts").GetDouble() / 1000, dur, Ms("tdur") ?? dur, e.GetProperty("pid").GetInt32(), e.GetProperty("tid").GetInt32(), url);

        double? Ms(string name) => e.TryGetProperty(name, out var value) ? value.GetDouble() / 1000 : null;
    }

    private static string? Text(JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
