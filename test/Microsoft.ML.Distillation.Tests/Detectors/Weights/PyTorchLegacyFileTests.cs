using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Weights;

/// <summary>Checkpoints of PyTorch before 1.6, forged byte by byte: what Golden's scripts cannot make, and what nobody should.</summary>
public class PyTorchLegacyFileTests
{
    private const string Magic = "\u0080\u0002\u008a\n\u006c\u00fc\u009c\u0046\u00f9\u0020\u006a\u00a8\u0050\u0019.";
    private const string Version = "\u0080\u0002M\u00e9\u0003.";
    private const string Machine = "\u0080\u0002}X\r\0\0\0little_endian\u0088s.";
    private const string Keys = "\u0080\u0002](X\u0001\0\0\0ke.";
    private const string Hooks = "ccollections\nOrderedDict\n)R";

    private static readonly float[] Values = [0, 1, 2, 3, 4, 5, 6, 7];
    private static readonly string Root = Saved(Tensor());

    private static readonly Dictionary<string, (byte[] File, string Reason)> Bad = new()
    {
        ["another number in the place of the magic one"] = (Forge(magic: "\u0080\u0002K\u0001."), "no checkpoint of PyTorch's"),
        ["another version"] = (Forge(version: "\u0080\u0002M\u00ea\u0003."), "format that is not known"),
        ["a version that is a list"] = (Forge(version: "\u0080\u0002]."), "format that is not known"),
        ["a machine of the other byte order"] = (Forge(machine: "\u0080\u0002}X\r\0\0\0little_endian\u0089s."), "not little-endian"),
        ["a machine without a byte order"] = (Forge(machine: "\u0080\u0002}."), "not little-endian"),
        ["a function called where the machine belongs"] = (Forge(machine: "cos\nsystem\n(X\u0001\0\0\0xtR."), "os.system"),
        ["a function called where the tensors belong"] = (Forge(root: "cbuiltins\neval\n(X\u0001\0\0\0xtR."), "builtins.eval"),
        ["a function called where the names belong"] = (Forge(keys: "cposix\nsystem\n."), "posix.system"),
        ["an instance of a class"] = (Forge(root: "ios\nsystem\n."), "0x69"),
        ["a persistent identifier as a line"] = (Forge(root: "Pstorage\n."), "0x50"),
        ["attributes for a number"] = (Forge(root: "K\u0001}b."), "attributes to what has none"),
        ["a module in the place of a storage"] =
            (Forge(root: Saved(Tensor(storage: "(X\u0006\0\0\0moduleNX\u0001\0\0\0kNNtQ"))), "not the storage"),
        ["names that are no list"] = (Forge(keys: "K\u0001."), "does not name its storages"),
        ["a name that is a number"] = (Forge(keys: "](K\u0001e."), "no tensor has"),
        ["a storage that no tensor has"] = (Forge(keys: "](X\u0001\0\0\0ze."), "no tensor has"),
        ["a storage that is not listed"] = (Forge(keys: "]."), "storage 'k' is missing"),
        ["a storage that is listed twice"] =
            (Forge(keys: "](X\u0001\0\0\0kX\u0001\0\0\0ke.", storages: [(8, Values), (8, Values)]), "'k' twice"),
        ["fewer values than were said"] = (Forge(storages: [(7, Values)]), "8 values, and 7"),
        ["more values than were said"] = (Forge(storages: [(9, Values)]), "8 values, and 9"),
        ["fewer values than none"] = (Forge(storages: [(-1, Values)]), "8 values, and -1"),
        ["fewer values than none, said twice"] =
            (Forge(root: Saved(Tensor(count: "J\u00ff\u00ff\u00ff\u00ff")), storages: [(-1, Values)]), "and -1"),
        ["values of gigabytes"] =
            (Forge(root: Saved(Tensor(count: "J\u0000\u0000\u0000\u0070")), storages: [(0x70000000, Values)]), "ends within"),
        ["values beyond any file"] = (Forge(root: Saved(Tensor(count: "\u008a\u0008\0\0\0\0\0\0\0\u0070")),
            storages: [(0x7000000000000000, Values)]), "cannot be read"),
        ["a storage of two types"] = (Forge(root: Saved(Tensor(), Tensor(type: "DoubleStorage"))), "contradicts itself"),
        ["a storage of two sizes"] = (Forge(root: Saved(Tensor(), Tensor(count: "K\u0009"))), "contradicts itself"),
        ["a tensor that begins behind its storage"] = (Forge(root: Saved(Tensor(offset: "K\u0009"))), "does not match its storage"),
        ["a tensor that ends behind its storage"] = (Forge(root: Saved(Tensor(offset: "K\u0007"))), "does not match its storage"),
        ["a tensor before its storage"] = (Forge(root: Saved(Tensor(offset: "J\u00ff\u00ff\u00ff\u00ff"))), "does not match its storage"),
        ["a stride beyond the storage"] = (Forge(root: Saved(Tensor(stride: "J\u0000\u0000\u0000\u0010"))), "does not match its storage"),
        ["a stride backwards"] = (Forge(root: Saved(Tensor(stride: "J\u00ff\u00ff\u00ff\u00ff"))), "does not match its storage"),
        ["values repeated without end"] =
            (Forge(root: Saved(Tensor(size: "J\u0000\u0000\u0000\u0070", stride: "K\0"))), "does not match its storage"),
        ["a view that begins behind its storage"] =
            (Forge(root: Saved(Tensor(view: View("K\u0009", "K\0")))), "does not match its storage"),
        ["a view that ends behind its storage"] =
            (Forge(root: Saved(Tensor(view: View("K\u0007", "K\u0002")))), "does not match its storage"),
        ["a view before its storage"] =
            (Forge(root: Saved(Tensor(view: View("J\u00ff\u00ff\u00ff\u00ff", "K\u0002")))), "does not match its storage"),
        ["a view of less than none"] =
            (Forge(root: Saved(Tensor(view: View("K\u0002", "J\u00ff\u00ff\u00ff\u00ff")))), "does not match its storage"),
        ["a view smaller than its tensor"] = (Forge(root: Saved(Tensor(view: View("K\u0002", "K\u0001")))), "does not match its storage"),
        ["a view that is no triple"] = (Forge(root: Saved(Tensor(view: "K\u0001"))), "not the storage"),
    };

    private string _path = "";

    [SetUp]
    public void MakeFile() => _path = Path.GetTempFileName();

    [TearDown]
    public void DropFile() => File.Delete(_path);

    [Test]
    public void Tensor_IsReadFromItsPlace() => Assert.That(Read(Forge()), Is.EqualTo(new[] { 1f, 2 }));

    [Test]
    public void View_BeginsInItsStorage()
        => Assert.That(Read(Forge(root: Saved(Tensor(view: View("K\u0003", "K\u0004"))))), Is.EqualTo(new[] { 4f, 5 }));

    [Test]
    public void TensorOfTheFirstVersions_IsRead()
        => Assert.That(Read(Forge(root: Saved(Tensor(maker: "_rebuild_tensor", rest: "")))), Is.EqualTo(new[] { 1f, 2 }));

    [Test]
    public void ParameterOfTheFirstVersions_IsItsTensor()
    {
        // A parameter was called with its tensor, and told by attributes whether it learns.
        string parameter = $"ctorch.nn.parameter\nParameter\n{Tensor(maker: "_rebuild_tensor", rest: "")}\u0085R(\u0088\u0089{Hooks}tb";
        Assert.That(Read(Forge(root: Saved(parameter))), Is.EqualTo(new[] { 1f, 2 }));
    }

    [Test]
    public void DictionaryAndTextsOfPython2_AreRead()
        => Assert.That(
            Read(Forge(
                // A list of lists, each of a name and a tensor.
                root: $"\u0080\u0002ccollections\nOrderedDict\n](](U\u0001w{Tensor(text: 'U')}e](U\u0001v{Tensor(text: 'U')}ee\u0085R.",
                keys: "](U\u0001ke.")),
            Is.EqualTo(new[] { 1f, 2 }));

    [Test]
    public void SharedStorages_AreReadOnce_ByEachTensor()
    {
        using DisposeScope scope = NewDisposeScope();
        File.WriteAllBytes(_path, Forge(root: Saved(Tensor(), Tensor(offset: "K\u0006"))));
        using WeightsFile file = WeightsFile.Open(_path);
        Assert.That(TensorArrays.Floats(file.Read("w")), Is.EqualTo(new[] { 1f, 2 }));
        Assert.That(TensorArrays.Floats(file.Read("v")), Is.EqualTo(new[] { 6f, 7 }));
    }

    [TestCaseSource(nameof(BadNames))]
    public void BadFile_IsAnError(string name)
    {
        (byte[] file, string reason) = Bad[name];
        File.WriteAllBytes(_path, file);
        Assert.That(() => WeightsFile.Open(_path), Throws.TypeOf<FormatException>().With.Message.Contains(reason).And.Message
            .Contains(_path));
    }

    [Test]
    public void CutFile_IsAnError_WhereverItIsCut()
    {
        byte[] whole = File.ReadAllBytes(Golden.Path("Weights", "types_legacy.pth"));
        for (int length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(_path, whole[..length]);
            Assert.That(() => WeightsFile.Open(_path), Throws.TypeOf<FormatException>(), $"{length} bytes");
        }
    }

    [Test]
    public void DamagedFile_GivesTensorsOrAnError_NeverAnythingElse()
    {
        byte[] whole = File.ReadAllBytes(Golden.Path("Weights", "types_legacy.pth"));
        var random = new Random(1);
        int read = 0;
        for (int i = 0; i < 1000; i++)
        {
            byte[] damaged = [.. whole];
            for (int k = random.Next(1, 4); k > 0; k--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(_path, damaged);
            try
            {
                using DisposeScope scope = NewDisposeScope();
                using WeightsFile file = WeightsFile.Open(_path);
                foreach (string name in file.Tensors.Keys) file.Read(name);
                read++;
            }
            catch (FormatException)
            {
                // The one error that is allowed.
            }
        }

        Assert.That(read, Is.GreaterThan(50), "damaged values are values");
    }

    private static IEnumerable<string> BadNames => Bad.Keys;

    private float[] Read(byte[] content)
    {
        File.WriteAllBytes(_path, content);
        using DisposeScope scope = NewDisposeScope();
        using WeightsFile file = WeightsFile.Open(_path);
        return TensorArrays.Floats(file.Read("w"));
    }

    private static byte[] Forge(
        string magic = Magic, string version = Version, string machine = Machine, string? root = null, string keys = Keys,
        (long Count, float[] Values)[]? storages = null)
    {
        var file = new List<byte>(Encoding.Latin1.GetBytes(magic + version + machine + (root ?? Root) + keys));
        foreach ((long count, float[] values) in storages ?? [(Values.Length, Values)])
        {
            file.AddRange(BitConverter.GetBytes(count));
            file.AddRange(MemoryMarshal.AsBytes(values.AsSpan()));
        }

        return [.. file];
    }

    /// <summary>The pickle of a dictionary of one tensor, w, or of two, w and v.</summary>
    private static string Saved(string w, string? v = null)
        => $"\u0080\u0002}}(X\u0001\0\0\0w{w}{(v is null ? "" : $"X\u0001\0\0\0v{v}")}u.";

    /// <summary>The instructions for a tensor of two values from the second on.</summary>
    private static string Tensor(
        string maker = "_rebuild_tensor_v2", string type = "FloatStorage", string count = "K\u0008", string view = "N",
        string offset = "K\u0001", string size = "K\u0002", string stride = "K\u0001", string rest = "\u0089" + Hooks,
        string? storage = null, char text = 'X')
    {
        storage ??= $"({Text("storage", text)}ctorch\n{type}\n{Text("k", text)}{Text("cpu", text)}{count}{view}tQ";
        return $"ctorch._utils\n{maker}\n({storage}{offset}{size}\u0085{stride}\u0085{rest}tR";
    }

    private static string Text(string text, char kind) => kind == 'X' ? $"X{(char)text.Length}\0\0\0{text}" : $"U{(char)text.Length}{text}";

    private static string View(string start, string count) => $"X\u0001\0\0\0v{start}{count}\u0087";
}
