using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Tests.Rows;

public class DetectionLoaderTests
{
    [Test]
    public void Columns_AreTextAndVariableVectors()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.xml", "<annotation/>");
        DataViewSchema schema = new MLContext().Data.LoadDetections(folder.Path, allowMissingImages: true).Schema;
        Assert.That(schema.Select(column => column.Name), Is.EqualTo(new[]
        {
            "ImagePath", "Label", "BoundingBoxes", "Difficult", "Crowd", "Ignore", "Truncated", "Occluded", "Area", "LabelScore",
            "ImageWidth", "ImageHeight",
        }));
        Assert.That(schema["ImagePath"].Type, Is.EqualTo(TextDataViewType.Instance));
        Assert.That(schema["Label"].Type, Is.EqualTo(new VectorDataViewType(TextDataViewType.Instance)));
        Assert.That(schema["BoundingBoxes"].Type, Is.EqualTo(new VectorDataViewType(NumberDataViewType.Single)));
    }

    [Test]
    public void Rows_CanBeReadAgain_AndStartAnew()
    {
        using var folder = new TemporaryFolder();
        const string Object = "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>";
        folder.Write("a.xml", $"<annotation>{Object}{Object}</annotation>");
        folder.Write("b.xml", "<annotation/>");
        IDataView view = new MLContext().Data.LoadDetections(folder.Path, allowMissingImages: true);
        for (int pass = 0; pass < 2; pass++)
        {
            float[][] boxes = [.. view.GetColumn<float[]>("BoundingBoxes")];
            Assert.That(boxes, Is.EqualTo(new float[][] { [1, 2, 3, 4, 1, 2, 3, 4], [] }));
            string[][] labels = [.. view.GetColumn<string[]>("Label")];
            Assert.That(labels, Is.EqualTo(new string[][] { ["cat", "cat"], [] }));
        }
    }

    [Test]
    public void MissingFolder_FailsAtOnce()
        => Assert.That(
            () => new MLContext().Data.LoadDetections("no-such-folder"),
            Throws.TypeOf<DirectoryNotFoundException>().With.Message.Contains("no-such-folder"));
}
