namespace Microsoft.ML.Distillation.Published;

/// <summary>What is found out about a detector while it works, and is no reason to stop: each is said once. Several threads may use it at
/// once.</summary>
internal sealed class DetectorRemarks
{
    private readonly Lock _lock = new();
    private readonly List<string> _all = [];
    private Action<string>? _listener;

    /// <summary>All so far.</summary>
    public IReadOnlyList<string> All
    {
        get
        {
            lock (_lock) return [.. _all];
        }
    }

    /// <summary>Makes a remark.</summary>
    public void Add(string remark)
    {
        Action<string>? listener;
        lock (_lock)
        {
            _all.Add(remark);
            listener = _listener;
        }

        listener?.Invoke(remark);
    }

    /// <summary>Tells of those so far at once, and of later ones when they are made.</summary>
    public void Tell(Action<string> listener)
    {
        string[] made;
        lock (_lock)
        {
            _listener += listener;
            made = [.. _all];
        }

        foreach (string remark in made) listener(remark);
    }
}
