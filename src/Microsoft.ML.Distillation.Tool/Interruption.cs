using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Tool;

/// <summary>
/// Ctrl-C, and the system's request to end. The first asks the command to finish with what it has; the second ends it.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="error">Where to say so.</param>
    /// <param name="consequence">What will happen, for the message.</param>
    public Interruption(TextWriter error, string consequence)
    {
        void Handle(PosixSignalContext signal)
        {
            if (_source.IsCancellationRequested) return;
            signal.Cancel = true;
            error.WriteLine($"Interrupted: {consequence}. Once more ends at once.");
            _source.Cancel();
        }

        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <summary>Is cancelled by the first interruption.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether there was one.</summary>
    public bool Requested => _source.IsCancellationRequested;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
        _source.Dispose();
    }
}
