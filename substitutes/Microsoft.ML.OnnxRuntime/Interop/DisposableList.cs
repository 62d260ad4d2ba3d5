// A list that disposes of its elements.

namespace Microsoft.ML.OnnxRuntime.Interop;

internal sealed class DisposableList<T> : List<T>, IDisposableReadOnlyCollection<T>
    where T : IDisposable
{
    public DisposableList(IEnumerable<T> items)
        : base(items)
    {
    }

    public void Dispose()
    {
        foreach (T item in this) item.Dispose();
        Clear();
    }
}
