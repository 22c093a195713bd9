using System.Net;
using System.Text;

namespace Footfall.Tests.Capture;

/// <summary>Writes tiny MaxMind DB files, the second of two equal countries as a pointer to the first.</summary>
internal static class MmdbWriter
{
    public static byte[] Write(int recordBits, int ipVersion, bool nested, params (string Address, int Bits, string Country)[] networks)
    {
        List<long[]> nodes = [[-1, -1]];        // -1 nothing, >= 0 a node, <= -2 a value
        List<byte> data = [];
        foreach (var (text, bits, country) in networks)
        {
            var address = IPAddress.Parse(text).GetAddressBytes();
            var path = Enumerable.Range(0, ipVersion == 6 ? 96 : 0).Select(_ => 0).Concat(Enumerable.Range(0, bits).Select(i => (address[i / 8] >> (7 - (i % 8))) & 1)).ToArray();
            var node = 0;
            foreach (var bit in path[..^1])
            {
                if (nodes[node][bit] == -1)
                {
                    nodes.Add([-1, -1]);
                    nodes[node][bit] = nodes.Count - 1;
                }
                node = (int)nodes[node][bit];
            }
            nodes[node][path[^1]] = -2 - Value(data, country, nested);
        }

        List<byte> file = [];
        foreach (var node in nodes)
        {
            var (left, right) = (Record(node[0]), Record(node[1]));
            switch (recordBits)
            {
                case 24:
                    Big(file, left, 3);
                    Big(file, right, 3);
                    break;
                case 28:
                    Big(file, left & 0xFFFFFF, 3);
                    file.Add((byte)(((left >> 24) << 4) | (right >> 24)));
                    Big(file, right & 0xFFFFFF, 3);
                    break;
                default:
                    Big(file, left, 4);
                    Big(file, right, 4);
                    break;
            }
        }
        file.AddRange(new byte[16]);
        file.AddRange(data);
        file.AddRange([0xAB, 0xCD, 0xEF]);
        file.AddRange(Encoding.ASCII.GetBytes("MaxMind.com"));
        Map(file, 7);
        Text(file, "languages");
        file.AddRange([0x01, 0x04]);        // an array of one
        Text(file, "en");
        Text(file, "build_epoch");
        file.AddRange([0x04, 0x02, 1, 2, 3, 4]);
        Text(file, "binary_format_major_version");
        file.AddRange([0xA1, 2]);
        Text(file, "node_count");
        file.AddRange([0xC4]);
        Big(file, nodes.Count, 4);
        Text(file, "record_size");
        file.AddRange([0xA1, (byte)recordBits]);
        Text(file, "ip_version");
        file.AddRange([0xA1, (byte)ipVersion]);
        Text(file, "description");
        Text(file, "a test");
        return [.. file];

        long Record(long record) => record switch { -1 => nodes.Count, >= 0 => record, _ => nodes.Count + 16 + (-2 - record) };
    }

    private static int Value(List<byte> data, string country, bool nested)
    {
        // A long value in front of the one that is looked for, to be skipped; the key stands behind a pointer.
        var key = data.Count;
        Text(data, nested ? "iso_code" : "country_code");
        var value = data.Count;
        if (nested)
        {
            Map(data, 2);
            Text(data, "continent");
            Map(data, 1);
            Text(data, "names");
            Text(data, new string('n', 300));
            Text(data, "country");
        }
        Map(data, 2);
        Text(data, "geoname_id");
        data.AddRange([0xC2, 1, 2]);
        data.AddRange([(byte)(0x20 | (key >> 8)), (byte)key]);       // a pointer of 11 bits
        Text(data, country);
        return value;
    }

    private static void Map(List<byte> to, int pairs) => to.Add((byte)(0xE0 | pairs));

    private static void Text(List<byte> to, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length < 29) to.Add((byte)(0x40 | bytes.Length));
        else if (bytes.Length < 285) to.AddRange([0x40 | 29, (byte)(bytes.Length - 29)]);
        else to.AddRange([0x40 | 30, (byte)((bytes.Length - 285) >> 8), (byte)(bytes.Length - 285)]);
        to.AddRange(bytes);
    }

    private static void Big(List<byte> to, long value, int bytes)
    {
        for (var shift = (bytes - 1) * 8; shift >= 0; shift -= 8) to.Add((byte)(value >> shift));
    }
}
