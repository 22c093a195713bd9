using System.Runtime.InteropServices;

namespace Footfall.Segments;

/// <summary>
/// Memory outside the collector's heap that is the system's again as soon as it is given back. An allocator keeps what is freed below some
/// tens of megabytes, with holes in it, once for each thread that asks. What is larger it maps and unmaps, and what of it nobody writes to is
/// there in name only: so blocks are cut from large slabs, and whatever is long is asked for as if it were longer.
/// </summary>
internal static unsafe partial class NativeBlocks
{
    public const int BlockBytes = 1 << 16;

    private const int LongBytes = 33 << 20;   // glibc keeps up to 32 MB
    private const int BlocksOfSlab = LongBytes / BlockBytes;

    private static readonly Lock Gate = new();
    private static readonly List<Slab> Slabs = [];

    private static bool canTrim = OperatingSystem.IsLinux();

    private sealed class Slab
    {
        public nint Start { get; } = (nint)NativeMemory.Alloc(LongBytes);

        /// <summary>Blocks from here on were never taken.</summary>
        public int Fresh { get; set; }

        public Stack<nint> Given { get; } = [];

        public bool IsFull => Fresh == BlocksOfSlab && Given.Count == 0;

        public bool IsFree => Fresh == Given.Count;

        public bool Has(nint block) => block >= Start && block < Start + LongBytes;
    }

    /// <summary>A block of <see cref="BlockBytes"/>, not cleared.</summary>
    public static nint Take()
    {
        lock (Gate)
        {
            var slab = Slabs.Find(s => !s.IsFull);
            if (slab is null) Slabs.Add(slab = new Slab());
            return slab.Given.TryPop(out var block) ? block : slab.Start + (BlockBytes * slab.Fresh++);
        }
    }

    public static void Give(nint block)
    {
        lock (Gate)
        {
            var slab = Slabs.Find(s => s.Has(block))!;
            slab.Given.Push(block);
            if (!slab.IsFree) return;
            Slabs.Remove(slab);
            NativeMemory.Free((void*)slab.Start);
        }
    }

    /// <summary>
    /// Has the allocator give back what it keeps. Packing takes and frees tens of megabytes inside Brotli, of which glibc keeps a part for each
    /// thread that has ever packed: 40 MB after some builds.
    /// </summary>
    public static void Trim()
    {
        if (!canTrim) return;
        try
        {
            _ = TrimAllocator(0);   // whether there was anything
        }
        catch (EntryPointNotFoundException)
        {
            canTrim = false;   // another libc, which keeps less
        }
        catch (DllNotFoundException)
        {
            canTrim = false;
        }
    }

    /// <summary>How much to ask the allocator for where so much is needed side by side.</summary>
    public static long Asked(long bytes) => bytes <= BlockBytes ? Math.Max(1, bytes) : Math.Max(bytes, LongBytes);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimAllocator(nuint keep);
}
