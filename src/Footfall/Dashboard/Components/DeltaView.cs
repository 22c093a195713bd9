namespace Footfall.Dashboard.Components;

/// <summary>A difference as people read it.</summary>
/// <param name="IsGood">Null where it is neither good nor bad.</param>
public sealed record DeltaView(string Text, bool? IsGood, string Title)
{
    public string Class => IsGood switch { true => "good", false => "bad", null => "muted" };
}
