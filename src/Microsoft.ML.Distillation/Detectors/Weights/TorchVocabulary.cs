using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>Values in a file of their own inside a checkpoint.</summary>
/// <param name="Key">The name of that file.</param>
internal sealed record TorchStorage(ScalarType Type, string Key);

/// <summary>A tensor in a checkpoint: a window on a storage.</summary>
/// <param name="Offset">The first value's place in the storage, in values.</param>
/// <param name="Strides">How many values lie from one index to the next, for each dimension.</param>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, long[] Shape, long[] Strides);

/// <summary>The few names that PyTorch's checkpoints of tensors need: the kinds of storage, and what makes a tensor of one.</summary>
internal sealed class TorchVocabulary : IPickleVocabulary
{
    private enum Maker
    {
        OrderedDictionary,
        Tensor,
        Parameter,
        Size,
    }

    /// <inheritdoc/>
    public object Find(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => Maker.OrderedDictionary,
        ("torch._utils", "_rebuild_tensor_v2") => Maker.Tensor,
        ("torch._utils", "_rebuild_parameter") => Maker.Parameter,
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
            $"it asks for {module}.{name}. Only tensors and plain containers are read, and no code is run: save the state dict alone, torch.save(model.state_dict(), …)."),
    };

    /// <inheritdoc/>
    public object Call(object callee, object?[] arguments) => (callee, arguments) switch
    {
        (Maker.OrderedDictionary, []) => new Dictionary<object, object?>(),
        (Maker.Size, [object?[] sizes]) => sizes,
        (Maker.Parameter, [TorchTensor tensor, ..]) => tensor,
        (Maker.Tensor, [TorchStorage storage, long offset, object?[] shape, object?[] strides, ..]) =>
            new TorchTensor(storage, offset, Integers(shape), Integers(strides)),
        _ => throw new FormatException("the pickle makes something in a way that PyTorch does not."),
    };

    /// <inheritdoc/>
    public object Refer(object? reference) => reference is object?[] and ["storage", ScalarType type, string key, ..]
        ? new TorchStorage(type, key)
        : throw new FormatException("the pickle refers to something that is not the storage of a tensor.");

    private static long[] Integers(object?[] values)
        => [.. values.Select(v => v is long number ? number : throw new FormatException("a tensor's shape is not of whole numbers."))];
}
