using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Leads;

namespace Footfall.Cli.Demo;

/// <summary>The made-up forms on their way through what takes real ones: leads, consent, links, and the events of their submits.</summary>
internal sealed class DemoLeads
{
    private readonly LeadCapture capture;
    private readonly SubmissionRecorder recorder;
    private readonly Recorded recorded = new();

    public DemoLeads(IServiceProvider services)
    {
        recorder = ActivatorUtilities.CreateInstance<SubmissionRecorder>(services, recorded);
        capture = ActivatorUtilities.CreateInstance<LeadCapture>(services, ActivatorUtilities.CreateInstance<LeadWriter>(services), recorder, ActivatorUtilities.CreateInstance<ConfirmationSender>(services));
    }

    /// <summary>Stores the forms, whose visitors are stored already. Returns how many were taken, and the batch of their events.</summary>
    public async Task<(int Taken, IngestBatch Events)> TakeAsync(IEnumerable<(LeadRequest Request, Sender Sender)> forms, CancellationToken cancellationToken)
    {
        var taken = 0;
        foreach (var (request, sender) in forms)
        {
            if (!EmailAddress.TryParse(request.Email, out var address, out _)) throw new InvalidOperationException("The demo made up an address that is none.");
            var (lead, _) = await capture.TakeAsync(request, address, sender, isServer: false, mailHostUnknown: false, cancellationToken);
            if (lead is not null) taken++;      // a robot's is not
        }
        while (await recorder.RecordAsync(cancellationToken) > 0)
        {
        }
        var batch = new IngestBatch();
        recorded.Events.ForEach(batch.Add);
        recorded.Events.Clear();
        return (taken, batch);
    }

    /// <summary>In the journal's place: a command has none.</summary>
    private sealed class Recorded : ICaptureLog
    {
        public List<CapturedEvent> Events { get; } = [];

        public ValueTask<AppendResult> AppendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            CaptureRecord.Read(payload.Span, Events, []);
            return ValueTask.FromResult(AppendResult.Durable);
        }
    }
}
