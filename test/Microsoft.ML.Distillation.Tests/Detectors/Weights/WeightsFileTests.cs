using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Weights;

public class WeightsFileTests
{
    /// <summary>The instructions that begin a tensor of the storage 0 of eight values: its place, shape and strides follow.</summary>
    private const string Window = "ctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nFloatStorage\n"
        + "X\u0001\0\0\00X\u0003\0\0\0cpuK\u0008tQ";

    private static readonly Dictionary<string, (string Pickle, string Reason)> Hostile = new()
    {
        ["eval"] = ("cbuiltins\neval\n(X\u0001\0\0\0xtR.", "builtins.eval"),
        ["name on the stack"] = ("\u008c\u0002os\u008c\u0006system\u0093.", "os.system"),
        ["function of the system"] = ("cposix\nsystem\n.", "posix.system"),
        ["getattr"] = ("c__builtin__\ngetattr\n.", "__builtin__.getattr"),
        ["tensor without a storage"] = ("ctorch._utils\n_rebuild_tensor_v2\n)R.", "in a way that PyTorch does not"),
        ["object without a constructor"] = ("ccollections\nOrderedDict\n)\u0081.", "0x81"),
        ["instance of a class"] = ("ios\nsystem\n.", "0x69"),
        ["reference that is no storage"] = ("X\u0001\0\0\0xQ.", "not the storage"),
        ["text beyond the end"] = ("X\u00ff\u00ff\u00ff\u007fabc.", "ends too early"),
        ["text of endless length"] = ("\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ffabc.", "ends too early"),
        ["no end"] = ("}", "ends too early"),
        ["no value"] = (".", "takes more than it holds"),
        ["no mark"] = ("t.", "takes more than it holds"),
        ["value never kept"] = ("h\u0007.", "refers to what it does not hold"),
        ["key without a value"] = ("}(K\u0001u.", "key without a value"),
        ["nothing as key"] = ("}NNs.", "nothing where"),
        ["list for a dictionary"] = ("](K\u0001e.", "no dictionary of tensors"),
        ["list in itself"] = ("]q\0h\0a.", "no dictionary of tensors"),
        ["marks without end"] = (new string('(', 2_000_000), "more than 1000000 instructions"),
        ["dictionaries without end"] = (new string('}', 2_000_000), "more than 1000000 instructions"),
        ["much longer than needed"] = (new string('}', (16 << 20) + 1), "larger than 16 megabytes"),
        ["no tensor"] = ("}(X\u0005\0\0\0epochK\u0001u.", "no tensors by name, but: epoch"),
    };

    private static IEnumerable<string> HostileNames => Hostile.Keys;

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("weights-").FullName;

    [TearDown]
    public void DropFolder() => Directory.Delete(_folder, true);

    [TestCase("transposed", new long[] { 6, 4 }, new[] { 0.0, 6, 12, 18, 1, 7 })]
    [TestCase("window", new long[] { 2, 3 }, new[] { 8.0, 9, 10, 14, 15, 16 })]
    [TestCase("shared", new long[] { 2 }, new[] { 5.0, 6 })]
    [TestCase("scalar", new long[] { }, new[] { 7.0 })]
    [TestCase("empty", new long[] { 0, 3 }, new double[] { })]
    [TestCase("parameter", new long[] { 2 }, new[] { 1.0, 2 })]
    [TestCase("float64", new long[] { 3 }, new[] { 0, 1 / 3.0, 2 / 3.0 })]
    [TestCase("float16", new long[] { 3 }, new[] { 0, 0.25, 0.5 })]
    [TestCase("bfloat16", new long[] { 3 }, new[] { 0, 0.25, 0.5 })]
    [TestCase("int32", new long[] { 3 }, new[] { 0.0, 1, 2 })]
    [TestCase("int16", new long[] { 3 }, new[] { 0.0, 1, 2 })]
    [TestCase("int8", new long[] { 3 }, new[] { 0.0, -1, -2 })]
    [TestCase("uint8", new long[] { 3 }, new[] { 250.0, 251, 252 })]
    [TestCase("bool", new long[] { 3 }, new[] { 0.0, 0, 1 })]
    public void PyTorchFile_GivesTensors_OfEveryTypeAndLayout(string name, long[] shape, double[] start)
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (string path in (string[])["types.pth", "types_legacy.pth"])
        {
            using WeightsFile file = WeightsFile.Open(Golden.Path("Weights", path));
            Tensor values = file.Read(name);
            Assert.That(values.shape, Is.EqualTo(shape));
            Assert.That(file.Tensors[name].Shape, Is.EqualTo(shape));
            Assert.That(values.dtype, Is.EqualTo(file.Tensors[name].Type));
            Assert.That(TensorArrays.Floats(values)[..start.Length], Is.EqualTo(start).Within(1e-6), path);
        }
    }

    [Test]
    public void PyTorchFile_SkipsWhatIsNoTensor()
    {
        foreach (string path in (string[])["types.pth", "types_legacy.pth"])
        {
            using WeightsFile file = WeightsFile.Open(Golden.Path("Weights", path));
            Assert.That(file.Tensors.Keys, Does.Not.Contain("note").And.Not.Contain("size"));
        }
    }

    [Test]
    public void EveryFormat_HoldsTheSameParameters()
    {
        using DisposeScope scope = NewDisposeScope();
        using WeightsFile plain = WeightsFile.Open(Golden.Path("Weights", "plain.pth"));
        using WeightsFile nested = WeightsFile.Open(Golden.Path("Weights", "nested.pt"));
        using WeightsFile legacy = WeightsFile.Open(Golden.Path("Weights", "legacy.pth"));
        using WeightsFile safetensors = WeightsFile.Open(Golden.Path("Weights", "plain.safetensors"));
        Assert.That(plain.Tensors, Has.Count.EqualTo(12));
        Assert.That(nested.Tensors.Keys, Is.EquivalentTo(plain.Tensors.Keys.Select(n => "module." + n)));
        Assert.That(legacy.Tensors.Keys, Is.EquivalentTo(plain.Tensors.Keys));
        Assert.That(safetensors.Tensors.Keys, Is.EquivalentTo(plain.Tensors.Keys));
        foreach (string name in plain.Tensors.Keys)
        {
            float[] expected = TensorArrays.Floats(plain.Read(name));
            Assert.That(TensorArrays.Floats(nested.Read("module." + name)), Is.EqualTo(expected), name);
            Assert.That(TensorArrays.Floats(legacy.Read(name)), Is.EqualTo(expected), name);
            Assert.That(TensorArrays.Floats(safetensors.Read(name)), Is.EqualTo(expected).Within(1e-3), name);
        }
    }

    [TestCase("hostile.pth", "posix.system")]
    [TestCase("module.pth", "__main__.Plain")]
    public void FileThatIsMoreThanTensors_IsRefused_ByName(string name, string reason)
    {
        string path = Golden.Path("Weights", name);
        Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<FormatException>().With.Message.Contains(reason).And.Message
            .Contains(path));
        Assert.That(File.Exists("hostile-ran"), Is.False);
    }

    [TestCaseSource(nameof(HostileNames))]
    public void HostilePickle_IsAnError(string name)
    {
        (string pickle, string reason) = Hostile[name];
        string path = WriteArchive(("x/data.pkl", Encoding.Latin1.GetBytes(pickle)));
        Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<FormatException>().With.Message.Contains(reason));
    }

    [TestCase(0, 8, 1, "")]
    [TestCase(1, 8, 1, "does not match its storage")]
    [TestCase(0, 9, 1, "does not match its storage")]
    [TestCase(0, 100, 0, "does not match its storage")]
    [TestCase(0, 2, 100, "does not match its storage")]
    [TestCase(0, -1, 1, "does not match its storage")]
    public void TensorBeyondItsStorage_IsAnError(int offset, int size, int stride, string reason)
    {
        string pickle = $"}}(X\u0001\0\0\0w{Window}"
            + $"J{Int(offset)}J{Int(size)}\u0085J{Int(stride)}\u0085\u0089ccollections\nOrderedDict\n)RtRu.";
        string path = WriteArchive(("x/data.pkl", Encoding.Latin1.GetBytes(pickle)), ("x/data/0", new byte[32]));
        if (reason.Length > 0)
        {
            Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<FormatException>().With.Message.Contains(reason));
            return;
        }

        using WeightsFile file = WeightsFile.Open(path);
        using Tensor values = file.Read("w");
        Assert.That(values.shape, Is.EqualTo(new long[] { size }));
    }

    [TestCase("\u008a\u0001\u0004", "")]
    [TestCase("\u008a\u0005\0\0\0\0\u0001", "does not match its storage")]
    [TestCase("\u008a\u0009\0\0\0\0\0\0\0\0\u0001", "PyTorch does not")]
    public void LongIntegers_AreOffsetsToo(string offset, string reason)
    {
        string pickle = $"}}(X\u0001\0\0\0w{Window}{offset}"
            + "\u008a\u0001\u0002\u0085\u008a\u0001\u0001\u0085\u0089ccollections\nOrderedDict\n)RtRu.";
        float[] values = [0, 1, 2, 3, 4, 5, 6, 7];
        string path = WriteArchive(
            ("x/data.pkl", Encoding.Latin1.GetBytes(pickle)), ("x/data/0", MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        if (reason.Length > 0)
        {
            Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<FormatException>().With.Message.Contains(reason));
            return;
        }

        using DisposeScope scope = NewDisposeScope();
        using WeightsFile file = WeightsFile.Open(path);
        Assert.That(TensorArrays.Floats(file.Read("w")), Is.EqualTo(new[] { 4f, 5 }));
    }

    [Test]
    public void StorageThatUnpacksToMoreThanTheFile_IsRefused()
    {
        const int Stride = 4_000_000;
        string pickle = $"}}(X\u0001\0\0\0w{Window}"
            + $"K\0K\u0002K\u0002\u0086J{Int(Stride)}K\u0001\u0086\u0089ccollections\nOrderedDict\n)RtRu.";
        string path = WriteArchive(("x/data.pkl", Encoding.Latin1.GetBytes(pickle)), ("x/data/0", new byte[4 * (Stride + 2)]));
        Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<FormatException>().With.Message.Contains("unpacks to more"));
    }

    [Test]
    public void Messages_AreShort_HoweverMuchAFileHolds()
    {
        var keys = new StringBuilder("}(");
        for (int i = 0; i < 100_000; i++) keys.Append('K').Append((char)(i % 256)).Append("K\u0001");
        string letters = new('x', 4000), many = new('y', 1_000_000);
        string[] pickles =
        [
            keys + "u.",
            "}(" + string.Concat(Enumerable.Range(0, 1000).Select(i => $"X{Int(4000)}{i:0000}{letters[4..]}K\u0001")) + "u.",
            $"c{many}\n{many}\n.",
            $"}}(X{Int(many.Length)}{many}K\u0001u.",
            $"}}(X{Int(4000)}{letters}{Window}"
                + $"K\0({string.Concat(Enumerable.Repeat("K\u0001", 100_000))}t)tRu.",
        ];
        foreach (string pickle in pickles)
        {
            string path = WriteArchive(("x/data.pkl", Encoding.Latin1.GetBytes(pickle)), ("x/data/0", new byte[32]));
            FormatException error = Assert.Throws<FormatException>(() => WeightsFile.Open(path))!;
            Assert.That(error.Message, Has.Length.LessThan(2000));
            File.Delete(path);
        }
    }

    [Test]
    public void CutOrForeignFiles_AreErrors()
    {
        byte[] whole = File.ReadAllBytes(Golden.Path("Weights", "plain.pth"));
        string cut = Path.Combine(_folder, "cut.pth");
        for (int length = 0; length < whole.Length; length += 97)
        {
            File.WriteAllBytes(cut, whole[..length]);
            Assert.That(() => WeightsFile.Open(cut), Throws.TypeOf<FormatException>(), $"{length} bytes");
        }

        string zip = WriteArchive(("readme.txt", []));
        Assert.That(() => WeightsFile.Open(zip), Throws.TypeOf<FormatException>().With.Message.Contains("no data.pkl"));
        Assert.That(() => WeightsFile.Open(Path.Combine(_folder, "none.pth")), Throws.TypeOf<FileNotFoundException>());
    }

    [Test]
    public void DamagedPickles_AreErrors_NeverAnythingElse()
    {
        using ZipArchive archive = ZipFile.OpenRead(Golden.Path("Weights", "plain.pth"));
        using Stream stream = archive.GetEntry("plain/data.pkl")!.Open();
        var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        byte[] pickle = buffer.ToArray();
        var random = new Random(1);
        for (int i = 0; i < 3000; i++)
        {
            byte[] damaged = [.. pickle];
            for (int k = random.Next(1, 4); k > 0; k--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                PickleReader.Read(damaged, new TorchVocabulary());
            }
            catch (FormatException)
            {
                // The one error that is allowed.
            }
        }
    }

    [TestCase("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "")]
    [TestCase("""{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "does not match its place")]
    [TestCase("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", "does not match its place")]
    [TestCase("""{"w":{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}}""", "does not match its place")]
    [TestCase("""{"w":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}""", "the type F4")]
    [TestCase("""{"w":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}""", "cannot be read")]
    [TestCase("""{"w":{"dtype":"F32"}}""", "header is damaged")]
    [TestCase("""{"w":""", "header is damaged")]
    [TestCase("", "cannot be read")]
    [TestCase("[]", "neither a PyTorch")]
    [TestCase("""{"w":[]}""", "header is damaged")]
    [TestCase("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[]}}""", "does not say all")]
    [TestCase("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "does not say all")]
    [TestCase("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,16]}}""", "does not say all")]
    [TestCase("""{"w":{"dtype":"F32","shape":[2],"data_offsets":{"a":1}}}""", "header is damaged")]
    [TestCase("""{"w":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "header is damaged")]
    [TestCase("""{"w":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}""", "header is damaged")]
    [TestCase("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":[]}}""", "'more'")]
    [TestCase("""{"__metadata__":{"format":1},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "header is damaged")]
    public void SafetensorsHeader_IsChecked(string header, string reason)
    {
        string path = Path.Combine(_folder, "w.safetensors");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[8]]);
        if (reason.Length > 0) Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<FormatException>().With.Message.Contains(reason));
        else using (WeightsFile file = WeightsFile.Open(path)) Assert.That(file.Tensors, Contains.Key("w"));
    }

    [TestCase('[')]
    [TestCase('1')]
    public void LongSafetensorsHeader_IsReadNoFurtherThanItIsOne(char kind)
    {
        string filling = string.Concat(kind == '[' ? Enumerable.Repeat("[],", 8_000_000) : Enumerable.Repeat("1,", 12_000_000));
        byte[] header = Encoding.ASCII.GetBytes("{\"w\":{\"shape\":[" + filling + "1]}}");
        string path = Path.Combine(_folder, "long.safetensors");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<FormatException>().With.Message.Length.LessThan(2000));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(header.Length + 1_000_000));
        using (FileStream file = File.OpenWrite(path))
        {
            file.Write(BitConverter.GetBytes(150_000_000L));
            file.SetLength(150_000_010);
        }

        Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<FormatException>().With.Message.Contains("longer than"));
    }

    private string WriteArchive(params (string Name, byte[] Content)[] entries)
    {
        string path = Path.Combine(_folder, "made.pth");
        using ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach ((string name, byte[] content) in entries)
        {
            using Stream stream = archive.CreateEntry(name).Open();
            stream.Write(content);
        }

        return path;
    }

    private static string Int(int value) => Encoding.Latin1.GetString(BitConverter.GetBytes(value));
}
