using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Data;

/// <summary>Groups and don't-care regions travel to evaluation as columns, and not into training.</summary>
public class LeftOutObjectTests
{
    private const string Box = " 0 0 0 0 0 0 0\n";

    private readonly MLContext _mlContext = new(1);
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void DontCare_IsNoClass_AndIsNotTrainedOn()
    {
        WriteKitti("a", "Car 0.5 2 0 1 1 8 8" + Box + "DontCare -1 -1 0 2 2 6 6" + Box);
        WriteKitti("b", "DontCare -1 -1 0 2 2 6 6" + Box);
        IDataView view = Load(DetectionFormat.Kitti);
        Assert.That(view.GetColumn<bool[]>("Ignore"), Is.EqualTo(new bool[][] { [false, true], [true] }));
        Assert.That(view.GetColumn<float[]>("Truncated").First(), Is.EqualTo(new[] { 0.5f, 0 }));
        Assert.That(view.GetColumn<int[]>("Occluded").First(), Is.EqualTo(new[] { 2, 0 }));
        Assert.That(view.GetColumn<uint[]>("Label"), Is.EqualTo(new uint[][] { [1, 0], [0] }));
        using SampleStore store = new DataViewIngest(new()).Read(view);
        Assert.That(store.ClassNames, Is.EqualTo(new[] { "Car" }));
        Assert.That(Enumerable.Range(0, 2).Select(i => store.AnnotationOf(i).Count), Is.EqualTo(new[] { 1, 0 }));
    }

    [Test]
    public void Crowds_AreNotTrainedOn_UnlessTheOptionSaysSo()
    {
        Save("a.png");
        _folder.Write("a.json", """
            {"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "cat"}], "annotations": [
             {"image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], "iscrowd": 1},
             {"image_id": 1, "category_id": 1, "bbox": [2, 2, 4, 4], "area": 5}]}
            """);
        IDataView view = Load(DetectionFormat.Coco);
        Assert.That(view.GetColumn<float[]>("Area").Single(), Is.EqualTo(new float[] { 16, 5 }));
        using SampleStore without = new DataViewIngest(new()).Read(view);
        using SampleStore with = new DataViewIngest(new() { LeftOutColumnNames = [] }).Read(view);
        Assert.That((without.AnnotationOf(0).Count, with.AnnotationOf(0).Count), Is.EqualTo((1, 2)));
    }

    private IDataView Load(DetectionFormat format)
    {
        IDataView view = _mlContext.Data.LoadDetections(_folder.Path, format);
        return _mlContext.Transforms.LoadImages("Image", null, "ImagePath").Append(_mlContext.Transforms.Conversion.MapValueToKey("Label"))
            .Fit(view).Transform(view);
    }

    private void WriteKitti(string name, string text)
    {
        Save($"image_2/{name}.png");
        _folder.Write($"label_2/{name}.txt", text);
    }

    private void Save(string name) => DrawnImages.Save(DrawnImages.Noise(10, 10), _folder.Sub(name));
}
