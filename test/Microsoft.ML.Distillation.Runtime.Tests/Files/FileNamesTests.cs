using System.Text;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Files;

public class FileNamesTests
{
    private readonly TemporaryFolder _folder = new();

    [OneTimeTearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase(0x00C0, 0x024F)]
    [TestCase(0x1E00, 0x1EFF)]
    [TestCase(0x0400, 0x052F)]
    [TestCase(0x3041, 0x30FF)]
    [TestCase(0xAC00, 0xD7A3)]
    public void OwnDecomposition_IsUnicodes_WhereItIsSaidToBe(int first, int last)
    {
        string[] letters = [.. Enumerable.Range(first, last - first + 1).Select(c => ((char)c).ToString())];
        Assume.That("e\u0301".Normalize(), Is.EqualTo("é"), "this process has ICU");
        Assert.That(letters.Select(FileNames.Decomposed), Is.EqualTo(letters.Select(c => c.Normalize(NormalizationForm.FormD))));
    }

    [TestCase("décran.jpg")]
    [TestCase("Ελλάς ή όχι.png")]
    [TestCase("йёлка 7.webp")]
    [TestCase("이미지 ガラス.bmp")]
    [TestCase("Phở Việt.jpeg")]
    public void Name_IsOne_InBothEncodings_AndInBothModes(string name)
    {
        string composed = name.Normalize(NormalizationForm.FormC), decomposed = name.Normalize(NormalizationForm.FormD);
        Assert.That(FileNames.Key(decomposed), Is.EqualTo(FileNames.Key(composed)));
        Assert.That(FileNames.Decomposed(decomposed), Is.EqualTo(FileNames.Decomposed(composed)).And.EqualTo(decomposed));
    }

    [Test]
    public void Images_AreFound_HoweverTheirAccentsAreEncoded([Values] bool storedComposed)
    {
        NormalizationForm stored = storedComposed ? NormalizationForm.FormC : NormalizationForm.FormD;
        NormalizationForm asked = storedComposed ? NormalizationForm.FormD : NormalizationForm.FormC;
        string folder = Path.Combine(_folder.Path, $"{storedComposed}", "été".Normalize(stored));
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, "café.JPG".Normalize(stored));
        File.WriteAllText(path, "");
        Assert.That(new ImageFiles(folder).Find("café.jpg".Normalize(asked)), Is.EqualTo(path));
        Assert.That(new ImageFiles(folder).Find("café".Normalize(asked)), Is.EqualTo(path));
        Assert.That(new ImageFinder(Path.Combine(_folder.Path, $"{storedComposed}")).Find("été/café.jpg".Normalize(asked)),
            Is.EqualTo(path));
    }
}
