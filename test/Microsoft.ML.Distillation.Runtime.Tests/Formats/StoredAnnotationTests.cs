using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>Photos that were annotated on their side, as the size in the annotation tells.</summary>
public class StoredAnnotationTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Boxes_AreTurnedWithThePixels_WhereTheSizeIsTheStoredOne([Values(5, 6, 7, 8)] int orientation)
    {
        Photo("a", orientation, 60, 30);
        AnnotatedImage upright = Read().Single();
        var turn = ImageTurn.Of((SkiaSharp.SKEncodedOrigin)orientation, new ImageSize(60, 30));
        (float x0, float y0, float x1, float y1) = turn.Turn(4, 6, 14, 26);
        Assert.That((upright.Size, upright.WasStored), Is.EqualTo(((ImageSize?)new ImageSize(30, 60), true)));
        Assert.That(upright.Objects.Single(), Is.EqualTo(new AnnotatedObject("x", x0, y0, x1, y1)));
    }

    [Test]
    public void UprightAnnotation_StaysAsItIs()
    {
        Photo("a", 6, 60, 30, annotatedWidth: 30, annotatedHeight: 60);
        AnnotatedImage image = Read().Single();
        Assert.That((image.WasStored, image.Objects.Single().X0), Is.EqualTo((false, 4f)));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void PhotoOnItsHead_IsAsTheOthersOfItsDataSet(bool othersAreStored)
    {
        Photo("a", 3, 60, 30);
        Photo("b", 6, 60, 30, othersAreStored ? 60 : 30, othersAreStored ? 30 : 60);
        Assert.That(Read().Select(image => image.WasStored), Is.EqualTo((bool[])[othersAreStored, othersAreStored]));
        Assert.That(Read()[0].Objects.Single().X0, Is.EqualTo(othersAreStored ? 46 : 4));
    }

    [Test]
    public void Inspection_CountsThem_AndLogSaysItOnce()
    {
        Photo("a", 6, 60, 30);
        Photo("b", 1, 60, 30);
        Photo("c", 8, 60, 30, 30, 60);
        var mlContext = new MLContext();
        var log = new List<string>();
        mlContext.Log += (_, line) => log.Add(line.RawMessage);
        DetectionDataInspection found = mlContext.Data.InspectDetections(_folder.Path);
        Assert.That((found.TurnedImages, found.StoredAnnotations, found.Defects.Count), Is.EqualTo((2, 1, 0)));
        IDataView rows = mlContext.Data.LoadDetections(_folder.Path);
        for (int i = 0; i < 2; i++) _ = mlContext.Data.CreateEnumerable<PathRow>(rows, reuseRowObject: false).ToArray();
        Assert.That(log.Where(line => line.Contains("annotations of 1 photos") && line.Contains("a.jpg")).Count(), Is.EqualTo(1));
    }

    private AnnotatedImage[] Read() => [.. AnnotationReader.Read(DetectionFormat.PascalVoc, new AnnotationSource(_folder.Path))];

    private void Photo(string name, int orientation, int width, int height, int? annotatedWidth = null, int? annotatedHeight = null)
    {
        byte[] jpeg = EncodedImages.Encode(DrawnImages.Noise(width, height, seed: name[0]), ".jpg");
        File.WriteAllBytes(_folder.Sub(name + ".jpg"), EncodedImages.WithExif(jpeg, (byte)orientation, jpeg));
        _folder.Write(name + ".xml", $"""
            <annotation><filename>{name}.jpg</filename>
            <size><width>{annotatedWidth ?? width}</width><height>{annotatedHeight ?? height}</height></size>
            <object><name>x</name><bndbox><xmin>4</xmin><ymin>6</ymin><xmax>14</xmax><ymax>26</ymax></bndbox></object></annotation>
            """);
    }

    private sealed class PathRow
    {
        public string ImagePath { get; set; } = "";
    }
}
