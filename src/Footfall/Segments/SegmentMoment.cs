namespace Footfall.Segments;

/// <summary>
/// Holds segments for the questions of one answer or page: a day that one of them was answered from is the same for all. Used by one
/// caller at a time.
/// </summary>
internal sealed class SegmentMoment(SegmentCache cache, PropertySegments property) : IDisposable
{
    /// <summary>How long a day's segment is used after the day has changed. It takes a few seconds to build; when it takes longer, raw rows answer.</summary>
    public static readonly TimeSpan MayBeStale = TimeSpan.FromMinutes(1);

    private const int MostTries = 5;   // a segment that is replaced while it is read is looked up again

    private readonly Dictionary<DateOnly, SegmentEntry> held = [];

    /// <summary>The window's segments, or why there are none.</summary>
    public async Task<(SegmentWindow? Window, SegmentGap Gap)> WindowAsync(DateOnly from, DateOnly to, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (wanted, gap) = await WantedAsync(from, to, cancellationToken);
            if (wanted is null) return (null, gap);
            try
            {
                gap = await HoldAsync(wanted, cancellationToken);
                return gap != SegmentGap.None ? (null, gap) : (await WindowAsync(from, to), SegmentGap.None);
            }
            catch (SegmentReplacedException) when (attempt < MostTries)
            {
            }
            catch (SegmentReplacedException)
            {
                return (null, SegmentGap.NotBuilt);
            }
        }
    }

    public void Dispose()
    {
        foreach (var entry in held.Values) entry.Unpin();
        held.Clear();
        cache.Tidy(property);
    }

    private async Task<SegmentWindow> WindowAsync(DateOnly from, DateOnly to)
    {
        List<DaySegment> segments = [];
        foreach (var (day, entry) in held.OrderBy(h => h.Key))
        {
            if (day >= from && day <= to) segments.Add((await entry.Loaded)!);
        }
        return new SegmentWindow(from, to, segments, property.Vocabulary);
    }

    /// <summary>Which builds make the window up; null where it cannot be answered from segments.</summary>
    private async Task<(List<StoredSegment>? Wanted, SegmentGap Gap)> WantedAsync(DateOnly from, DateOnly to, CancellationToken cancellationToken)
    {
        var list = await cache.Store.ListAsync(property.Id, from, to, cancellationToken);
        if (list.Waiting.Any(d => !held.ContainsKey(d))) return (null, SegmentGap.NotBuilt);
        var now = cache.Clock.GetUtcNow();
        List<StoredSegment> wanted = [];
        foreach (var stored in list.Segments)
        {
            if (held.ContainsKey(stored.Day)) continue;
            if (stored.Changed && now - stored.BuiltAt > MayBeStale) return (null, SegmentGap.NotBuilt);
            if (!stored.HasPayload) return (null, SegmentGap.TooLarge);
            if (stored.Format != SegmentCodec.Format)
            {
                await ReportAsync(stored, new InvalidDataException($"It has format {stored.Format}; this version of Footfall reads format {SegmentCodec.Format}."), cancellationToken);
                return (null, SegmentGap.Unreadable);
            }
            wanted.Add(stored);
        }
        if (wanted.Sum(w => w.DecodedBytes) > cache.Limit) return (null, SegmentGap.TooLarge);
        return await AreQuietAsync(from, to, list, now, cancellationToken) ? (wanted, SegmentGap.None) : (null, SegmentGap.NotBuilt);
    }

    /// <summary>Whether nothing happened on the window's days that have no segment.</summary>
    private async Task<bool> AreQuietAsync(DateOnly from, DateOnly to, SegmentList list, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var built = list.Segments.Select(s => s.Day).ToHashSet();
        var last = DateOnly.FromDateTime(now.UtcDateTime).AddDays(1);   // no event in range is later
        List<DateOnly> unknown = [];
        for (var day = from; day <= to && day <= last; day = day.AddDays(1))
        {
            if (!built.Contains(day) && !held.ContainsKey(day) && !property.Quiet.ContainsKey(day)) unknown.Add(day);
        }
        if (unknown.Count == 0) return true;
        var busy = await cache.Store.BusyAsync(property.Id, unknown, cancellationToken);
        SegmentCache.RememberQuiet(property, unknown.Except(busy));
        foreach (var day in busy)
        {
            if (await cache.Store.RebuildAsync(property.Id, day, now, cancellationToken)) cache.Log.SegmentMissing(property.Id, day);
        }
        return busy.Count == 0;
    }

    private async Task<SegmentGap> HoldAsync(List<StoredSegment> wanted, CancellationToken cancellationToken)
    {
        var now = cache.Clock.GetTimestamp();
        List<SegmentEntry> pinned = [];
        List<(SegmentEntry Entry, StoredSegment Stored)> mine = [];
        try
        {
            foreach (var stored in wanted)
            {
                var (entry, isMine) = EntryOf(stored, now);
                pinned.Add(entry);
                if (isMine) mine.Add((entry, stored));
            }
            if (mine.Count > 0 && !await LoadAsync(mine, cancellationToken)) return SegmentGap.TooLarge;
            foreach (var entry in pinned)
            {
                if (await entry.Loaded.WaitAsync(cancellationToken) is null) return SegmentGap.Unreadable;
            }
            foreach (var entry in pinned) held.Add(entry.Day, entry);
            pinned.Clear();
            return SegmentGap.None;
        }
        finally
        {
            foreach (var entry in pinned) entry.Unpin();
        }
    }

    /// <summary>The build's entry, pinned; and whether it is new, so that it has to be loaded here.</summary>
    private (SegmentEntry Entry, bool IsMine) EntryOf(StoredSegment stored, long now)
    {
        while (true)
        {
            if (!property.Days.TryGetValue(stored.Day, out var entry))
            {
                var added = new SegmentEntry(cache, property, stored.Day, stored.Version);
                if (property.Days.TryAdd(stored.Day, added)) return (added, true);
                continue;
            }
            if (entry.Version == stored.Version && entry.Pin(now)) return (entry, false);
            entry.Detach();
        }
    }

    /// <summary>Loads what nobody else is loading. False when there is no room for it.</summary>
    private async Task<bool> LoadAsync(List<(SegmentEntry Entry, StoredSegment Stored)> mine, CancellationToken cancellationToken)
    {
        Exception why = new SegmentReplacedException();
        var waiting = mine.ToDictionary(m => m.Entry.Day);
        using var decoding = new SemaphoreSlim(Environment.ProcessorCount);
        List<Task> decoded = [];
        try
        {
            foreach (var (entry, stored) in mine)
            {
                if (!cache.Reserve(stored.DecodedBytes)) return false;
                entry.Bytes = stored.DecodedBytes;
            }
            await cache.Store.PayloadsAsync(property.Id, [.. mine.Select(m => m.Stored.Version)], async (day, payload) =>
            {
                await decoding.WaitAsync(cancellationToken);   // no more payloads in memory than are being decoded
                waiting.Remove(day, out var one);
                decoded.Add(Task.Run(async () =>
                {
                    try
                    {
                        await DecodeAsync(one.Entry, one.Stored, payload, cancellationToken);
                    }
                    finally
                    {
                        decoding.Release();
                    }
                }, CancellationToken.None));
            }, cancellationToken);
            await Task.WhenAll(decoded);
            return true;
        }
        catch (Exception e)
        {
            why = e is OperationCanceledException ? new SegmentReplacedException() : e;   // others who wait for it begin anew
            throw;
        }
        finally
        {
            await Task.WhenAll(decoded).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            foreach (var (entry, _) in mine)
            {
                if (!entry.Loaded.IsCompleted) entry.Abandon(why);
            }
        }
    }

    private async Task DecodeAsync(SegmentEntry entry, StoredSegment stored, byte[] payload, CancellationToken cancellationToken)
    {
        DaySegment? segment = null;
        try
        {
            segment = SegmentCodec.Decode(payload).With(property.Vocabulary, stored.Version, stored.BuiltAt);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            await ReportAsync(stored, e, cancellationToken);
        }
        entry.Complete(segment, stored.DecodedBytes);
    }

    private async Task ReportAsync(StoredSegment stored, Exception why, CancellationToken cancellationToken)
    {
        if (!property.Unreadable.TryAdd(stored.Version, 0)) return;
        var day = stored.Day;
        if (await cache.Store.RebuildAsync(property.Id, day, cache.Clock.GetUtcNow(), cancellationToken)) cache.Log.SegmentUnreadable(why, property.Id, day);
        else cache.Log.SegmentLost(why, property.Id, day);
    }
}

/// <summary>A segment was built anew, or whoever loaded it gave up: look again.</summary>
internal sealed class SegmentReplacedException() : Exception("The segment was replaced while it was read.");
