// A tensor in managed memory: sizes, strides and access by position; where the elements lie is the subclass's.

using System.Collections;

namespace Microsoft.ML.OnnxRuntime.Tensors;

public abstract class Tensor<T> : TensorBase, IList<T>, IReadOnlyList<T>
{
    private readonly int[] _dimensions;
    private readonly int[] _strides;

    private protected Tensor(ReadOnlySpan<int> dimensions, bool reverseStride)
        : base(typeof(T))
    {
        _dimensions = dimensions.ToArray();
        _strides = new int[dimensions.Length];
        IsReversedStride = reverseStride;
        long length = 1;
        for (int i = 0; i < dimensions.Length; i++)
        {
            int axis = reverseStride ? i : dimensions.Length - 1 - i;
            if (dimensions[axis] < 0) throw new ArgumentOutOfRangeException(nameof(dimensions), $"The size {dimensions[axis]} is negative.");
            _strides[axis] = checked((int)length);
            length *= dimensions[axis];
        }

        Length = length;
    }

    public long Length { get; }

    public int Rank => _dimensions.Length;

    public bool IsReversedStride { get; }

    public bool IsFixedSize => true;

    public bool IsReadOnly => false;

    public ReadOnlySpan<int> Dimensions => _dimensions;

    public ReadOnlySpan<int> Strides => _strides;

    int ICollection<T>.Count => checked((int)Length);

    int IReadOnlyCollection<T>.Count => checked((int)Length);

    public virtual T this[params int[] indices]
    {
        get => this[new ReadOnlySpan<int>(indices)];
        set => this[new ReadOnlySpan<int>(indices)] = value;
    }

    public virtual T this[ReadOnlySpan<int> indices]
    {
        get => GetValue(Position(indices));
        set => SetValue(Position(indices), value);
    }

    T IList<T>.this[int index]
    {
        get => GetValue(index);
        set => SetValue(index, value);
    }

    T IReadOnlyList<T>.this[int index] => GetValue(index);

    /// <summary>The element at a place of the underlying memory.</summary>
    public abstract T GetValue(int index);

    public abstract void SetValue(int index, T value);

    public abstract Tensor<T> Clone();

    public abstract Tensor<T> Reshape(ReadOnlySpan<int> dimensions);

    public virtual void Fill(T value)
    {
        for (int i = 0; i < Length; i++) SetValue(i, value);
    }

    public virtual DenseTensor<T> ToDenseTensor()
    {
        var copy = new DenseTensor<T>(_dimensions, IsReversedStride);
        for (int i = 0; i < Length; i++) copy.SetValue(i, GetValue(i));
        return copy;
    }

    protected virtual bool Contains(T item) => IndexOf(item) >= 0;

    protected virtual int IndexOf(T item)
    {
        for (int i = 0; i < Length; i++)
        {
            if (EqualityComparer<T>.Default.Equals(GetValue(i), item)) return i;
        }

        return -1;
    }

    protected virtual void CopyTo(T[] array, int arrayIndex)
    {
        for (int i = 0; i < Length; i++) array[arrayIndex + i] = GetValue(i);
    }

    bool ICollection<T>.Contains(T item) => Contains(item);

    int IList<T>.IndexOf(T item) => IndexOf(item);

    void ICollection<T>.CopyTo(T[] array, int arrayIndex) => CopyTo(array, arrayIndex);

    void ICollection<T>.Add(T item) => throw FixedSize();

    void ICollection<T>.Clear() => Fill(default);

    void IList<T>.Insert(int index, T item) => throw FixedSize();

    bool ICollection<T>.Remove(T item) => throw FixedSize();

    void IList<T>.RemoveAt(int index) => throw FixedSize();

    IEnumerator<T> IEnumerable<T>.GetEnumerator()
    {
        for (int i = 0; i < Length; i++) yield return GetValue(i);
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<T>)this).GetEnumerator();

    private static InvalidOperationException FixedSize() => new("A tensor has a fixed size.");

    private int Position(ReadOnlySpan<int> indices)
    {
        if (indices.Length != Rank) throw new ArgumentException($"{indices.Length} indices do not name an element of {Rank} dimensions.", nameof(indices));
        int position = 0;
        for (int i = 0; i < indices.Length; i++)
        {
            if ((uint)indices[i] >= (uint)_dimensions[i]) throw new IndexOutOfRangeException();
            position += indices[i] * _strides[i];
        }

        return position;
    }
}
