using System.Net;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>What is an address, and what is none: over a hundred cases, first by themselves, then all of them over HTTP.</summary>
public sealed class EmailAddressTests(ApiServer server) : IClassFixture<ApiServer>
{
    private static readonly string Long64 = new('a', 64);
    private static readonly string Label63 = new('b', 63);

    /// <summary>What people type, and what is compared.</summary>
    private static readonly (string Typed, string Normalized)[] Good =
    [
        ("ann@example.org", "ann@example.org"),
        ("Ann@Example.ORG", "ann@example.org"),
        ("  ann@example.org\t", "ann@example.org"),
        ("ann@example.org\r\n", "ann@example.org"),
        ("\u00A0ann@example.org\u3000", "ann@example.org"),
        ("ann.lee@example.org", "ann.lee@example.org"),
        ("a@b.co", "a@b.co"),
        ("ann+letters@example.org", "ann+letters@example.org"),
        ("ann_lee@example.org", "ann_lee@example.org"),
        ("ann-lee@example.org", "ann-lee@example.org"),
        ("-ann-@example.org", "-ann-@example.org"),
        ("_@example.org", "_@example.org"),
        ("1234567890@example.org", "1234567890@example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"),
        ("ann@sub.sub2.example.org", "ann@sub.sub2.example.org"),
        ("ann@example-shop.org", "ann@example-shop.org"),
        ("ann@1example.org", "ann@1example.org"),
        ("ann@123.example.org", "ann@123.example.org"),
        ("ann@example.museum", "ann@example.museum"),
        ("ann@a--b.example.org", "ann@a--b.example.org"),
        ("ann=x@example.org", "ann=x@example.org"),
        ("ann/x@example.org", "ann/x@example.org"),
        ("ann%x@example.org", "ann%x@example.org"),
        // Quoted local parts: needless quotes go, needed ones stay.
        ("\"ann\"@example.org", "ann@example.org"),
        ("\"ann.lee\"@example.org", "ann.lee@example.org"),
        ("\"a\\nn\"@example.org", "ann@example.org"),
        ("\"ann lee\"@example.org", "\"ann lee\"@example.org"),
        ("\"Ann@Home\"@example.org", "\"ann@home\"@example.org"),
        ("\"ann..lee\"@example.org", "\"ann..lee\"@example.org"),
        ("\"a\\\"b\"@example.org", "\"a\\\"b\"@example.org"),
        ("\"a\\\\b\"@example.org", "\"a\\\\b\"@example.org"),
        ("\"<script>\"@example.org", "\"<script>\"@example.org"),
        // International domains.
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"),
        ("ann@例え.example", "ann@xn--r8jz45g.example"),
        ("ann@例え。example", "ann@xn--r8jz45g.example"),
        ("ann@пример.example", "ann@xn--e1afmkfd.example"),
        ("ann@παράδειγμα.example", "ann@xn--hxajbheg2az3al.example"),
        ("ann@example.xn--p1ai", "ann@example.xn--p1ai"),
        // At the limits.
        ($"{Long64}@example.org", $"{Long64}@example.org"),
        ($"a@{Label63}.org", $"a@{Label63}.org"),
        ($"a@{Label63}.{Label63}.{Label63}.{new string('c', 60)}", $"a@{Label63}.{Label63}.{Label63}.{new string('c', 60)}"),
    ];

    private static readonly (string? Typed, AddressFault Fault)[] Bad =
    [
        (null, AddressFault.Empty),
        ("", AddressFault.Empty),
        ("   ", AddressFault.Empty),
        ("ann", AddressFault.NoAtSign),
        ("ann.example.org", AddressFault.NoAtSign),
        ("ann at example.org", AddressFault.NoAtSign),
        ("@", AddressFault.LocalPartInvalid),
        ("@example.org", AddressFault.LocalPartInvalid),
        ("ann@", AddressFault.DomainInvalid),
        ("ann@@example.org", AddressFault.LocalPartInvalid),
        ("ann@lee@example.org", AddressFault.LocalPartInvalid),
        ("ann lee@example.org", AddressFault.LocalPartInvalid),
        (".ann@example.org", AddressFault.LocalPartInvalid),
        ("ann.@example.org", AddressFault.LocalPartInvalid),
        ("ann..lee@example.org", AddressFault.LocalPartInvalid),
        (".@example.org", AddressFault.LocalPartInvalid),
        ("ann(comment)@example.org", AddressFault.LocalPartInvalid),
        ("ann,lee@example.org", AddressFault.LocalPartInvalid),
        ("ann;lee@example.org", AddressFault.LocalPartInvalid),
        ("ann:lee@example.org", AddressFault.LocalPartInvalid),
        ("ann<lee@example.org", AddressFault.LocalPartInvalid),
        ("ann\\lee@example.org", AddressFault.LocalPartInvalid),
        ("ann[lee]@example.org", AddressFault.LocalPartInvalid),
        ("\"ann@example.org", AddressFault.LocalPartInvalid),
        ("ann\"@example.org", AddressFault.LocalPartInvalid),
        ("\"\"@example.org", AddressFault.LocalPartInvalid),
        ("\"a\"b\"@example.org", AddressFault.LocalPartInvalid),
        ("\"ann\\\"@example.org", AddressFault.LocalPartInvalid),
        ("\"ann\".lee@example.org", AddressFault.LocalPartInvalid),
        ("Ann Lee <ann@example.org>", AddressFault.LocalPartInvalid),
        ("<ann@example.org>", AddressFault.LocalPartInvalid),
        ("mailto:ann@example.org", AddressFault.LocalPartInvalid),
        ("ann@example.org, lee@example.org", AddressFault.LocalPartInvalid),
        ("ann@example.org;lee@example.org", AddressFault.LocalPartInvalid),
        // Other letters in front of the @, among them such as look like ours.
        ("änn@example.org", AddressFault.LocalPartNotAscii),
        ("аnn@example.org", AddressFault.LocalPartNotAscii),
        ("用户@example.org", AddressFault.LocalPartNotAscii),
        ("ann\u200B@example.org", AddressFault.LocalPartNotAscii),
        ("ａnn@example.org", AddressFault.LocalPartNotAscii),
        ("\"änn\"@example.org", AddressFault.LocalPartInvalid),
        // Domains.
        ("ann@localhost", AddressFault.DomainInvalid),
        ("ann@example", AddressFault.DomainInvalid),
        ("ann@.org", AddressFault.DomainInvalid),
        ("ann@example..org", AddressFault.DomainInvalid),
        ("ann@example.org.", AddressFault.DomainInvalid),
        ("ann@.example.org", AddressFault.DomainInvalid),
        ("ann@-example.org", AddressFault.DomainInvalid),
        ("ann@example-.org", AddressFault.DomainInvalid),
        ("ann@exa_mple.org", AddressFault.DomainInvalid),
        ("ann@exa mple.org", AddressFault.DomainInvalid),
        ("ann@example.org/path", AddressFault.DomainInvalid),
        ("ann@example.org:25", AddressFault.DomainInvalid),
        ("ann@127.0.0.1", AddressFault.DomainInvalid),
        ("ann@[127.0.0.1]", AddressFault.DomainInvalid),
        ("ann@[IPv6:::1]", AddressFault.DomainInvalid),
        ("ann@example.123", AddressFault.DomainInvalid),
        ("ann@example.org(comment)", AddressFault.DomainInvalid),
        ("ann@exam!ple.org", AddressFault.DomainInvalid),
        ("ann@xn--.example", AddressFault.DomainInvalid),
        ("ann@xn--a.example", AddressFault.DomainInvalid),
        ("ann@ab--c.xn--zzzzzzzz99999.example", AddressFault.DomainInvalid),
        ("ann@zz--x.example", AddressFault.DomainInvalid),
        ("ann@ｅxample.org", AddressFault.DomainInvalid),
        ("ann@exam\u200Dple.org", AddressFault.DomainInvalid),
        ("ann@exam\u00ADple.org", AddressFault.DomainInvalid),
        ("ann@exam\u202Eple.org", AddressFault.DomainInvalid),
        ("ann@ex℀mple.org", AddressFault.DomainInvalid),
        ("ann@\U0001F600.example", AddressFault.DomainInvalid),
        ("ann@exam\uD800ple.org", AddressFault.DomainInvalid),
        ($"a@{Label63}b.org", AddressFault.DomainInvalid),
        // Letters of two alphabets in one label: what is seen is not what is meant.
        ("ann@pаypal.com", AddressFault.DomainMixesScripts),
        ("ann@gооgle.com", AddressFault.DomainMixesScripts),
        ("ann@exαmple.org", AddressFault.DomainMixesScripts),
        ("ann@xn--pypal-4ve.com", AddressFault.DomainInvalid),
        // Too long, in each way.
        ($"{Long64}a@example.org", AddressFault.LocalPartTooLong),
        ($"{Long64}@{Label63}.{Label63}.{Label63}.org", AddressFault.TooLong),
        ($"{new string('a', 320)}@example.org", AddressFault.LocalPartTooLong),
        ($"a@{string.Join('.', Enumerable.Repeat("label", 60))}.org", AddressFault.DomainInvalid),
        (new string('a', 5000) + "@example.org", AddressFault.TooLong),
        // Control characters, which would end a header line or a text.
        ("ann@example.org\r\nBcc: lee@example.org", AddressFault.ControlCharacters),
        ("ann\r\n@example.org", AddressFault.ControlCharacters),
        ("ann@example.org\nx", AddressFault.ControlCharacters),
        ("ann\0@example.org", AddressFault.ControlCharacters),
        ("ann@example.org\0", AddressFault.ControlCharacters),
        ("ann\t@example.org", AddressFault.ControlCharacters),
        ("\"ann\tlee\"@example.org", AddressFault.ControlCharacters),
        ("ann\u007F@example.org", AddressFault.ControlCharacters),
        ("ann\u0085x@example.org", AddressFault.ControlCharacters),
    ];

    [Fact]
    public void Good_ones_are_read_and_have_one_form_to_compare()
    {
        foreach (var (typed, normalized) in Good)
        {
            Assert.True(EmailAddress.TryParse(typed, out var address, out var fault), $"{typed}: {fault}");
            Assert.Equal(normalized, address.Normalized);
            Assert.Equal(normalized[(normalized.LastIndexOf('@') + 1)..], address.Domain);
            // What was read is read again as the same.
            Assert.True(EmailAddress.TryParse(address.Normalized, out var again, out _));
            Assert.Equal(address.Normalized, again.Normalized);
        }
    }

    [Fact]
    public void Bad_ones_are_refused_for_what_is_wrong_and_not_repeated()
    {
        Assert.True(Good.Length + Bad.Length >= 120);
        foreach (var (typed, expected) in Bad)
        {
            Assert.False(EmailAddress.TryParse(typed, out _, out var fault), typed);
            Assert.True(expected == fault, $"{typed}: {fault} instead of {expected}");
            if (typed is { Length: > 3 }) Assert.DoesNotContain(typed, EmailAddress.Message(fault), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Over_HTTP_each_is_taken_or_refused_and_none_breaks_the_server()
    {
        foreach (var (typed, _) in Good)
        {
            using var answer = await server.CaptureAsync(new { email = typed });
            Assert.True(answer.IsSuccessStatusCode, $"{typed}: {(int)answer.StatusCode}");
        }
        foreach (var (typed, _) in Bad)
        {
            var (status, error) = await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = typed }));
            Assert.True((status, error) is (400, "validation_failed"), $"{typed}: {status} {error}");
            using var form = await server.SubmitAsync(new() { ["email"] = typed ?? "" });
            Assert.Equal(HttpStatusCode.SeeOther, form.StatusCode);
            Assert.Equal("/v1/leads/sorry?error=validation_failed", form.Headers.Location!.OriginalString);
        }
        await server.SettleAsync();
        var distinct = Good.Select(g => g.Normalized).Distinct().Count();
        Assert.Equal(distinct, await server.Database.ScalarAsync<long>("select count(*) from leads"));
        Assert.Equal(2 * Bad.Length, await server.Database.ScalarAsync<long>("select events from ingest_counts where outcome = 'lead_rejected' and reason = 'validation_failed'"));
    }
}
