// Writes the values of a vector, into its old arrays where they are long enough.
namespace Microsoft.ML.Data;

public static class VBufferEditor
{
    public static VBufferEditor<T> CreateFromBuffer<T>(ref VBuffer<T> destination)
        => new(destination.Length, destination.GetValues().Length, destination.ValueArray, destination.IndexArray, destination.IsDense, false, false);

    public static VBufferEditor<T> Create<T>(
        ref VBuffer<T> destination, int newLogicalLength, int? valuesCount = null, int? maxValuesCapacity = null, bool keepOldOnResize = false, bool requireIndicesOnDense = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(newLogicalLength);
        int count = valuesCount ?? newLogicalLength;
        if (count < 0 || count > newLogicalLength) throw new ArgumentOutOfRangeException(nameof(valuesCount));
        if (maxValuesCapacity < count) throw new ArgumentOutOfRangeException(nameof(maxValuesCapacity));
        bool dense = count == newLogicalLength;
        T[] values = Sized(destination.ValueArray, count, keepOldOnResize, out bool newValues);
        bool newIndices = false;
        int[] indices = destination.IndexArray;
        if (!dense || requireIndicesOnDense) indices = Sized(indices, count, keepOldOnResize, out newIndices);
        return new VBufferEditor<T>(newLogicalLength, count, values, indices, dense && !requireIndicesOnDense, newValues, newIndices);
    }

    private static TItem[] Sized<TItem>(TItem[] old, int count, bool keep, out bool isNew)
    {
        isNew = count > (old?.Length ?? 0);
        if (!isNew) return old ?? [];
        // What is written over need not be cleared first.
        var sized = keep ? new TItem[count] : GC.AllocateUninitializedArray<TItem>(count);
        if (keep) old?.CopyTo(sized, 0);
        return sized;
    }
}

public readonly ref struct VBufferEditor<T>
{
    public readonly Span<T> Values;
    public readonly Span<int> Indices;
    private readonly int _length;
    private readonly T[] _values;
    private readonly int[] _indices;

    internal VBufferEditor(int length, int count, T[] values, int[] indices, bool withoutIndices, bool newValues, bool newIndices)
    {
        (_length, _values, _indices, CreatedNewValues, CreatedNewIndices) = (length, values, indices, newValues, newIndices);
        Values = values.AsSpan(0, count);
        Indices = withoutIndices ? default : indices.AsSpan(0, count);
    }

    public bool CreatedNewValues { get; }

    public bool CreatedNewIndices { get; }

    public VBuffer<T> Commit() => new(_length, Values.Length, _values, _indices);

    public VBuffer<T> CommitTruncated(int physicalValuesCount)
    {
        if (physicalValuesCount > Values.Length) throw new ArgumentOutOfRangeException(nameof(physicalValuesCount));
        return new VBuffer<T>(_length, physicalValuesCount, _values, _indices);
    }
}
