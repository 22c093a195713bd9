using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Footfall.Leads;

internal enum DnsType : ushort
{
    A = 1,
    Mx = 15,
    Aaaa = 28,
}

/// <param name="Code">RCODE: 0 no error, 3 no such name.</param>
/// <param name="Answers">Records of the type asked for.</param>
/// <param name="NullMx">One MX record with the root as its host: no mail is taken.</param>
internal sealed record DnsAnswer(int Code, int Answers, bool NullMx)
{
    public const int NoError = 0;
    public const int NoSuchName = 3;
}

/// <summary>As much of DNS messages (RFC 1035, 4) as a question for mail hosts needs.</summary>
internal static class DnsMessage
{
    private const int HeaderBytes = 12;
    private const ushort Internet = 1;

    public static byte[] Question(string domain, DnsType type)
    {
        var name = new List<byte>(domain.Length + 2);
        foreach (var label in domain.Split('.'))
        {
            name.Add((byte)label.Length);
            name.AddRange(Encoding.ASCII.GetBytes(label));
        }
        name.Add(0);
        var message = new byte[HeaderBytes + name.Count + 4];
        RandomNumberGenerator.Fill(message.AsSpan(0, 2));
        message[2] = 1;      // recursion desired
        message[5] = 1;      // one question
        name.CopyTo(message, HeaderBytes);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(HeaderBytes + name.Count), (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(HeaderBytes + name.Count + 2), Internet);
        return message;
    }

    /// <summary>Null when the message is no answer to the question.</summary>
    public static DnsAnswer? Answer(ReadOnlySpan<byte> message, ReadOnlySpan<byte> question)
    {
        if (message.Length < question.Length || !message[..2].SequenceEqual(question[..2]) || message[2] < 0x80 || !message[HeaderBytes..question.Length].SequenceEqual(question[HeaderBytes..])) return null;
        var type = BinaryPrimitives.ReadUInt16BigEndian(question[^4..]);
        var code = message[3] & 0x0F;
        var records = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        var (found, nullMx) = (0, false);
        var at = question.Length;
        for (var i = 0; i < records; i++)
        {
            if ((at = AfterName(message, at)) < 0 || at + 10 > message.Length) return null;
            var isAsked = BinaryPrimitives.ReadUInt16BigEndian(message[at..]) == type;
            var length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
            at += 10;
            if (at + length > message.Length) return null;
            if (isAsked)
            {
                found++;
                nullMx |= type == (ushort)DnsType.Mx && length == 3 && message[at + 2] == 0;
            }
            at += length;
        }
        return new DnsAnswer(code, found, nullMx && found == 1);
    }

    /// <summary>Where a name ends: at a zero, or behind a pointer. -1 when it runs out of the message.</summary>
    private static int AfterName(ReadOnlySpan<byte> message, int at)
    {
        while (at < message.Length)
        {
            var length = message[at];
            if (length == 0) return at + 1;
            if (length >= 0xC0) return at + 2;
            at += length + 1;
        }
        return -1;
    }
}
