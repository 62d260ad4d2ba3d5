using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>Disposes, at its end, what was made on its thread in its time and has not left it.</summary>
public sealed class DisposeScope : IDisposable
{
    private readonly DisposeScopeManager _manager;
    private readonly HashSet<IDisposable> _owned = new(ReferenceEqualityComparer.Instance);

    internal DisposeScope(DisposeScopeManager manager, DisposeScope? outer)
    {
        _manager = manager;
        Outer = outer;
    }

    internal DisposeScope? Outer { get; set; }

    public int DisposablesCount => _owned.Count;

    public IReadOnlyList<IDisposable> DisposablesView => [.. _owned];

    public bool Contains(IDisposable disposable) => _owned.Contains(disposable);

    public T MoveToOuter<T>(T disposable) where T : IDisposable => Moved(disposable, Outer);

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
        => (Moved(first, Outer), Moved(second, Outer));

    public (T1 first, T2 second, T3 third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third) where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable
        => (Moved(first, Outer), Moved(second, Outer), Moved(third, Outer));

    public void MoveToOuter(params IDisposable[] disposables) => MoveAll(disposables, Outer);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveAll(disposables, Outer);

    public T MoveToOther<T>(DisposeScope scope, T disposable) where T : IDisposable => Moved(disposable, scope);

    public (T1 first, T2 second) MoveToOther<T1, T2>(DisposeScope scope, T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
        => (Moved(first, scope), Moved(second, scope));

    public (T1 first, T2 second, T3 third) MoveToOther<T1, T2, T3>(DisposeScope scope, T1 first, T2 second, T3 third) where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable
        => (Moved(first, scope), Moved(second, scope), Moved(third, scope));

    public void MoveToOther(DisposeScope scope, params IDisposable[] disposables) => MoveAll(disposables, scope);

    public void MoveToOther(DisposeScope scope, IEnumerable<IDisposable> disposables) => MoveAll(disposables, scope);

    public T Detach<T>(T disposable) where T : IDisposable => Moved(disposable, null);

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
        => (Moved(first, null), Moved(second, null));

    public (T1 first, T2 second, T3 third) Detach<T1, T2, T3>(T1 first, T2 second, T3 third) where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable
        => (Moved(first, null), Moved(second, null), Moved(third, null));

    public void Detach(params IDisposable[] disposables) => MoveAll(disposables, null);

    public void Detach(IEnumerable<IDisposable> disposables) => MoveAll(disposables, null);

    public void Attach(IDisposable disposable)
    {
        if (disposable is Tensor tensor)
        {
            if (tensor.OwningDisposeScope == this) return;
            tensor.OwningDisposeScope?._owned.Remove(tensor);
            tensor.OwningDisposeScope = this;
            _manager.Tensors.AttachedToScopeCount++;
        }

        _owned.Add(disposable);
    }

    public void Attach(params IDisposable[] disposables)
    {
        foreach (IDisposable disposable in disposables) Attach(disposable);
    }

    public IReadOnlyList<IDisposable> Attach(IEnumerable<IDisposable> disposables)
    {
        IDisposable[] all = [.. disposables];
        Attach(all);
        return all;
    }

    public void DisposeEverything() => DisposeEverythingBut([]);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        var keep = new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance);
        foreach (IDisposable owned in _owned.Where(owned => !keep.Contains(owned)).ToArray())
        {
            owned.Dispose();
            _owned.Remove(owned);
        }
    }

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public T DisposeEverythingBut<T>(T keep) where T : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[keep]);
        return keep;
    }

    public (T1 first, T2 second) DisposeEverythingBut<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[first, second]);
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) DisposeEverythingBut<T1, T2, T3>(T1 first, T2 second, T3 third) where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[first, second, third]);
        return (first, second, third);
    }

    /// <summary>Forgets what has been disposed by its own means.</summary>
    public void MarkAsDisposed(IDisposable disposable)
    {
        if (!_owned.Remove(disposable) || disposable is not Tensor tensor) return;
        _manager.Tensors.DisposedInScopeCount++;
        tensor.OwningDisposeScope = null;
    }

    public void Dispose()
    {
        DisposeEverything();
        _manager.Remove(this);
    }

    internal void Add(Tensor tensor) => _owned.Add(tensor);

    /// <summary>A parameter takes the place of the tensor that it was made of.</summary>
    internal void Replace(Tensor old, Tensor by)
    {
        if (_owned.Remove(old)) _owned.Add(by);
    }

    internal T Moved<T>(T disposable, DisposeScope? target) where T : IDisposable
    {
        if (!_owned.Remove(disposable)) return disposable;
        target?._owned.Add(disposable);
        if (disposable is Tensor tensor)
        {
            tensor.OwningDisposeScope = target;
            if (target is null) _manager.Tensors.DetachedFromScopeCount++;
        }

        return disposable;
    }

    private void MoveAll(IEnumerable<IDisposable> disposables, DisposeScope? target)
    {
        foreach (IDisposable disposable in disposables) Moved(disposable, target);
    }
}
