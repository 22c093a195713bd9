using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>
/// Counts sessions by a fact of their events, group after group: each once, however many of its events are in the group and on whatever
/// days of the window. Rows of a run come in order, so that a segment's only run tells its different sessions by itself; several runs of one
/// segment need a mark for each session.
/// </summary>
internal sealed class GroupSessions(SegmentWindow window, Tally tally, GuestHomes guests)
{
    private readonly bool onlyNumber = tally.CountsSessionsAlone;
    private readonly int[]?[] marks = new int[]?[window.Segments.Count];   // by home row: one more than the group that has counted it
    private readonly ReadOnlyMemory<int>[] alone = new ReadOnlyMemory<int>[window.Segments.Count];
    private readonly HashSet<(int Segment, int Row)> began = [];
    private int group;

    public void Begin(int next)
    {
        group = next;
        Array.Clear(alone);
        began.Clear();
    }

    /// <summary>All of the group's rows in the segment, in order: of kept events.</summary>
    public void AddAll(int segment, ReadOnlyMemory<int> rows)
    {
        alone[segment] = rows;
        var ofHomes = rows.Span;
        while (!ofHomes.IsEmpty && ofHomes[^1] >= window.Segments[segment].Homes)
        {
            AddGuest(segment, ofHomes[^1]);
            ofHomes = ofHomes[..^1];
        }
        CountChanges(segment, ofHomes);
    }

    /// <summary>Some of the group's rows in the segment, in any order.</summary>
    public void Add(int segment, ReadOnlySpan<int> rows)
    {
        var homes = window.Segments[segment].Homes;
        var mark = marks[segment] ??= new int[homes];
        foreach (var row in rows)
        {
            if (row >= homes) AddGuest(segment, row);
            else if (mark[row] != group + 1)
            {
                mark[row] = group + 1;
                tally.AddSession(group, window.Segments[segment], row);
            }
        }
    }

    private void AddGuest(int segment, int row)
    {
        if (guests.Of(segment, row) is { } home) began.Add(home);
    }

    /// <summary>Adds the sessions that began on one of the window's days and have events of the group on later ones alone.</summary>
    public void End()
    {
        foreach (var (segment, row) in began)
        {
            if (alone[segment].Span.BinarySearch(row) < 0 && marks[segment]?[row] != group + 1) tally.AddSession(group, window.Segments[segment], row);
        }
    }

    private void CountChanges(int segment, ReadOnlySpan<int> rows)
    {
        var before = -1;
        if (onlyNumber)
        {
            var changes = 0;
            foreach (var row in rows)
            {
                changes += row == before ? 0 : 1;
                before = row;
            }
            tally.Sessions![group] += changes;
            return;
        }
        foreach (var row in rows)
        {
            if (row != before) tally.AddSession(group, window.Segments[segment], row);
            before = row;
        }
    }
}

/// <summary>Where the window's guests began.</summary>
internal sealed class GuestHomes(SegmentWindow window)
{
    private readonly (int Segment, int Row)?[][] homes =
        [.. window.Segments.Select(s => Enumerable.Range(s.Homes, s.Rows - s.Homes).Select(row => window.HomeOf(s, row)).ToArray())];

    /// <summary>Null for a session that began before the window.</summary>
    public (int Segment, int Row)? Of(int segment, int guest) => homes[segment][guest - window.Segments[segment].Homes];
}
