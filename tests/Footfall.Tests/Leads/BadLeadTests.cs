using System.Net;
using System.Text;
using System.Text.Json;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>Bodies that are no lead: each gets a clear 4xx, and nothing is stored.</summary>
public sealed class BadLeadTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Theory]
    [InlineData("", 400, "invalid_json")]
    [InlineData("null", 400, "invalid_json")]
    [InlineData("[]", 400, "invalid_json")]
    [InlineData("\"ann@example.org\"", 400, "invalid_json")]
    [InlineData("{", 400, "invalid_json")]
    [InlineData("{\"email\":\"ann@example.org\"} x", 400, "invalid_json")]
    [InlineData("{}", 400, "validation_failed")]
    [InlineData("{\"email\":null}", 400, "validation_failed")]
    [InlineData("{\"email\":5}", 400, "validation_failed")]
    [InlineData("{\"email\":[\"ann@example.org\"]}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann\\u0000@example.org\"}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann\\uD800@example.org\"}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"anonId\":\"short\"}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"anonId\":7}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"propertyId\":\"no spaces\"}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"consent\":\"express\"}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"consent\":{\"status\":\"yes\"}}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"consent\":{\"status\":\"withdrawn\"}}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"consent\":{\"basis\":\"friendship\"}}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"payload\":[]}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"payload\":{\"a\":\"\\u0000\"}}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"payload\":{\"a\":1e400}}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"utm\":[]}", 400, "validation_failed")]
    [InlineData("{\"email\":\"ann@example.org\",\"website\":\"http://spam.example\"}", 400, "honeypot")]
    [InlineData("{\"email\":\"ann@example.org\",\"formToken\":\"made-up\"}", 400, "form_token_invalid")]
    public async Task Json_that_is_no_lead(string json, int status, string error)
    {
        Assert.Equal((status, error), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/capture", new StringContent(json, Encoding.UTF8, "application/json"))));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select count(*) from leads"));
    }

    [Fact]
    public async Task An_issue_names_its_field_and_not_its_value()
    {
        using var answer = await server.CaptureAsync(new { email = "secret-person@nowhere", consent = new { status = "yes" } });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Equal("consent.status", JsonDocument.Parse(text).RootElement.GetProperty("issues")[0].GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("application/xml", 415, "unsupported_media_type")]
    [InlineData("application/json; charset=utf-16", 415, "unsupported_media_type")]
    public async Task Bodies_of_other_kinds(string type, int status, string error)
    {
        using var body = new ByteArrayContent("{}"u8.ToArray());
        body.Headers.TryAddWithoutValidation("Content-Type", type);
        Assert.Equal((status, error), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/capture", body)));
    }

    [Theory]
    [InlineData("multipart/form-data", "x")]
    [InlineData("multipart/form-data; boundary=b", "no boundary here")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nann@example.org")]
    [InlineData("application/x-www-form-urlencoded", "%00%ff%zz=%&&==&email")]
    [InlineData("application/x-www-form-urlencoded", "email=%00")]
    [InlineData("application/x-www-form-urlencoded", "consent=&consent.=&.=x&payload.=y&email=")]
    public async Task Forms_that_are_none(string type, string text)
    {
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        body.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await server.PostAsync("/v1/leads/capture", body);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.StartsWith("/v1/leads/sorry?error=", answer.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_may_be_sent()
    {
        Assert.Equal((413, "body_too_large"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "ann@example.org", payload = new { a = new string('x', 70_000) } })));
        Assert.Equal((400, "validation_failed"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "ann@example.org", payload = new { a = new string('x', 9_000) } })));
        var many = Enumerable.Range(0, 100).ToDictionary(i => $"field{i}", i => "x");
        using var answer = await server.SubmitAsync(many);
        Assert.Equal("/v1/leads/sorry?error=invalid_form", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Another_method()
    {
        using var answer = await server.Client.GetAsync("/v1/leads/capture");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task A_page_of_any_origin_may_ask_first()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/v1/leads/capture");
        request.Headers.Add("Origin", "https://shop.example");
        using var answer = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("content-type", answer.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.Ordinal);
    }
}
