using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>A thread's stack of scopes, and its statistics.</summary>
public class DisposeScopeManager
{
    [ThreadStatic] private static DisposeScopeManager? _ofThread;

    public static ThreadDisposeScopeStatistics Statistics => OfThread.ThreadStatistics;

    internal static DisposeScopeManager OfThread => _ofThread ??= new DisposeScopeManager();

    internal ThreadDisposeScopeStatistics ThreadStatistics { get; } = new();

    internal LifetimeStatistics Tensors => ThreadStatistics.TensorStatistics;

    internal DisposeScope? Current { get; private set; }

    internal DisposeScope Push() => Current = new DisposeScope(this, Current);

    /// <summary>Takes a scope off the stack, wherever it stands.</summary>
    internal void Remove(DisposeScope scope)
    {
        if (Current == scope)
        {
            Current = scope.Outer;
            return;
        }

        for (DisposeScope? inner = Current; inner is not null; inner = inner.Outer)
        {
            if (inner.Outer != scope) continue;
            inner.Outer = scope.Outer;
            return;
        }
    }

    /// <summary>Counts a new tensor and gives it to the innermost scope.</summary>
    internal DisposeScope? Register(Tensor tensor)
    {
        if (Current is null)
        {
            Tensors.CreatedOutsideScopeCount++;
            return null;
        }

        Tensors.CreatedInScopeCount++;
        Current.Add(tensor);
        return Current;
    }
}

public static partial class torch
{
    public static DisposeScope? CurrentDisposeScope => DisposeScopeManager.OfThread.Current;

    public static DisposeScope NewDisposeScope() => DisposeScopeManager.OfThread.Push();
}
