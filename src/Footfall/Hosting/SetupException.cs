namespace Footfall.Hosting;

/// <summary>Something that only an operator can change stands in the way. The message says what, where, and what to do; it is for the console, without a stack trace.</summary>
public sealed class SetupException : Exception
{
    public SetupException(string message) : base(message)
    {
    }

    public SetupException(string message, Exception inner) : base(message, inner)
    {
    }
}
