using Footfall.Tests.Infrastructure;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCaseOrderer(typeof(TestOrder))]

namespace Footfall.Tests.Infrastructure;

/// <summary>
/// The usual order of a class's tests, or with FOOTFALL_TEST_ORDER=reversed the other way round: a test that needs another one to have run
/// before it passes in one of the two orders alone.
/// </summary>
public sealed class TestOrder : ITestCaseOrderer
{
    private static readonly bool Reversed = Environment.GetEnvironmentVariable("FOOTFALL_TEST_ORDER") == "reversed";

    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases) where TTestCase : notnull, ITestCase
    {
        var usual = DefaultTestCaseOrderer.Instance.OrderTestCases(testCases);
        return Reversed ? [.. usual.Reverse()] : usual;
    }
}
