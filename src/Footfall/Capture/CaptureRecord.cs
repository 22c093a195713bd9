using System.Buffers;
using System.Text;

namespace Footfall.Capture;

/// <summary>How many events ended in one outcome, for the ingest figures of one property and UTC day.</summary>
/// <param name="PropertyId">The property, or the default property where the request named none that exists.</param>
/// <param name="Day">UTC day of arrival.</param>
/// <param name="Outcome"><c>rejected</c>, <c>dropped</c>, <c>lead_accepted</c> or <c>lead_rejected</c>.</param>
/// <param name="Reason">A code of a closed set: docs/api.md.</param>
/// <param name="Events">How many.</param>
public sealed record OutcomeCount(string PropertyId, DateOnly Day, string Outcome, string Reason, long Events);

/// <summary>
/// The payload of one journal record: the events of one request, or counts of what was turned away. Version 1:
/// a kind byte, then the fields in the order below; integers as little-endian base-128 varints, strings as
/// varint(byte length + 1) and UTF-8 bytes, 0 for null.
/// </summary>
public static class CaptureRecord
{
    private const byte EventsKind = 1;
    private const byte CountsKind = 2;

    public static void WriteEvents(IBufferWriter<byte> output, ReadOnlySpan<CapturedEvent> events)
    {
        var w = new Writer(output);
        w.Byte(EventsKind);
        w.Varint((ulong)events.Length);
        foreach (var e in events) Write(ref w, e);
    }

    public static void WriteCounts(IBufferWriter<byte> output, IReadOnlyCollection<OutcomeCount> counts)
    {
        var w = new Writer(output);
        w.Byte(CountsKind);
        w.Varint((ulong)counts.Count);
        foreach (var c in counts)
        {
            w.Text(c.PropertyId);
            w.Varint((ulong)c.Day.DayNumber);
            w.Text(c.Outcome);
            w.Text(c.Reason);
            w.Varint((ulong)c.Events);
        }
    }

    /// <summary>Adds what the payload holds to the two lists.</summary>
    /// <exception cref="InvalidDataException">The payload is not of a known kind, or ends early.</exception>
    public static void Read(ReadOnlySpan<byte> payload, ICollection<CapturedEvent> events, ICollection<OutcomeCount> counts)
    {
        var r = new Reader(payload);
        var kind = r.Byte();
        var n = (int)r.Varint();
        switch (kind)
        {
            case EventsKind:
                for (var i = 0; i < n; i++) events.Add(ReadEvent(ref r));
                break;
            case CountsKind:
                for (var i = 0; i < n; i++)
                {
                    counts.Add(new OutcomeCount(r.RequiredText(), DateOnly.FromDayNumber((int)r.Varint()), r.RequiredText(), r.RequiredText(), (long)r.Varint()));
                }
                break;
            default:
                throw new InvalidDataException($"A journal record is of kind {kind}, which this version of Footfall does not know.");
        }
    }

    private static void Write(ref Writer w, CapturedEvent e)
    {
        w.Guid(e.Id);
        w.Guid(e.VisitorId);
        w.Byte((byte)e.VisitorKind);
        w.Text(e.AnonId);
        w.Byte(e.DedupeKey is null ? (byte)0 : (byte)1);
        if (e.DedupeKey is { } key) w.Guid(key);
        w.Text(e.PropertyId);
        w.Text(e.EventType);
        w.Text(e.Path);
        w.Varint((ulong)e.OccurredAt.UtcTicks);
        w.Varint((ulong)e.ReceivedAt.UtcTicks);
        w.Bytes(e.IpHash);
        w.Bytes(e.UaHash);
        w.Text(e.Referrer);
        w.Text(e.ReferrerHost);
        w.Text(e.UtmSource);
        w.Text(e.UtmMedium);
        w.Text(e.UtmCampaign);
        w.Text(e.UtmTerm);
        w.Text(e.UtmContent);
        w.Byte((byte)e.TrafficSource);
        w.Byte((byte)e.DeviceType);
        w.Text(e.Browser);
        w.Text(e.Os);
        w.Text(e.CountryCode);
        w.Byte(e.IsConversion ? (byte)1 : (byte)0);
        w.Text(e.AccountId);
        w.Text(e.AccountUsername);
        w.Text(e.AccountDisplayName);
        w.Text(e.EntityType);
        w.Text(e.EntityId);
        w.Varint((ulong)e.EngagedMs);
        w.Bytes(e.Props);
    }

    private static CapturedEvent ReadEvent(ref Reader r) => new()
    {
        Id = r.Guid(),
        VisitorId = r.Guid(),
        VisitorKind = (VisitorKind)r.Byte(),
        AnonId = r.Text(),
        DedupeKey = r.Byte() == 0 ? null : r.Guid(),
        PropertyId = r.RequiredText(),
        EventType = r.RequiredText(),
        Path = r.Text(),
        OccurredAt = new DateTimeOffset((long)r.Varint(), TimeSpan.Zero),
        ReceivedAt = new DateTimeOffset((long)r.Varint(), TimeSpan.Zero),
        IpHash = r.Bytes(),
        UaHash = r.Bytes(),
        Referrer = r.Text(),
        ReferrerHost = r.Text(),
        UtmSource = r.Text(),
        UtmMedium = r.Text(),
        UtmCampaign = r.Text(),
        UtmTerm = r.Text(),
        UtmContent = r.Text(),
        TrafficSource = (TrafficSource)r.Byte(),
        DeviceType = (DeviceType)r.Byte(),
        Browser = r.Text(),
        Os = r.Text(),
        CountryCode = r.Text(),
        IsConversion = r.Byte() != 0,
        AccountId = r.Text(),
        AccountUsername = r.Text(),
        AccountDisplayName = r.Text(),
        EntityType = r.Text(),
        EntityId = r.Text(),
        EngagedMs = (int)r.Varint(),
        Props = r.Bytes(),
    };

    private readonly ref struct Writer(IBufferWriter<byte> output)
    {
        public void Byte(byte value)
        {
            output.GetSpan(1)[0] = value;
            output.Advance(1);
        }

        public void Varint(ulong value)
        {
            var span = output.GetSpan(10);
            var n = 0;
            for (; value >= 0x80; value >>= 7) span[n++] = (byte)(value | 0x80);
            span[n++] = (byte)value;
            output.Advance(n);
        }

        public void Guid(Guid value)
        {
            value.TryWriteBytes(output.GetSpan(16), bigEndian: true, out _);
            output.Advance(16);
        }

        public void Text(string? value)
        {
            if (value is null)
            {
                Byte(0);
                return;
            }
            var bytes = Encoding.UTF8.GetByteCount(value);
            Varint((ulong)bytes + 1);
            Encoding.UTF8.GetBytes(value, output.GetSpan(bytes));
            output.Advance(bytes);
        }

        public void Bytes(byte[]? value)
        {
            if (value is null)
            {
                Byte(0);
                return;
            }
            Varint((ulong)value.Length + 1);
            output.Write(value);
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> input)
    {
        private ReadOnlySpan<byte> rest = input;

        private ReadOnlySpan<byte> Take(int n)
        {
            if ((uint)n > (uint)rest.Length) throw new InvalidDataException("A journal record ends early.");
            var taken = rest[..n];
            rest = rest[n..];
            return taken;
        }

        public byte Byte() => Take(1)[0];

        public ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var b = Byte();
                value |= (ulong)(b & 0x7f) << shift;
                if (b < 0x80) return value;
            }
            throw new InvalidDataException("A journal record has an integer of more than 64 bits.");
        }

        public Guid Guid() => new(Take(16), bigEndian: true);

        public string? Text()
        {
            var n = Varint();
            return n == 0 ? null : Encoding.UTF8.GetString(Take((int)(n - 1)));
        }

        public string RequiredText() => Text() ?? throw new InvalidDataException("A journal record lacks a required text.");

        public byte[]? Bytes()
        {
            var n = Varint();
            return n == 0 ? null : Take((int)(n - 1)).ToArray();
        }
    }
}
