using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Footfall.Capture;

/// <summary>
/// Reads countries out of a MaxMind DB file, version 2.0 (https://maxmind.github.io/MaxMind-DB/): a binary tree over the
/// bits of an address, whose leaves point into a section of typed values. Every offset is checked: a broken file makes
/// <see cref="InvalidDataException"/>, and nothing else. The file's bytes are only read; one reader serves all threads.
/// </summary>
internal sealed class MmdbReader
{
    private const int SeparatorBytes = 16;
    private const int MaxMetadataBytes = 128 * 1024;
    private const int MaxDepth = 32;
    private const int MaxSteps = 10_000;

    private readonly byte[] data;
    private readonly uint nodeCount;
    private readonly int recordBits;
    private readonly int ipVersion;
    private readonly int treeBytes;
    private readonly int dataEnd;
    private readonly uint ipv4Start;

    private static ReadOnlySpan<byte> MetadataMarker => [0xAB, 0xCD, 0xEF, (byte)'M', (byte)'a', (byte)'x', (byte)'M', (byte)'i', (byte)'n', (byte)'d', (byte)'.', (byte)'c', (byte)'o', (byte)'m'];

    /// <exception cref="InvalidDataException">Not a MaxMind DB file of version 2, or a broken one.</exception>
    public MmdbReader(byte[] data)
    {
        this.data = data;
        var searched = Math.Max(0, data.Length - MaxMetadataBytes);
        var marker = data.AsSpan(searched).LastIndexOf(MetadataMarker);
        if (marker < 0) throw new InvalidDataException("It is no MaxMind DB file: it has no metadata.");
        dataEnd = searched + marker;

        var metadata = new Cursor(data, dataEnd + MetadataMarker.Length, dataEnd + MetadataMarker.Length, data.Length);
        nodeCount = (uint)metadata.Child("node_count").UInt64(uint.MaxValue);
        recordBits = (int)metadata.Child("record_size").UInt64(32);
        ipVersion = (int)metadata.Child("ip_version").UInt64(6);
        var major = metadata.Child("binary_format_major_version").UInt64(ushort.MaxValue);
        if (major != 2) throw new InvalidDataException($"It is a MaxMind DB file of version {major}; version 2 is read.");
        if (recordBits is not (24 or 28 or 32)) throw new InvalidDataException($"It has records of {recordBits} bits; 24, 28 and 32 are known.");
        if (ipVersion is not (4 or 6)) throw new InvalidDataException($"It has addresses of IP version {ipVersion}.");
        var bytes = (long)nodeCount * recordBits / 4;
        if (bytes + SeparatorBytes > dataEnd) throw new InvalidDataException("Its search tree is larger than the file.");
        treeBytes = (int)bytes;
        ipv4Start = ipVersion == 6 ? SkipToIPv4() : 0;
    }

    /// <summary>ISO 3166-1 code of two letters: <c>country.iso_code</c> of MaxMind's databases, or <c>country_code</c>; null where the database knows none.</summary>
    /// <exception cref="InvalidDataException">The file is broken.</exception>
    public string? Country(IPAddress address)
    {
        if (Find(address) is not { } offset) return null;
        var record = new Cursor(data, offset, treeBytes + SeparatorBytes, dataEnd);
        var country = record.TryChild("country", out var nested) ? nested : default;
        return (country.IsSet && country.TryChild("iso_code", out var code) ? code : record.TryChild("country_code", out code) ? code : default) is { IsSet: true } found
            ? found.Text() : null;
    }

    /// <summary>Where the address's value begins in the file.</summary>
    private int? Find(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var isV4 = address.AddressFamily == AddressFamily.InterNetwork;
        if (!isV4 && ipVersion == 4) return null;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        var node = isV4 ? ipv4Start : 0;
        for (var bit = 0; bit < length * 8 && node < nodeCount; bit++)
        {
            node = Record(node, (bytes[bit >> 3] >> (7 - (bit & 7))) & 1);
        }
        if (node == nodeCount) return null;
        if (node < nodeCount) throw new InvalidDataException("Its search tree goes deeper than an address.");
        var offset = (long)node - nodeCount + treeBytes;
        if (offset < treeBytes + SeparatorBytes || offset >= dataEnd) throw new InvalidDataException("Its search tree points outside of the file.");
        return (int)offset;
    }

    /// <summary>IPv4 addresses stand below 96 zero bits.</summary>
    private uint SkipToIPv4()
    {
        uint node = 0;
        for (var i = 0; i < 96 && node < nodeCount; i++) node = Record(node, 0);
        return node;
    }

    private uint Record(uint node, int side)
    {
        var at = (int)((long)node * recordBits / 4);
        return recordBits switch
        {
            24 => UInt24(at + (side * 3)),
            28 when side == 0 => ((uint)(data[at + 3] & 0xF0) << 20) | UInt24(at),
            28 => ((uint)(data[at + 3] & 0x0F) << 24) | UInt24(at + 4),
            _ => BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(at + (side * 4), 4)),
        };
    }

    private uint UInt24(int at) => ((uint)data[at] << 16) | ((uint)data[at + 1] << 8) | data[at + 2];

    private enum Kind
    {
        Pointer = 1,
        Text = 2,
        Double = 3,
        Bytes = 4,
        UInt16 = 5,
        UInt32 = 6,
        Map = 7,
        Int32 = 8,
        UInt64 = 9,
        UInt128 = 10,
        Array = 11,
        Container = 12,
        End = 13,
        Boolean = 14,
        Float = 15,
    }

    /// <summary>A value of the data section, its pointer followed.</summary>
    private readonly struct Cursor
    {
        /// <summary>The next byte says which, from <see cref="Kind.Int32"/> on.</summary>
        private const int Extended = 0;

        private readonly byte[] data;
        private readonly int start;     // of the section: pointers count from here
        private readonly int end;
        private readonly Kind kind;
        private readonly int size;
        private readonly int payload;

        public Cursor(byte[] data, int at, int start, int end)
        {
            (this.data, this.start, this.end) = (data, start, end);
            (kind, size, payload) = Header(at);
            if (kind != Kind.Pointer) return;
            (kind, size, payload) = Header(PointerTarget());
            if (kind == Kind.Pointer) throw new InvalidDataException("It has a pointer to a pointer.");
        }

        public bool IsSet => data is not null;

        public bool TryChild(string key, out Cursor child)
        {
            child = default;
            if (kind != Kind.Map) return false;
            var at = payload;
            var steps = 0;
            for (var i = 0; i < size; i++)
            {
                var name = new Cursor(data, at, start, end);
                var value = Skip(at, 0, ref steps);
                if (name.kind == Kind.Text && name.Is(key))
                {
                    child = new Cursor(data, value, start, end);
                    return true;
                }
                at = Skip(value, 0, ref steps);
            }
            return false;
        }

        public Cursor Child(string key) =>
            TryChild(key, out var child) ? child : throw new InvalidDataException($"Its metadata have no {key}.");

        public string Text() => kind == Kind.Text ? Encoding.UTF8.GetString(Slice(payload, size)) : throw new InvalidDataException("It has something else where a text belongs.");

        public ulong UInt64(ulong max)
        {
            if (kind is not (Kind.UInt16 or Kind.UInt32 or Kind.UInt64) || size > 8) throw new InvalidDataException("It has something else where a number belongs.");
            ulong value = 0;
            foreach (var b in Slice(payload, size)) value = (value << 8) | b;
            return value <= max ? value : throw new InvalidDataException("It has a number beyond what the format allows.");
        }

        private bool Is(string key) => Slice(payload, size).SequenceEqual(Encoding.UTF8.GetBytes(key));

        private ReadOnlySpan<byte> Slice(int at, int length)
        {
            if (at < start || length < 0 || length > end - at) throw new InvalidDataException("It ends inside of a value.");
            return data.AsSpan(at, length);
        }

        /// <summary>The place behind the value that begins at <paramref name="at"/>; a pointer is one value, wherever it points.</summary>
        private int Skip(int at, int depth, ref int steps)
        {
            if (depth > MaxDepth || ++steps > MaxSteps) throw new InvalidDataException("Its values are nested too deeply.");
            var (itsKind, itsSize, itsPayload) = Header(at);
            switch (itsKind)
            {
                case Kind.Pointer:
                    return itsPayload + PointerBytes(itsSize);
                case Kind.Boolean or Kind.End or Kind.Container:
                    return itsPayload;
                case Kind.Map or Kind.Array:
                    var count = itsKind == Kind.Map ? itsSize * 2 : itsSize;
                    for (var i = 0; i < count; i++) itsPayload = Skip(itsPayload, depth + 1, ref steps);
                    return itsPayload;
                default:
                    Slice(itsPayload, itsSize);
                    return itsPayload + itsSize;
            }
        }

        /// <summary>For a pointer, Size is the lower five bits of its control byte.</summary>
        private (Kind Kind, int Size, int Payload) Header(int at)
        {
            var control = Slice(at, 1)[0];
            at++;
            var itsKind = (Kind)(control >> 5);
            var itsSize = control & 0x1F;
            if (itsKind == Kind.Pointer) return (itsKind, itsSize, at);
            if ((int)itsKind == Extended)
            {
                itsKind = (Kind)(Slice(at, 1)[0] + 7);
                at++;
                if (itsKind is <= Kind.Map or > Kind.Float) throw new InvalidDataException("It has a value of an unknown type.");
            }
            switch (itsSize)
            {
                case 29:
                    itsSize = 29 + Slice(at, 1)[0];
                    at += 1;
                    break;
                case 30:
                    itsSize = 285 + BinaryPrimitives.ReadUInt16BigEndian(Slice(at, 2));
                    at += 2;
                    break;
                case 31:
                    var three = Slice(at, 3);
                    itsSize = 65_821 + ((three[0] << 16) | (three[1] << 8) | three[2]);
                    at += 3;
                    break;
            }
            return (itsKind, itsSize, at);
        }

        private static int PointerBytes(int control) => ((control >> 3) & 3) + 1;

        private int PointerTarget()
        {
            var bytes = Slice(payload, PointerBytes(size));
            var high = (long)(size & 7);
            var target = bytes.Length switch
            {
                1 => (high << 8) | bytes[0],
                2 => 2048 + ((high << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes)),
                3 => 526_336 + ((high << 24) | ((long)bytes[0] << 16) | ((long)bytes[1] << 8) | bytes[2]),
                _ => BinaryPrimitives.ReadUInt32BigEndian(bytes),
            };
            return target < end - start ? start + (int)target : throw new InvalidDataException("It has a pointer that leads outside of the file.");
        }
    }
}
