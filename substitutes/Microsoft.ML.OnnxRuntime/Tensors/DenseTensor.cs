// A tensor whose elements lie one after another in one piece of memory.

namespace Microsoft.ML.OnnxRuntime.Tensors;

public class DenseTensor<T> : Tensor<T>
{
    public DenseTensor(int length)
        : this(new T[length], [length])
    {
    }

    public DenseTensor(ReadOnlySpan<int> dimensions, bool reverseStride = false)
        : base(dimensions, reverseStride) => Buffer = new T[Length];

    /// <summary>A tensor over the memory itself, not a copy.</summary>
    public DenseTensor(Memory<T> memory, ReadOnlySpan<int> dimensions, bool reverseStride = false)
        : base(dimensions, reverseStride)
    {
        if (Length != memory.Length)
        {
            throw new ArgumentException($"{memory.Length} elements do not fill a tensor of {Length}.", nameof(memory));
        }

        Buffer = memory;
    }

    public Memory<T> Buffer { get; }

    public override T GetValue(int index) => Buffer.Span[index];

    public override void SetValue(int index, T value) => Buffer.Span[index] = value;

    public override Tensor<T> Clone() => new DenseTensor<T>(Buffer.ToArray(), Dimensions, IsReversedStride);

    public override Tensor<T> Reshape(ReadOnlySpan<int> dimensions) => new DenseTensor<T>(Buffer, dimensions, IsReversedStride);

    protected override void CopyTo(T[] array, int arrayIndex) => Buffer.Span.CopyTo(array.AsSpan(arrayIndex));

    protected override int IndexOf(T item)
    {
        ReadOnlySpan<T> elements = Buffer.Span;
        for (int i = 0; i < elements.Length; i++)
        {
            if (EqualityComparer<T>.Default.Equals(elements[i], item)) return i;
        }

        return -1;
    }
}
