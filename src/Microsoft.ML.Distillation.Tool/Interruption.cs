using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Tool;

/// <summary>
/// Ctrl-C, and the system's request to end. The first asks the command to finish with what it has; the second ends it, if it does not come
/// at once: who ends a process and its group, as <c>timeout</c> does, reaches it twice.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private static readonly TimeSpan Same = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _lock = new();
    private readonly Action _say;
    private readonly TimeProvider _clock;
    private long? _first;

    /// <param name="error">Where to say so.</param>
    /// <param name="consequence">What will happen, for the message.</param>
    /// <param name="clock">Says the time.</param>
    public Interruption(TextWriter error, string consequence, TimeProvider? clock = null)
    {
        _say = () => error.WriteLine($"Interrupted: {consequence}. Once more ends at once.");
        _clock = clock ?? TimeProvider.System;
        void Handle(PosixSignalContext signal) => signal.Cancel = Take();
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <summary>Is cancelled by the first interruption.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether there was one.</summary>
    public bool Requested => _source.IsCancellationRequested;

    /// <summary>Takes a signal; <see langword="false"/> where the process is to end by it.</summary>
    internal bool Take()
    {
        lock (_lock)
        {
            if (_first is long first) return _clock.GetElapsedTime(first) < Same;
            _first = _clock.GetTimestamp();
        }

        _say();
        _source.Cancel();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
        _source.Dispose();
    }
}
