using Microsoft.ML.Distillation.Files;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>Values that tensors are windows on, in one piece in a checkpoint.</summary>
/// <param name="Key">Their name in the checkpoint.</param>
/// <param name="Count">How many the pickle says there are.</param>
/// <param name="ViewStart">Where the part of them begins that the tensor knows of, in values.</param>
/// <param name="ViewCount">How many the tensor knows of.</param>
internal sealed record TorchStorage(ScalarType Type, string Key, long Count, long ViewStart, long ViewCount);

/// <summary>A tensor in a checkpoint: a window on a storage.</summary>
/// <param name="Offset">The first value's place in the storage, in values.</param>
/// <param name="Strides">How many values lie from one index to the next, for each dimension.</param>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>More dimensions than PyTorch's own tensors can have.</summary>
    private const int MostDimensions = 64;

    /// <summary>What it is to be read as.</summary>
    public StoredTensor Stored => new(Storage.Type, Shape);

    /// <summary>The place of the first value among the values of the whole storage.</summary>
    public long Start => checked(Storage.ViewStart + Offset);

    /// <summary>The values from the tensor's first to its last.</summary>
    public long Extent
    {
        get
        {
            if (Shape.Contains(0)) return 0;
            long last = 0;
            for (int i = 0; i < Shape.Length; i++) last = checked(last + (Shape[i] - 1) * Strides[i]);
            return last + 1;
        }
    }

    /// <summary>Holds the tensor to its storage, before anything is made room for.</summary>
    /// <param name="available">The values that the file has for the storage.</param>
    /// <exception cref="FormatException">It would take in values that are not there.</exception>
    public void Check(string name, long available)
    {
        bool valid = Shape.Length == Strides.Length && Shape.Length <= MostDimensions && Offset >= 0
            && Shape.All(d => d >= 0) && Strides.All(s => s >= 0)
            && Storage is { ViewStart: >= 0, ViewCount: >= 0 } && Storage.ViewStart <= available
            && Storage.ViewCount <= available - Storage.ViewStart;
        // A tensor that repeats values could claim more memory than the file has.
        valid = valid && Offset <= Storage.ViewCount && Stored.Count <= Storage.ViewCount && Extent <= Storage.ViewCount - Offset;
        if (!valid)
            throw new FormatException($"the tensor '{ShortText.Of(name)}' of shape {ShortText.Of(Shape)} does not match its storage.");
    }
}

/// <summary>The few names that PyTorch's checkpoints of tensors need: the kinds of storage, and what makes a tensor of one.</summary>
internal sealed class TorchVocabulary : IPickleVocabulary
{
    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model"];

    private enum Maker
    {
        OrderedDictionary,
        Tensor,
        Parameter,
        Size,
    }

    /// <summary>All storages that were referred to, by their names.</summary>
    public Dictionary<string, TorchStorage> Storages { get; } = [];

    /// <summary>The tensors of the dictionary that was saved, or of the one inside it under one of the usual names.</summary>
    /// <exception cref="FormatException">There is no such dictionary.</exception>
    public static IEnumerable<(string Name, TorchTensor Tensor)> Named(object? root)
    {
        if (root is not Dictionary<object, object?> dictionary) throw new FormatException("it holds no dictionary of tensors.");
        if (!dictionary.Values.Any(v => v is TorchTensor))
        {
            object? inner = Wrappers.Select(w => dictionary.GetValueOrDefault(w)).FirstOrDefault(v => v is Dictionary<object, object?>);
            dictionary = inner as Dictionary<object, object?> ?? throw new FormatException(
                $"it holds no tensors by name, but: {ShortText.Of(dictionary.Keys, dictionary.Count)}. Save the state dict alone, "
                    + $"torch.save(model.state_dict(), …).");
        }

        return dictionary.Where(e => e is { Key: string, Value: TorchTensor }).Select(e => ((string)e.Key, (TorchTensor)e.Value!));
    }

    /// <inheritdoc/>
    public object Find(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => Maker.OrderedDictionary,
        ("torch._utils", "_rebuild_tensor" or "_rebuild_tensor_v2") => Maker.Tensor,
        ("torch._utils", "_rebuild_parameter") or ("torch.nn.parameter", "Parameter") => Maker.Parameter,
        ("torch", "Size") => Maker.Size,
        ("torch", "DoubleStorage") => ScalarType.Float64,
        ("torch", "FloatStorage") => ScalarType.Float32,
        ("torch", "HalfStorage") => ScalarType.Float16,
        ("torch", "BFloat16Storage") => ScalarType.BFloat16,
        ("torch", "LongStorage") => ScalarType.Int64,
        ("torch", "IntStorage") => ScalarType.Int32,
        ("torch", "ShortStorage") => ScalarType.Int16,
        ("torch", "CharStorage") => ScalarType.Int8,
        ("torch", "ByteStorage") => ScalarType.Byte,
        ("torch", "BoolStorage") => ScalarType.Bool,
        _ => throw new FormatException(
            $"it asks for {ShortText.Of(module)}.{ShortText.Of(name)}. Only tensors and plain containers are read, and no code is run: "
                + $"save the state dict alone, torch.save(model.state_dict(), …)."),
    };

    /// <inheritdoc/>
    public object Call(object callee, object?[] arguments) => (callee, arguments) switch
    {
        (Maker.OrderedDictionary, []) => new Dictionary<object, object?>(),
        // As Python 2 wrote them.
        (Maker.OrderedDictionary, [List<object?> pairs]) => Dictionary(pairs),
        (Maker.Size, [object?[] sizes]) => sizes,
        (Maker.Parameter, [TorchTensor tensor, ..]) => tensor,
        (Maker.Tensor, [TorchStorage storage, long offset, object?[] shape, object?[] strides, ..]) =>
            new TorchTensor(storage, offset, Integers(shape), Integers(strides)),
        _ => throw new FormatException("the pickle makes something in a way that PyTorch does not."),
    };

    /// <inheritdoc/>
    public object Refer(object? reference)
    {
        TorchStorage storage = reference switch
        {
            object?[] and ["storage", ScalarType type, string key, _, long count] => new(type, key, count, 0, count),
            object?[] and ["storage", ScalarType type, string key, _, long count, null] => new(type, key, count, 0, count),
            object?[] and ["storage", ScalarType type, string key, _, long count, object?[] and [string, long start, long viewed]] =>
                new(type, key, count, start, viewed),
            _ => throw new FormatException("the pickle refers to something that is not the storage of a tensor."),
        };
        if (!Storages.TryAdd(storage.Key, storage) && Storages[storage.Key] is var before
            && (before.Type, before.Count) != (storage.Type, storage.Count))
        {
            throw new FormatException($"the pickle contradicts itself in the storage '{ShortText.Of(storage.Key)}'.");
        }

        return storage;
    }

    /// <inheritdoc/>
    public bool MayHaveAttributes(object made) => made is Dictionary<object, object?> or TorchTensor;

    private static Dictionary<object, object?> Dictionary(List<object?> pairs)
    {
        var dictionary = new Dictionary<object, object?>(pairs.Count);
        foreach (object? pair in pairs)
        {
            if (pair as IReadOnlyList<object?> is not [string { Length: <= PickleReader.LongestKey } key, var value])
                throw new FormatException("the pickle has a dictionary whose pairs are none.");
            dictionary[key] = value;
        }

        return dictionary;
    }

    private static long[] Integers(object?[] values)
        => [.. values.Select(v => v is long number ? number : throw new FormatException("a tensor's shape is not of whole numbers."))];
}
