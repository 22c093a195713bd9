using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Footfall.Capture;

/// <summary>A client's props, rewritten compactly.</summary>
/// <param name="Members">The members without the braces, in UTF-8; may be empty.</param>
/// <param name="Title">The JSON value of a <c>title</c> among them: kept unless the event has a title of its own.</param>
internal sealed record ClientProps(byte[] Members, byte[]? Title);

/// <summary>Reads <c>props</c>: an object of up to 30 keys and 8 KiB, nested as one likes, that PostgreSQL's jsonb can hold.</summary>
internal static class PropsReader
{
    public const int MaxKeys = 30;
    public const int MaxBytes = 8 * 1024;
    public const int MaxKeyCharacters = 120;
    private const int MaxExponentDigits = 308;

    /// <summary>What the server writes: a client's value of that name would stand for a measurement that was never checked.</summary>
    private static readonly byte[][] Reserved =
        [.. PropNames.Measured.Select(Encoding.UTF8.GetBytes)];

    /// <param name="name">What issues call the object.</param>
    public static ClientProps? Read(ref Utf8JsonReader reader, FieldContext context, string name = EventFields.Props)
    {
        if (reader.TokenType == JsonTokenType.Null) return null;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            context.Add(name, IssueCodes.ExpectedObject, $"expected an object of at most {MaxKeys} keys and {MaxBytes} bytes");
            return null;
        }
        var scratch = ArrayPool<byte>.Shared.Rent(MaxBytes * 2);
        try
        {
            return Rewrite(ref reader, new Members(scratch), context, name);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private static ClientProps? Rewrite(ref Utf8JsonReader reader, Members members, FieldContext context, string name)
    {
        var valid = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (!valid)
            {
                reader.Skip();      // one issue is enough; the rest is only read to its end
                continue;
            }
            if (Problem(ref reader, ref members) is { } problem)
            {
                context.Add(problem.Key is null ? name : $"{name}.{problem.Key}", problem.Code, problem.Message);
                valid = false;
            }
        }
        if (valid && members.Bytes > MaxBytes)
        {
            var problem = TooLarge();
            context.Add(name, problem.Code, problem.Message);
            valid = false;
        }
        return valid && members.Count > 0 ? members.Build() : null;
    }

    private readonly record struct PropProblem(string? Key, string Code, string Message);

    /// <summary>Takes one member over; where that cannot be, says why, the reader standing at the member's end or inside it (which the caller's skipping then finishes).</summary>
    private static PropProblem? Problem(ref Utf8JsonReader reader, ref Members members)
    {
        if (KeyProblem(ref reader) is { } keyProblem) return keyProblem;
        if (!members.Begin(ref reader)) return TooLarge();
        if (members.Count > MaxKeys) return new PropProblem(null, IssueCodes.TooManyKeys, $"at most {MaxKeys} keys are allowed");
        reader.Read();
        var depth = reader.CurrentDepth;
        var comma = false;
        PropProblem? problem = null;
        do
        {
            // An error inside does not end the walk: the reader must come to the member's end.
            if (problem is null) problem = Token(ref reader, ref members, ref comma);
        }
        while (!(reader.CurrentDepth == depth && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) && reader.Read());
        if (problem is not null) return problem;
        members.End();
        return null;
    }

    private static PropProblem? Token(ref Utf8JsonReader reader, ref Members members, ref bool comma)
    {
        var needsComma = comma && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray);
        if (needsComma && !members.Write(","u8)) return TooLarge();
        comma = reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
        var fits = true;
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                if (KeyProblem(ref reader) is { } keyProblem) return keyProblem with { Key = members.CurrentKey };
                fits = members.WriteQuoted(reader.ValueSpan) && members.Write(":"u8);
                break;
            case JsonTokenType.String:
                if (reader.ValueIsEscaped && !JsonText.IsStorable(reader.ValueSpan))
                {
                    return new PropProblem(members.CurrentKey, IssueCodes.InvalidCharacters, "NUL and unpaired surrogates are not allowed");
                }
                fits = members.WriteQuoted(reader.ValueSpan);
                break;
            case JsonTokenType.Number:
                if (!IsStorable(reader.ValueSpan, ref reader)) return new PropProblem(members.CurrentKey, IssueCodes.OutOfRange, $"expected a number of a size below 1e{MaxExponentDigits}");
                fits = members.Write(reader.ValueSpan);
                break;
            default:
                fits = members.Write(reader.ValueSpan);     // brackets, true, false, null
                break;
        }
        return fits ? null : TooLarge();
    }

    /// <summary>Whether both numeric (16,383 decimals) and double hold it: <c>1e400</c> and <c>1e-99999</c> are numbers in JSON only.</summary>
    private static bool IsStorable(ReadOnlySpan<byte> number, ref Utf8JsonReader reader)
    {
        if (!reader.TryGetDouble(out var value) || !double.IsFinite(value)) return false;
        var e = number.IndexOfAny((byte)'e', (byte)'E');
        if (e < 0) return true;
        var digits = number[(e + 1)..].TrimStart("+-"u8).TrimStart((byte)'0');
        return digits.Length < 3 || (digits.Length == 3 && int.Parse(digits) <= MaxExponentDigits);
    }

    private static PropProblem? KeyProblem(ref Utf8JsonReader reader)
    {
        var raw = reader.ValueSpan;
        if (reader.ValueIsEscaped && !JsonText.IsStorable(raw))
        {
            return new PropProblem(null, IssueCodes.InvalidCharacters, "NUL and unpaired surrogates are not allowed in a key");
        }
        if (raw.Length <= MaxKeyCharacters) return null;
        return raw.Length > 12 * MaxKeyCharacters || reader.GetString()!.EnumerateRunes().Count() > MaxKeyCharacters
            ? new PropProblem(null, IssueCodes.TooLong, $"a key may have at most {MaxKeyCharacters} characters")
            : null;
    }

    private static PropProblem TooLarge() => new(null, IssueCodes.TooLarge, $"may take up at most {MaxBytes} bytes of compact JSON");

    /// <summary>The members as they are written, one behind the other, with their places, so that a repeated key replaces the earlier one.</summary>
    private ref struct Members(byte[] scratch)
    {
        private readonly List<Member> list = new(8);
        private int length;

        public readonly int Count => list.Count;

        private readonly record struct Member(int Start, int KeyLength, int End);

        public readonly string CurrentKey
        {
            get
            {
                var member = list[^1];
                using var key = JsonDocument.Parse(new ReadOnlyMemory<byte>(scratch, member.Start, member.KeyLength + 2));
                return key.RootElement.GetString()!;
            }
        }

        public bool Begin(ref Utf8JsonReader reader)
        {
            var start = length;
            // A key is compared in one spelling, and "\u0061" is "a".
            var key = reader.ValueIsEscaped ? JsonEncodedText.Encode(reader.GetString()!, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes : reader.ValueSpan;
            if (!WriteQuoted(key)) return false;
            for (var i = 0; i < list.Count; i++)
            {
                if (Key(list[i]).SequenceEqual(key))
                {
                    list.RemoveAt(i);
                    break;
                }
            }
            list.Add(new Member(start, key.Length, 0));
            return Write(":"u8);
        }

        public readonly void End() => list[^1] = list[^1] with { End = length };

        public bool WriteQuoted(ReadOnlySpan<byte> text) => Write("\""u8) && Write(text) && Write("\""u8);

        // Repeated keys and their values take scratch too: twice the limit is room enough for honest bodies.
        public bool Write(ReadOnlySpan<byte> bytes)
        {
            if (length + bytes.Length > MaxBytes * 2) return false;
            bytes.CopyTo(scratch.AsSpan(length));
            length += bytes.Length;
            return true;
        }

        public readonly int Bytes
        {
            get
            {
                var n = 2;
                foreach (var m in list) n += m.End - m.Start + 1;
                return n - 1;
            }
        }

        public readonly ClientProps Build()
        {
            byte[]? title = null;
            var buffer = new byte[Math.Max(0, Bytes - 2)];
            var n = 0;
            foreach (var m in list)
            {
                if (Key(m).SequenceEqual("title"u8))
                {
                    title = scratch[(m.Start + m.KeyLength + 3)..m.End];
                    continue;
                }
                if (IsReserved(Key(m))) continue;
                if (n > 0) buffer[n++] = (byte)',';
                scratch.AsSpan(m.Start, m.End - m.Start).CopyTo(buffer.AsSpan(n));
                n += m.End - m.Start;
            }
            return new ClientProps(n == buffer.Length ? buffer : buffer[..n], title);
        }

        private readonly ReadOnlySpan<byte> Key(Member m) => scratch.AsSpan(m.Start + 1, m.KeyLength);

        private static bool IsReserved(ReadOnlySpan<byte> key)
        {
            foreach (var name in Reserved)
            {
                if (key.SequenceEqual(name)) return true;
            }
            return false;
        }
    }
}
