using System.IO.Compression;
using Microsoft.ML.Distillation.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// A checkpoint of PyTorch 1.6 or later (.pth, .pt): a zip with a pickle, <c>data.pkl</c>, that says what there is, and a file
/// of raw values for each storage. The tensors are those of the dictionary that was saved, or of the one inside it under
/// <c>state_dict</c>, <c>model_state_dict</c> or <c>model</c>.
/// </summary>
internal sealed class PyTorchZipFile : WeightsFile
{
    /// <summary>The bytes of a pickle that says what there is: a checkpoint of a thousand tensors has some 200 kB.</summary>
    public const int LongestPickle = 16 << 20;

    private const string PickleName = "data.pkl";

    private readonly ZipArchive _archive;
    private readonly long _length;
    private readonly string _folder;
    private readonly Dictionary<string, TorchTensor> _places = [];
    private readonly Dictionary<string, StoredTensor> _tensors = [];

    public PyTorchZipFile(Stream stream)
    {
        _length = stream.Length;
        _archive = new ZipArchive(stream, ZipArchiveMode.Read);
        ZipArchiveEntry pickle = _archive.Entries.FirstOrDefault(e => e.Name == PickleName)
            ?? throw new FormatException($"it is a zip, but has no {PickleName} as PyTorch's checkpoints have.");
        _folder = pickle.FullName[..^PickleName.Length];
        RequireLittleEndian();
        foreach ((string name, TorchTensor tensor) in TorchVocabulary.Named(PickleReader.Read(Content(pickle), new TorchVocabulary())))
        {
            long values = Storage(tensor).Length / StoredTensor.SizeOf(tensor.Storage.Type);
            tensor.Check(name, values);
            _places.Add(name, tensor);
            _tensors.Add(name, tensor.Stored);
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
        Skip(stream, tensor.Start * StoredTensor.SizeOf(tensor.Storage.Type));
        Tensor values = ReadValues(stream, tensor.Storage.Type, tensor.Extent);
        return values.as_strided(tensor.Shape, tensor.Strides).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _archive.Dispose();

    private ZipArchiveEntry Storage(TorchTensor tensor)
    {
        ZipArchiveEntry entry = _archive.GetEntry($"{_folder}data/{tensor.Storage.Key}")
            ?? throw new FormatException($"the storage '{ShortText.Of(tensor.Storage.Key)}' is missing.");
        // PyTorch does not compress: what unpacks to more than the file is made to fill the memory.
        if (entry.Length > _length)
            throw new FormatException($"the storage '{ShortText.Of(tensor.Storage.Key)}' unpacks to more than the file's own size.");
        return entry;
    }

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
