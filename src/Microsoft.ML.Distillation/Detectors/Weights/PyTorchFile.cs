using System.IO.Compression;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// A checkpoint of PyTorch 1.6 or later (.pth, .pt): a zip with a pickle, <c>data.pkl</c>, that says what there is, and a file
/// of raw values for each storage. The tensors are those of the dictionary that was saved, or of the one inside it under
/// <c>state_dict</c>, <c>model_state_dict</c> or <c>model</c>.
/// </summary>
internal sealed class PyTorchFile : WeightsFile
{
    private const string PickleName = "data.pkl";
    private const long LongestPickle = 16 << 20;

    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model"];

    private readonly ZipArchive _archive;
    private readonly string _folder;
    private readonly Dictionary<string, TorchTensor> _places = [];
    private readonly Dictionary<string, StoredTensor> _tensors = [];

    public PyTorchFile(Stream stream)
    {
        _archive = new ZipArchive(stream, ZipArchiveMode.Read);
        ZipArchiveEntry pickle = _archive.Entries.FirstOrDefault(e => e.Name == PickleName)
            ?? throw new FormatException($"it is a zip, but has no {PickleName} as PyTorch's checkpoints have.");
        _folder = pickle.FullName[..^PickleName.Length];
        RequireLittleEndian();
        foreach ((string name, TorchTensor tensor) in Named(PickleReader.Read(Content(pickle), new TorchVocabulary())))
        {
            Check(name, tensor);
            _places.Add(name, tensor);
            _tensors.Add(name, new StoredTensor(tensor.Storage.Type, tensor.Shape));
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    /// <inheritdoc/>
    protected override Tensor ReadTensor(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        TorchTensor tensor = _places[name];
        using Stream stream = Storage(tensor).Open();
        Skip(stream, tensor.Offset * StoredTensor.SizeOf(tensor.Storage.Type));
        Tensor values = ReadValues(stream, tensor.Storage.Type, Extent(tensor));
        return values.as_strided(tensor.Shape, tensor.Strides).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _archive.Dispose();

    private static IEnumerable<(string Name, TorchTensor Tensor)> Named(object? root)
    {
        if (root is not Dictionary<object, object?> dictionary) throw new FormatException("it holds no dictionary of tensors.");
        if (!dictionary.Values.Any(v => v is TorchTensor))
        {
            object? inner = Wrappers.Select(w => dictionary.GetValueOrDefault(w)).FirstOrDefault(v => v is Dictionary<object, object?>);
            dictionary = inner as Dictionary<object, object?> ?? throw new FormatException(
                $"it holds no tensors by name, but: {string.Join(", ", dictionary.Keys)}. Save the state dict alone, "
                    + $"torch.save(model.state_dict(), …).");
        }

        return dictionary.Where(e => e is { Key: string, Value: TorchTensor }).Select(e => ((string)e.Key, (TorchTensor)e.Value!));
    }

    private void Check(string name, TorchTensor tensor)
    {
        bool valid = tensor.Shape.Length == tensor.Strides.Length && tensor.Offset >= 0
            && tensor.Shape.All(d => d >= 0) && tensor.Strides.All(s => s >= 0);
        if (valid)
        {
            // A tensor that repeats values could claim more memory than the file has.
            long available = Storage(tensor).Length / StoredTensor.SizeOf(tensor.Storage.Type);
            long count = new StoredTensor(tensor.Storage.Type, tensor.Shape).Count;
            valid = count <= available && Extent(tensor) <= available - tensor.Offset;
        }

        if (!valid) throw new FormatException(
            $"the tensor '{name}' of shape {StoredTensor.Text(tensor.Shape)} does not match its storage.");
    }

    /// <summary>The values from the tensor's first to its last.</summary>
    private static long Extent(TorchTensor tensor)
    {
        if (tensor.Shape.Contains(0)) return 0;
        long last = 0;
        for (int i = 0; i < tensor.Shape.Length; i++) last = checked(last + (tensor.Shape[i] - 1) * tensor.Strides[i]);
        return last + 1;
    }

    private ZipArchiveEntry Storage(TorchTensor tensor) => _archive.GetEntry($"{_folder}data/{tensor.Storage.Key}")
        ?? throw new FormatException($"the storage '{tensor.Storage.Key}' is missing.");

    private static byte[] Content(ZipArchiveEntry entry)
    {
        if (entry.Length > LongestPickle) throw new FormatException($"{PickleName} is larger than {LongestPickle >> 20} megabytes.");
        var content = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(content);
        return content;
    }

    private void RequireLittleEndian()
    {
        if (_archive.GetEntry($"{_folder}byteorder") is not { } entry) return;
        using var reader = new StreamReader(entry.Open());
        var order = new char[16];
        int length = reader.ReadBlock(order);
        if (new string(order, 0, length) != "little") throw new FormatException("its values are not little-endian.");
    }

    private static void Skip(Stream stream, long count)
    {
        var buffer = new byte[Math.Min(count, 1 << 16)];
        for (long left = count; left > 0;)
        {
            int part = (int)Math.Min(left, buffer.Length);
            stream.ReadExactly(buffer, 0, part);
            left -= part;
        }
    }
}

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
            $"it asks for {module}.{name}. Only tensors and plain containers are read, and no code is run: save the state dict alone, "
                + $"torch.save(model.state_dict(), …)."),
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
