namespace Footfall.Cli;

/// <summary>How far a long command is: on a terminal a bar that stays on its line, else a line every few seconds. Written to standard error, so that the result can be piped.</summary>
internal sealed class ProgressLine(TextWriter output, bool terminal, TimeProvider clock)
{
    private const int BarWidth = 24;
    private static readonly TimeSpan TerminalPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LogPause = TimeSpan.FromSeconds(5);

    private readonly long started = clock.GetTimestamp();
    private long shown = clock.GetTimestamp();
    private int length;

    /// <summary>Shows <paramref name="done"/> of <paramref name="total"/> unless it has just shown something.</summary>
    /// <param name="text">What has been done, such as a rate; made only when it is shown.</param>
    public void Report(long done, long total, Func<TimeSpan, string> text)
    {
        if (clock.GetElapsedTime(shown) < (terminal ? TerminalPause : LogPause)) return;
        shown = clock.GetTimestamp();
        var elapsed = clock.GetElapsedTime(started);
        var share = total <= 0 ? 1 : Math.Clamp((double)done / total, 0, 1);
        var left = share > 0.01 ? $", {Duration(elapsed * ((1 - share) / share))} left" : "";
        if (!terminal)
        {
            output.WriteLine($"{share,4:P0}  {text(elapsed)}{left}");
            return;
        }
        var filled = (int)(share * BarWidth);
        var line = $"[{new string('#', filled)}{new string('.', BarWidth - filled)}] {share,4:P0}  {text(elapsed)}{left}";
        if (line.Length > 79) line = line[..79];
        output.Write($"\r{line.PadRight(length)}");
        length = line.Length;
    }

    /// <summary>Takes the bar away.</summary>
    public void Clear()
    {
        if (length > 0) output.Write($"\r{new string(' ', length)}\r");
        length = 0;
    }

    /// <summary>"8 s", "3 m 12 s", "2 h 5 m".</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 10 } => $"{time.TotalSeconds:0.0} s",
        { TotalSeconds: < 60 } => $"{time.TotalSeconds:0} s",
        { TotalMinutes: < 60 } => $"{(int)time.TotalMinutes} m {time.Seconds} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes} m",
    };
}
