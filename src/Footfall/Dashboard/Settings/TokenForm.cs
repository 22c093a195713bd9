using Footfall.Access;

namespace Footfall.Dashboard.Settings;

/// <summary>What a token is to be, as the form has it.</summary>
internal sealed record TokenForm(string Name, string Kind, bool IsForOne)
{
    public static readonly TokenForm Empty = new("", "read", true);

    public static IReadOnlyList<(string Key, string Label)> Kinds { get; } =
        [("read", "Read figures"), ("pro", "Read figures, and who viewed what"), ("ingest", "Send events and leads from a server"), ("admin", "Everything, settings and leads too")];

    public static TokenForm Of(IFormCollection form) => new(form["name"].ToString().Trim(), form["kind"].ToString(), form["scope"] != "all");

    public string? Problem =>
        Name.Length is 0 or > 100 || Name.Any(char.IsControl) || !Explore.StorableText.Is(Name) ? "No token was made: say who it is for, in 1 to 100 characters."
        : Kinds.All(k => k.Key != Kind) ? "No token was made: choose what it may do."
        : null;

    public AccessRole Role => Kind switch { "admin" => AccessRole.Admin, "ingest" => AccessRole.Ingest, _ => AccessRole.Dashboard };

    public AccessPlan Plan => Kind == "pro" ? AccessPlan.Pro : AccessPlan.Free;
}
