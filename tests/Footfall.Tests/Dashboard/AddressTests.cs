using Footfall.Dashboard;
using Footfall.Explore;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace Footfall.Tests.Dashboard;

public sealed class AddressTests
{
    private static readonly DateOnly Today = new(2026, 11, 21);

    [Theory]
    [InlineData("", "2026-10-23", "2026-11-21", "2026-09-23")]
    [InlineData("period=today", "2026-11-21", "2026-11-21", "2026-11-20")]
    [InlineData("period=7d", "2026-11-15", "2026-11-21", "2026-11-08")]
    [InlineData("period=last_month", "2026-10-01", "2026-10-31", "2026-08-31")]
    [InlineData("period=year&compare=previous_year", "2026-01-01", "2026-11-21", "2025-01-02")]
    [InlineData("from=2026-02-01&to=2026-02-28&compare=previous_year", "2026-02-01", "2026-02-28", "2025-02-02")]
    public void The_address_says_the_days_and_what_they_are_compared_with(string query, string from, string to, string comparedFrom)
    {
        var (period, problem) = Period.Read(Of(query), Today);
        Assert.Null(problem);
        Assert.Equal((DateOnly.Parse(from), DateOnly.Parse(to), DateOnly.Parse(comparedFrom)), (period.Days.From, period.Days.To, period.CompareTo!.Value.From));
        Assert.Equal(period.Days.Days, period.CompareTo!.Value.Days);
    }

    [Theory]
    [InlineData("period=fortnight", "period must be one of")]
    [InlineData("compare=something", "compare must be one of")]
    [InlineData("from=2026-02-30&to=2026-03-01", "must both be days")]
    [InlineData("from=2026-02-02", "must both be days")]
    [InlineData("from=2026-03-02&to=2026-03-01", "comes after the last")]
    [InlineData("from=1990-01-01&to=2026-03-01", "at most 1830")]
    public void Days_that_cannot_be_are_told_in_words(string query, string said) => Assert.Contains(said, Period.Read(Of(query), Today).Problem);

    [Theory]
    [InlineData("is.shoe=1", "nothing to filter by that is called shoe")]
    [InlineData("not.=1", "nothing to filter by")]
    public void A_filter_that_there_is_not_is_told_and_not_overlooked(string query, string said) => Assert.Contains(said, Of(query).Filters().Problem);

    [Fact]
    public void Filters_are_read_and_written_alike()
    {
        var address = Of("is.country=CA&is.country=DE&not.source=&has.path=/blog&has.path=a b%26c");
        var (filters, problem) = address.Filters();
        Assert.Null(problem);
        Assert.Equal(4, filters.Count);
        Assert.Equal(["CA", "DE"], filters[0].Values);
        Assert.Equal((FilterOperator.IsNot, null), (filters[1].Operator, filters[1].Values.Single()));
        Assert.Equal("/p/shop?is.country=CA&is.country=DE&not.source=&has.path=/blog&has.path=a%20b%26c", address.ToString());
        Assert.Equal("/p/shop?is.country=CA&is.country=DE&not.source=&has.path=/blog", address.WithoutFilter(filters[3]).ToString());
        Assert.Equal("/p/shop?not.source=&has.path=/blog&has.path=a%20b%26c", address.WithoutFilter(filters[0]).ToString());
    }

    [Fact]
    public void A_click_on_a_row_adds_its_filter_and_a_second_one_takes_it_away()
    {
        var country = new Dimension(DimensionKind.Country);
        var once = Of("metric=leads").Toggled(country, "CA");
        Assert.True(once.HasFilter(country, "CA"));
        Assert.Equal("/p/shop?metric=leads", once.Toggled(country, "CA").ToString());
    }

    [Fact]
    public void Days_and_filters_survive_moving_between_pages_and_the_rest_does_not() =>
        Assert.Equal("/p/shop/health?period=7d&is.country=CA", Of("period=7d&metric=leads&is.country=CA&cursor=x").On("health").ToString());

    [Theory]
    [InlineData("en-GB", 1234567.0, "1.23M", "1,234,567")]
    [InlineData("de-DE,de;q=0.9,en;q=0.8", 1234567.0, "1,23M", "1.234.567")]
    [InlineData("fr", 12345.0, "12\u202f345", "12\u202f345")]
    [InlineData("sv-SE", 99999.0, "99\u00a0999", "99\u00a0999")]
    [InlineData("tlh;q=1,de-CH;q=0.5", 12345.0, "12\u2019345", "12\u2019345")]
    [InlineData("", 100000.0, "100K", "100,000")]
    [InlineData("%%%", 5.0, "5", "5")]
    public void Numbers_are_written_as_the_viewer_does(string languages, double value, string count, string exact)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.AcceptLanguage = languages;
        var numbers = Numbers.For(context.Request);
        Assert.Equal((count, exact), (numbers.Count(value), numbers.Exact(value)));
    }

    [Theory]
    [InlineData(0.0, "0s")]
    [InlineData(59.4, "59s")]
    [InlineData(192.0, "3m 12s")]
    [InlineData(3_725.0, "1h 02m")]
    [InlineData(100_000.0, "1d 3h")]
    public void Durations_are_short(double seconds, string text) => Assert.Equal(text, Numbers.Duration(seconds));

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("/\u202egnp.exe", "/\u2423gnp.exe")]
    [InlineData("zero\u200bwidth\u0000", "zero\u2423width\u2423")]
    [InlineData("\ud83d\udc69\u200d\ud83d\ude80", "\ud83d\udc69\u200d\ud83d\ude80")]
    public void What_cannot_be_seen_is_made_visible(string text, string shown) => Assert.Equal(shown, Labels.Visible(text));

    private static Address Of(string query) =>
        Address.Of("shop", "", new QueryCollection(Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query).ToDictionary(q => q.Key, q => new StringValues(q.Value.ToArray()))));
}
