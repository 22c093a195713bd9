using System.Buffers;
using Footfall.Capture;
using Xunit;

namespace Footfall.Tests;

public sealed class CaptureRecordTests
{
    [Fact]
    public void An_event_comes_back_as_it_went_in()
    {
        var full = new CapturedEvent
        {
            Id = Guid.CreateVersion7(),
            VisitorId = Guid.NewGuid(),
            VisitorKind = VisitorKind.AnonId,
            AnonId = "anon-12345678",
            DedupeKey = Guid.NewGuid(),
            PropertyId = "shop",
            EventType = "page_view",
            Path = "/prix/\u20ac\ud83d\ude00",
            OccurredAt = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero),
            ReceivedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 6, 0, TimeSpan.Zero),
            IpHash = [1, 2, 3],
            UaHash = [],
            TrafficSource = TrafficSource.Social,
            DeviceType = DeviceType.Tablet,
            CountryCode = "CA",
            IsConversion = true,
            AccountId = "acc",
            EngagedMs = 86_400_000,
            Props = "{\"a\":1}"u8.ToArray(),
        };
        var buffer = new ArrayBufferWriter<byte>();
        CaptureRecord.WriteEvents(buffer, [full, full with { AnonId = null, DedupeKey = null, Props = null, Path = "" }]);
        List<CapturedEvent> events = [];
        CaptureRecord.Read(buffer.WrittenSpan, events, []);

        Assert.Equal(2, events.Count);
        Assert.Equivalent(full, events[0], strict: true);
        Assert.Null(events[1].Props);
        Assert.Equal("", events[1].Path);
    }

    [Fact]
    public void A_record_that_ends_early_is_refused_at_every_length()
    {
        var buffer = new ArrayBufferWriter<byte>();
        CaptureRecord.WriteCounts(buffer, [new OutcomeCount("shop", new DateOnly(2026, 1, 2), "rejected", "validation_failed", 300)]);
        for (var n = 0; n < buffer.WrittenCount; n++)
        {
            var cut = buffer.WrittenSpan[..n].ToArray();
            Assert.Throws<InvalidDataException>(() => CaptureRecord.Read(cut, [], []));
        }
    }
}
