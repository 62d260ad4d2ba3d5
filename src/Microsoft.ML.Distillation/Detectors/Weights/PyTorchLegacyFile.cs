using System.Globalization;
using System.Numerics;
using Microsoft.ML.Distillation.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// A checkpoint of PyTorch 0.1.10 to 1.5 (.pth, .pt), or of torch.save with <c>_use_new_zipfile_serialization=False</c>: five pickles
/// one behind the other (a number by which the format is known, its version, the machine that wrote it, what there is, the names of
/// the storages), then for each storage the number of its values (8 bytes) and the values.
/// </summary>
internal sealed class PyTorchLegacyFile : WeightsFile
{
    private const long FormatVersion = 1001;

    private static readonly BigInteger Magic = BigInteger.Parse("01950a86a20f9469cfc6c", NumberStyles.HexNumber,
        CultureInfo.InvariantCulture);

    private readonly Stream _stream;
    private readonly Dictionary<string, long> _starts;
    private readonly Dictionary<string, TorchTensor> _places = [];
    private readonly Dictionary<string, StoredTensor> _tensors = [];

    public PyTorchLegacyFile(Stream stream)
    {
        _stream = stream;
        var pickles = new byte[Math.Min(stream.Length, PyTorchZipFile.LongestPickle)];
        stream.ReadExactly(pickles);
        var vocabulary = new TorchVocabulary();
        int position = 0;
        if (Next() is not BigInteger magic || magic != Magic) throw new FormatException("it is a pickle, but no checkpoint of PyTorch's.");
        if (Next() is not FormatVersion) throw new FormatException("it is a checkpoint of a format that is not known.");
        if (Next() is not Dictionary<object, object?> machine || machine.GetValueOrDefault("little_endian") is not true)
            throw new FormatException("its values are not little-endian.");
        object? root = Next();
        if (Next() is not List<object?> keys) throw new FormatException("it does not name its storages.");

        stream.Position = position;
        _starts = Starts(stream, keys, vocabulary.Storages);
        foreach ((string name, TorchTensor tensor) in TorchVocabulary.Named(root))
        {
            if (!_starts.ContainsKey(tensor.Storage.Key))
                throw new FormatException($"the storage '{ShortText.Of(tensor.Storage.Key)}' is missing.");
            tensor.Check(name, tensor.Storage.Count);
            _places.Add(name, tensor);
            _tensors.Add(name, tensor.Stored);
        }

        object? Next()
        {
            object? read = PickleReader.Read(pickles.AsSpan(position), vocabulary, out int length);
            position += length;
            return read;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    /// <inheritdoc/>
    protected override Tensor ReadTensor(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        TorchTensor tensor = _places[name];
        _stream.Position = _starts[tensor.Storage.Key] + tensor.Start * StoredTensor.SizeOf(tensor.Storage.Type);
        Tensor values = ReadValues(_stream, tensor.Storage.Type, tensor.Extent);
        return values.as_strided(tensor.Shape, tensor.Strides).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _stream.Dispose();

    /// <summary>Where the values of each storage begin in the file.</summary>
    private static Dictionary<string, long> Starts(
        Stream stream, List<object?> keys, IReadOnlyDictionary<string, TorchStorage> storages)
    {
        var starts = new Dictionary<string, long>();
        Span<byte> count = stackalloc byte[sizeof(long)];
        foreach (object? listed in keys)
        {
            if (listed is not string key || !storages.TryGetValue(key, out TorchStorage? storage))
                throw new FormatException("it lists a storage that no tensor has, so that nobody knows its size.");
            stream.ReadExactly(count);
            long stored = BitConverter.ToInt64(count);
            if (stored < 0 || stored != storage.Count)
            {
                throw new FormatException(FormattableString.Invariant(
                    $"the storage '{ShortText.Of(key)}' is said to have {storage.Count} values, and {stored} at its place."));
            }

            if (!starts.TryAdd(key, stream.Position)) throw new FormatException($"it lists the storage '{ShortText.Of(key)}' twice.");
            long end = checked(stream.Position + stored * StoredTensor.SizeOf(storage.Type));
            if (end > stream.Length) throw new FormatException($"it ends within the storage '{ShortText.Of(key)}'.");
            stream.Position = end;
        }

        return starts;
    }
}
