namespace Footfall.Capture;

/// <summary>Where Capture puts what it took, and waits until it is safe there. The journal is one; the benchmark's "answer only" yardstick is another.</summary>
public interface ICaptureLog
{
    /// <summary>Returns once <paramref name="payload"/> (a <see cref="CaptureRecord"/>) survives a killed process and a lost machine, or says why it will not. The memory may be reused as soon as the task ends.</summary>
    ValueTask<AppendResult> AppendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}

public enum AppendResult
{
    /// <summary>On disk, flushed.</summary>
    Durable,

    /// <summary>The log holds as much as it may: answer 503 with Retry-After.</summary>
    Full,

    /// <summary>The disk refused (full, read-only, broken): answer 503 with Retry-After; nothing was kept.</summary>
    Failed,
}
