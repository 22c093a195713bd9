using System.Reflection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Footfall.Tests.Telemetry;

public sealed class EventIdTests
{
    [Fact]
    public void Each_line_of_the_log_has_an_id_of_its_own()
    {
        var ids = typeof(FootfallHost).Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(m => (Name: $"{m.DeclaringType!.Name}.{m.Name}", Id: m.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(m => m.Id is not null).ToList();
        Assert.NotEmpty(ids);
        Assert.Empty(ids.GroupBy(m => m.Id).Where(g => g.Count() > 1).Select(g => string.Join(", ", g.Select(m => m.Name))));
    }
}
