using System.Globalization;
using System.Reflection;
using System.Text;
using Footfall.Access;
using Footfall.Journal;
using Footfall.Metrics;
using Footfall.Postgres;
using Footfall.Rollups;

namespace Footfall.Dashboard;

/// <summary>The page at /start: that the server runs, how it is, and what to do first.</summary>
internal sealed class StartPage(Readiness readiness, DatabaseGate gate, EventJournal journal, JobScheduler jobs, AdminKey key)
{
    private static readonly string Version = typeof(StartPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static readonly (string Name, string Title, string About)[] Documents =
    [
        ("dashboard", "Dashboard", "its pages, addresses and keys; <a href=\"/\">open it</a>"),
        ("install", "Install", "the tag on every kind of site; <a href=\"/install\">the snippet for yours</a>"),
        ("api", "API", "events, summary, health; every error code"),
        ("leads", "Leads", "forms, consent and its ledger, links, unsubscribing"),
        ("definitions", "Definitions", "what each number means"),
        ("import", "Import", "page views from access logs you already have"),
        ("configuration", "Configuration", "every key, its default and meaning"),
    ];

    public Task WriteAsync(HttpContext context)
    {
        var request = context.Request;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(Render($"{request.Scheme}://{request.Host}"), context.RequestAborted);
    }

    /// <param name="address">Of this server, as the reader's browser knows it.</param>
    internal string Render(string address)
    {
        var problems = readiness.Problems();
        var status = journal.Status;
        var body = new StringBuilder();
        body.Append(CultureInfo.InvariantCulture, $"""
            <section class="panel">
              <h1>Footfall runs</h1>
              <p class="{(problems.Count == 0 ? "good" : "bad")}">{(problems.Count == 0 ? "Everything works." : "Something needs attention. Events are taken and kept as long as the journal works.")}</p>
              <dl class="facts">
                {Fact("Database", gate.IsReady ? "ready" : "not available", gate.IsReady)}
                {Fact("Journal", status.Fault is null ? $"{Size(status.BytesHeld)} waiting, room for {Size(status.MaxBytes)}" : "failing", status.Fault is null)}
                {Fact("Jobs", JobsLine(), !jobs.Health.Any(j => j.FailingSince is not null))}
                {Fact("Version", Version, true)}
              </dl>

            """);
        if (problems.Count > 0) body.Append("  <ul class=\"problems\">").AppendJoin("", problems.Select(p => $"<li>{Page.Text(p)}</li>")).AppendLine("</ul>");
        body.AppendLine("</section>");
        body.AppendLine(Step("1. Send a first event", "From a terminal, or from any server of yours.", $$"""
            curl {{address}}/v1/events \
              -H 'content-type: application/json' \
              -d '{"eventType":"page_view","path":"/","anonId":"my-first-visitor"}'
            """));
        body.AppendLine(Step("2. See it counted", key.IsConfigured
            ? "A few seconds later. The admin key is the one that the server printed when it started, or the one you configured."
            : "Set ADMIN_API_KEY and start the server again first: without an admin key nobody may read metrics.", $"""
            curl '{address}/v1/metrics/summary?window_days=7' \
              -H '{AdminKey.Header}: YOUR_ADMIN_KEY'
            """));
        body.Append("<section class=\"panel\"><h2>Read on</h2><ul class=\"docs\">");
        foreach (var (name, title, about) in Documents) body.Append(CultureInfo.InvariantCulture, $"<li><a href=\"/docs/{name}.md\">{title}</a> <span class=\"muted\">{about}</span></li>");
        body.AppendLine("</ul></section>");
        return Page.Whole("Running", body.ToString());
    }

    private string JobsLine()
    {
        var last = jobs.Health.Max(j => j.LastSuccess);
        return last is { } at ? $"last success {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC" : "none has run yet";
    }

    private static string Fact(string name, string text, bool isGood) =>
        $"<div><dt>{name}</dt><dd{(isGood ? "" : " class=\"bad\"")}>{Page.Text(text)}</dd></div>";

    // The button shows itself where the browser lets pages write to the clipboard.
    private static string Step(string title, string text, string command) => $"""
        <section class="panel">
          <h2>{Page.Text(title)}</h2>
          <p class="muted">{Page.Text(text)}</p>
          <div class="command"><pre tabindex="0"><code>{Page.Text(command)}</code></pre><button type="button" data-copy hidden>Copy</button></div>
        </section>
        """;

    private static string Size(long bytes) => bytes switch
    {
        < 1L << 10 => $"{bytes} B",
        < 1L << 20 => $"{bytes / 1024.0:0.#} KiB",
        < 1L << 30 => $"{bytes / (1024.0 * 1024):0.#} MiB",
        _ => $"{bytes / (1024.0 * 1024 * 1024):0.#} GiB",
    };
}
