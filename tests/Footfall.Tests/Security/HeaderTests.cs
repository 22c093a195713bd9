using System.Text.RegularExpressions;
using Xunit;

namespace Footfall.Tests.Security;

public sealed partial class HeaderTests(WatchedServer server) : IClassFixture<WatchedServer>
{
    [Fact]
    public async Task Every_answer_tells_browsers_what_they_may_do_with_it()
    {
        List<string> wrong = [];
        var asked = 0;
        foreach (var target in server.Targets())
        {
            foreach (var key in (string?[])[null, WatchedServer.AdminKey])
            {
                using var request = new HttpRequestMessage(new HttpMethod(target.Method), Parameter().Replace(target.Route, "x"));
                request.Headers.TryAddWithoutValidation("Accept", "text/html, */*");
                if (key is not null) request.Headers.Add("x-admin-key", key);
                using var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                asked++;
                string Header(string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : "";
                void Must(bool holds, string what)
                {
                    if (!holds) wrong.Add($"{target.Method} {target.Route} ({(int)answer.StatusCode}{(key is null ? "" : ", with a key")}): {what}");
                }

                Must(Header("X-Content-Type-Options") == "nosniff", "no nosniff");
                Must(Header("Server").Length == 0 && Header("X-Powered-By").Length == 0, "tells what it is made of");
                var isPage = answer.Content.Headers.ContentType?.MediaType == "text/html";
                if (isPage)
                {
                    var policy = Header("Content-Security-Policy");
                    Must(policy.Contains("default-src 'none'", StringComparison.Ordinal) && policy.Contains("frame-ancestors", StringComparison.Ordinal) && policy.Contains("base-uri 'none'", StringComparison.Ordinal), $"its policy is '{policy}'");
                    Must(!policy.Contains("unsafe", StringComparison.Ordinal), "allows unsafe things");
                    Must(Header("Referrer-Policy") == "no-referrer" || target.Route.StartsWith("/demo", StringComparison.Ordinal), "sends referrers");
                }
                if (key is not null && (int)answer.StatusCode == 200 && target.Route.StartsWith("/v1/leads", StringComparison.Ordinal) && target.Method == "GET" && !isPage)
                    Must(Header("Cache-Control").Contains("no-store", StringComparison.Ordinal), $"people's data may be cached: '{Header("Cache-Control")}'");
                Must(Header("Access-Control-Allow-Credentials").Length == 0, "lets other sites use people's cookies");
            }
        }
        Assert.True(asked > 100, $"{asked} asked");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
