using System.Reflection;
using System.Reflection.Emit;
using System.Text.RegularExpressions;
using Xunit;

namespace Footfall.Tests;

/// <summary>Which room may know which. An event goes through the rooms in one direction, and so does knowledge.</summary>
public sealed partial class RoomTests
{
    /// <summary>In the order in which an event meets them; to the right, the earlier rooms that a room uses today. Every room may use Hosting.</summary>
    private static readonly (string Room, string[] Knows)[] Rooms =
    [
        ("Hosting", []),
        ("Postgres", []),
        ("Access", ["Postgres"]),
        ("Capture", ["Postgres", "Access"]),
        ("Tracker", ["Capture"]),
        ("Journal", ["Capture"]),
        ("Ingestion", ["Postgres", "Capture", "Journal"]),
        ("Leads", ["Postgres", "Access", "Capture", "Journal", "Ingestion"]),
        ("Backups", ["Postgres", "Access", "Journal", "Ingestion", "Leads"]),
        ("Definitions", ["Postgres", "Access", "Capture"]),
        ("Rollups", ["Postgres", "Capture", "Ingestion", "Leads", "Backups", "Definitions"]),
        ("Segments", ["Postgres", "Leads", "Rollups"]),
        ("Explore", ["Postgres", "Segments"]),
        ("Metrics", ["Postgres", "Access", "Capture", "Journal", "Ingestion", "Definitions", "Rollups", "Explore"]),
        ("Telemetry", ["Access", "Metrics"]),
        ("Demo", ["Capture", "Ingestion", "Leads", "Rollups"]),
        ("Dashboard", ["Postgres", "Access", "Capture", "Journal", "Leads", "Backups", "Definitions", "Rollups", "Explore", "Metrics", "Demo"]),
        ("Cli", ["Postgres", "Access", "Capture", "Ingestion", "Leads", "Backups", "Definitions", "Rollups", "Telemetry", "Demo"]),
    ];

    private static readonly string[] Buckets = ["Services", "Models", "Helpers", "Utils", "Common", "Manager", "Base"];

    private static readonly OpCode[] OpCodesByValue = [.. typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (OpCode)f.GetValue(null)!)];
    private static readonly Dictionary<short, OpCode> ByValue = OpCodesByValue.ToDictionary(o => o.Value);

    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    [Fact]
    public void No_room_knows_one_that_comes_after_it()
    {
        var order = Rooms.Select(r => r.Room).ToList();
        foreach (var (room, knows) in Rooms) Assert.All(knows, k => Assert.True(order.IndexOf(k) >= 0 && order.IndexOf(k) < order.IndexOf(room), $"The table lets {room} know {k}, which comes after it."));
    }

    [Fact]
    public void No_type_uses_a_room_that_its_own_may_not_know()
    {
        var arrows = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in typeof(FootfallHost).Assembly.GetTypes())
        {
            if (RoomOf(type) is not { } room) continue;
            foreach (var used in UsedBy(type).SelectMany(Parts))
            {
                if (RoomOf(used) is { } other && !MayKnow(room, other)) arrows.Add($"{room} -> {other}: {Outer(type).FullName} uses {Outer(used).FullName}");
            }
        }
        Assert.True(arrows.Count == 0, $"New arrows between rooms. Move the code to the later room or hand the data over; only if the arrow is right, add it to the table in {nameof(RoomTests)}:\n{string.Join('\n', arrows)}");
    }

    // Constants leave no trace in compiled code: there the source tells.
    [Fact]
    public void No_file_names_a_room_that_its_own_may_not_know()
    {
        List<string> arrows = [];
        foreach (var file in SourceFiles())
        {
            var relative = Path.GetRelativePath(Source(), file);
            var room = relative.Split(Path.DirectorySeparatorChar)[0];
            if (room.EndsWith(".cs", StringComparison.Ordinal)) continue;   // the host knows everyone
            Assert.True(Rooms.Any(r => r.Room == room), $"{relative} lies in a folder that is no room. The rooms are those of the table in {nameof(RoomTests)}.");
            foreach (Match match in RoomName().Matches(File.ReadAllText(file)))
            {
                var other = match.Groups[1].Value;
                if (Rooms.Any(r => r.Room == other) && !MayKnow(room, other)) arrows.Add($"{room} -> {other}: {relative}");
            }
        }
        Assert.True(arrows.Count == 0, $"New arrows between rooms:\n{string.Join('\n', arrows.Distinct())}");
    }

    [Fact]
    public void No_folder_is_a_bucket()
    {
        var folders = SourceFiles().Concat(Directory.EnumerateFiles(Path.Combine(Root(), "tests"), "*.cs", SearchOption.AllDirectories))
            .SelectMany(f => Path.GetRelativePath(Root(), f).Split(Path.DirectorySeparatorChar)[..^1]);
        Assert.Empty(folders.Intersect(Buckets, StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public void A_namespace_is_its_folder()
    {
        foreach (var file in SourceFiles())
        {
            var folder = Path.GetDirectoryName(Path.GetRelativePath(Source(), file))!;
            var expected = string.Join('.', folder.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Prepend("Footfall"));
            if (Namespace().Match(File.ReadAllText(file)) is { Success: true } match) Assert.True(expected == match.Groups[1].Value, $"{Path.GetRelativePath(Root(), file)} is in namespace {match.Groups[1].Value}; its folder says {expected}.");
        }
    }

    [Fact]
    public void An_arrow_in_a_method_body_is_seen() =>
        Assert.Contains(typeof(Footfall.Journal.JournalPosition), UsedBy(typeof(BodyOnly)).SelectMany(Parts));

    private static class BodyOnly
    {
        public static bool Method() => Footfall.Journal.JournalPosition.Start == default;
    }

    private static bool MayKnow(string room, string other) => room == other || other == "Hosting" || Rooms.Single(r => r.Room == room).Knows.Contains(other);

    private static string? RoomOf(Type type) =>
        Outer(type).Namespace?.Split('.') is ["Footfall", var room, ..] && Rooms.Any(r => r.Room == room) ? room : null;

    private static Type Outer(Type type)
    {
        while (type.DeclaringType is { } outer) type = outer;
        return type;
    }

    /// <summary>The type itself, what it is an array or a reference of, and its type arguments.</summary>
    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType) return Parts(type.GetElementType()!);
        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition()) : [type];
    }

    private static IEnumerable<Type> UsedBy(Type type)
    {
        if (type.BaseType is { } parent) yield return parent;
        foreach (var i in type.GetInterfaces()) yield return i;
        foreach (var a in type.GetCustomAttributesData()) yield return a.AttributeType;
        foreach (var f in type.GetFields(All)) yield return f.FieldType;
        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            foreach (var p in method.GetParameters()) yield return p.ParameterType;
            if (method is MethodInfo { ReturnType: var result }) yield return result;
            if (method.GetMethodBody() is not { } body) continue;
            foreach (var local in body.LocalVariables) yield return local.LocalType;
            foreach (var clause in body.ExceptionHandlingClauses.Where(c => c.Flags == ExceptionHandlingClauseOptions.Clause)) yield return clause.CatchType!;
            foreach (var used in UsedByBody(method, body.GetILAsByteArray()!)) yield return used;
        }
    }

    private static IEnumerable<Type> UsedByBody(MethodBase method, byte[] il)
    {
        var typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var i = 0; i < il.Length;)
        {
            short value = il[i++];
            if (value == 0xFE) value = unchecked((short)(0xFE00 | il[i++]));
            var operand = ByValue[value].OperandType;
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
            {
                var member = method.Module.ResolveMember(BitConverter.ToInt32(il, i), typeArguments, methodArguments)!;
                if (member is Type type) yield return type;
                if (member.DeclaringType is { } declaring) yield return declaring;
                if (member is MethodInfo { IsGenericMethod: true } generic)
                {
                    foreach (var argument in generic.GetGenericArguments()) yield return argument;
                }
            }
            i += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, i)),
                _ => 4,
            };
        }
    }

    private static IEnumerable<string> SourceFiles() =>
        Directory.EnumerateFiles(Source(), "*.cs", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(Source(), f).Split(Path.DirectorySeparatorChar).Intersect(["bin", "obj", "data", "node_modules"]).Any());

    private static string Source() => Path.Combine(Root(), "src", "Footfall");

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Footfall.slnx"))) folder = folder.Parent;
        return folder.FullName;
    }

    [GeneratedRegex(@"(?<![\w.])Footfall\.([A-Z]\w+)")]
    private static partial Regex RoomName();

    [GeneratedRegex(@"(?m)^namespace ([\w.]+)")]
    private static partial Regex Namespace();
}
