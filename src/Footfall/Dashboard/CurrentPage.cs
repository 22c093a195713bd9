using System.Globalization;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Explore;
using Footfall.Metrics;
using Microsoft.AspNetCore.Antiforgery;

namespace Footfall.Dashboard;

/// <summary>What every page of a property knows: who looks, at what, and how they write numbers. Filled before the page's handler runs.</summary>
internal sealed class CurrentPage(TimeProvider clock)
{
    private object? model;

    public HttpContext Context { get; private set; } = null!;
    public Caller Caller { get; private set; } = null!;
    public PropertyTitle Property { get; private set; } = null!;
    public IReadOnlyList<PropertyTitle> Properties { get; private set; } = [];
    public PropertyState State { get; private set; } = null!;
    public Address Address { get; private set; } = null!;
    public Period Period { get; private set; } = null!;

    /// <summary>There is nothing to compare with, although that was asked for: the other days begin before the property's first figures.</summary>
    public bool IsUncompared { get; private set; }

    public IReadOnlyList<Filter> Filters { get; private set; } = [];
    public Numbers Numbers { get; private set; } = null!;
    public TimeZoneInfo Zone { get; private set; } = TimeZoneInfo.Utc;

    public DateTimeOffset Now { get; } = clock.GetUtcNow();

    public DateOnly Today => DateOnly.FromDateTime(Now.UtcDateTime);

    public bool IsAdmin => Caller.Role == AccessRole.Admin;

    /// <summary>Whether the reader has no key but a shared link, which shows figures and changes nothing.</summary>
    public bool IsShared { get; private set; }

    /// <summary>Whether the reader's key is for every property.</summary>
    public bool IsWhole => Caller.PropertyId is null;

    /// <summary>For the forms of the page.</summary>
    public string FormToken => Context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(Context).RequestToken!;

    /// <summary>What is wrong with the address, as a sentence; null when it can be shown.</summary>
    /// <param name="root">What the addresses of a shared link begin with; null for who has shown a key.</param>
    public string? Fill(HttpContext context, Caller caller, IReadOnlyList<PropertyTitle> properties, PropertyTitle property, PropertyState state, string page, string? root = null)
    {
        (Context, Caller, Properties, Property, State) = (context, caller, properties, property, state);
        Address = Address.Of(property.Id, page, context.Request.Query);
        if (root is not null) (Address, IsShared) = (Address with { Root = root }, true);
        Numbers = Numbers.For(context.Request);
        if (TimeZoneInfo.TryFindSystemTimeZoneById(property.TimeZone, out var zone)) Zone = zone;
        (Period, var problem) = Period.Read(Address, Today);
        CompareOnlyWhatWasCounted();
        (Filters, var other) = Address.Filters();
        return problem ?? other;
    }

    /// <summary>For what is made without anybody looking: a report by mail. There is no request, and numbers are written as in English.</summary>
    public void FillForReport(PropertyTitle property, PropertyState state, Period period)
    {
        (Property, Properties, State, Period, Numbers) = (property, [property], state, period, Numbers.Usual);
        Address = new Address(property.Id, "", [new("from", period.Days.From.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)), new("to", period.Days.To.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))]);
        if (TimeZoneInfo.TryFindSystemTimeZoneById(property.TimeZone, out var zone)) Zone = zone;
        CompareOnlyWhatWasCounted();
    }

    // Days of which nothing is known are not days without visitors: beside them everything would look as if it had grown.
    private void CompareOnlyWhatWasCounted()
    {
        if (Period.CompareTo is not { } then || (State.FirstDay is { } first && first <= then.From)) return;
        (Period, IsUncompared) = (Period with { CompareTo = null }, true);
    }

    /// <summary>Shows the same days with another choice of tabs.</summary>
    public void Choose(string name, string value) => Address = Address.With(name, value);

    public void Show<T>(T shown) where T : class => model = shown;

    public T Shown<T>() where T : class => (T)model!;

    /// <summary>light or dark where the reader chose; else as the system has it.</summary>
    public static string? Theme(HttpContext context) => context.Request.Cookies["footfall_theme"] is "light" or "dark" ? context.Request.Cookies["footfall_theme"] : null;

    /// <summary>A time of day in the property's zone.</summary>
    public string Time(DateTimeOffset at, string format = "d MMM HH:mm") => TimeZoneInfo.ConvertTime(at, Zone).ToString(format, CultureInfo.InvariantCulture);

    public static string Utc(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>"40 s ago".</summary>
    public string Ago(DateTimeOffset at)
    {
        var seconds = Math.Max(0, (Now - at).TotalSeconds);
        return seconds < 120 ? $"{seconds:0} s ago" : seconds < 7_200 ? $"{seconds / 60:0} min ago" : seconds < 172_800 ? $"{seconds / 3_600:0} h ago" : $"{seconds / 86_400:0} days ago";
    }
}
