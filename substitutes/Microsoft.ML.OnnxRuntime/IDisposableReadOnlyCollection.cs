// A list whose elements are disposed with it.

namespace Microsoft.ML.OnnxRuntime;

public interface IDisposableReadOnlyCollection<T> : IReadOnlyList<T>, IDisposable
{
}
