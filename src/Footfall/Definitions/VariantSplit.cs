using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Footfall.Postgres;

namespace Footfall.Definitions;

/// <summary>Which variant a user gets: decided by a hash of experiment and user, so that the same user always gets the same, on every server, and experiments split independently of each other.</summary>
internal static class VariantSplit
{
    public static string Of(ExperimentDefinition experiment, string userId)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{experiment.PropertyId}\n{experiment.Id}\n{userId}"));
        var total = experiment.Variants.Sum(v => (long)v.Weight);
        // A uniform 64-bit number scaled to [0, total): the bias is below one in 10^12.
        var point = (long)Math.BigMul(BinaryPrimitives.ReadUInt64BigEndian(hash), (ulong)total, out _);
        foreach (var variant in experiment.Variants)
        {
            if (point < variant.Weight) return variant.Id;
            point -= variant.Weight;
        }
        throw new InvalidOperationException("The weights of the variants do not add up to their sum.");
    }
}

/// <summary>Definitions that pages ask for, remembered for a short while, the missing ones too: a page view must not cost a query.</summary>
internal sealed class RunningExperiments
{
    private const int MostRemembered = 4096;
    private static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(string Property, string Id), (ExperimentDefinition? Experiment, DateTimeOffset Until)> known = new();

    private readonly ExperimentStore store;
    private readonly TimeProvider clock;

    public RunningExperiments(ExperimentStore store, TimeProvider clock, ChangeFeed changes)
    {
        (this.store, this.clock) = (store, clock);
        changes.On(Shared.Experiments, known.Clear);
    }

    public async ValueTask<ExperimentDefinition?> FindAsync(string property, string id, CancellationToken cancellationToken)
    {
        if (!DefinitionRules.IsName(id)) return null;
        var now = clock.GetUtcNow();
        if (known.TryGetValue((property, id), out var remembered) && now < remembered.Until) return remembered.Experiment;
        var found = await store.FindAsync(property, id, cancellationToken);
        if (known.Count >= MostRemembered) known.Clear();   // someone asks for ids that do not exist
        known[(property, id)] = (found, now + RememberedFor);
        return found;
    }

    public void Forget(string property, string id) => known.TryRemove((property, id), out _);
}
