using System.Text;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>
/// Ten thousand mutations of good files for each reader: it either reads them, and then what it gives keeps its promises, or
/// reports file and line. The seed is fixed, so that a failure can be seen again.
/// </summary>
public class FormatFuzzTests
{
    private const int Inputs = 10_000;
    private const int Seed = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public void Reader_GivesGoodObjects_OrItsOwnError([Values] DetectionFormat format)
        => Fuzz([Samples.Of(format), .. MoreSeeds(format)], content =>
        {
            foreach (AnnotatedImage image in Parsing.Read(format, content)) AssertGood(image);
        });

    [Test]
    public void Reader_ThatGoesOn_GivesGoodObjects_AndNotesTheRest([Values] DetectionFormat format)
        => Fuzz([Samples.Of(format), .. MoreSeeds(format)], content =>
        {
            var notes = new AnnotationNotes(skipsFaults: true);
            foreach (AnnotatedImage image in Parsing.Read(format, content, notes)) AssertGood(image);
            Assert.That(notes.Faults.Select(fault => fault.Message), Is.All.Match(@"^file\(\d+\): "));
        });

    [Test]
    public void CocoGroundTruth_ToEvaluate_GivesGoodObjects_OrItsOwnError()
        => Fuzz([Samples.Coco, .. MoreSeeds(DetectionFormat.Coco)], content =>
        {
            CocoFile file = CocoParser.Parse(new MemoryStream(content), Parsing.File, toEvaluate: true);
            Assert.That(file.Measures.All(measure => IsGood(measure.Box) && measure.Area is null or >= 0));
        });

    [Test]
    public void CocoResults_GiveGoodDetections_OrTheirOwnError()
        => Fuzz(
            [
                """[{"image_id":42,"category_id":18,"bbox":[258.15,41.29,348.26,243.78],"score":0.236},"""
                    + """{"image_id":"b","category_id":"c","bbox":[0,0,1,1],"score":-1,"more":[{}],"file_name":"a"}]""",
                "[]",
            ],
            content => Assert.That(CocoResults.Parse(new MemoryStream(content), Parsing.File)
                .All(found => IsGood(found.Box) && double.IsFinite(found.Score))));

    [Test]
    public void DataYaml_GivesNames_OrItsOwnError()
        => Fuzz(
            ["path: x\ntrain: images/train\nval:\n- a\n- b\nnc: 2\nnames:\n  0: cat\n  1: 'dog''s'\n",
                "names: [cat, \"d\\u00f6g\"] # two\n", "names: {0: a, 1: b}\n",
                "%YAML 1.1\n--- &r\na: &a !!str [x, *b]\nnames: *a\nb: >-\n  two\n  \"\\U0001F600\"\n? k\n: v\n..."],
            content =>
            {
                YoloDataFile file = YoloDataFile.Read(Parsing.Lines(content));
                _ = file.Splits.Count() + file.Split("val").Count + file.Split("train").Count;
                Assert.That(file.ReadNames().All.Select(pair => pair.Value), Is.All.Not.Empty);
            });

    [Test]
    public void NamesFiles_GiveNames_OrTheirOwnError()
        => Fuzz(["n00000001 1 cat\nn00000002 dog, hound\n", "LabelName,DisplayName\n/m/1,\"Cat, wild\"\n/m/2,Dog\n", "cat\ndog\n"],
            content =>
        {
            Action[] readers = [() => ClassCodes.ReadSynsets(Parsing.Lines(content)),
                () => ClassCodes.ReadMachineIds(Parsing.Lines(content)), () => YoloNames.ReadList(Parsing.Lines(content))];
            foreach (Action read in readers)
            {
                try
                {
                    read();
                }
                catch (FormatException exception) when (IsOwn(exception))
                {
                }
            }
        });

    [Test]
    public void Lists_NameImagesOnce_OrGiveTheirOwnError([Values] bool numbered)
        => Fuzz(["2007_000027\n2007_000032\n\n  döner.png \n", "x/a 1\r\nextra/b c 2\r\n"], content =>
        {
            try
            {
                List<ListedName> names = SplitList.Read(Parsing.Lines(content), numbered);
                Assert.That(names.Select(entry => entry.Name), Is.Unique.And.All.Not.Empty);
                Assert.That(names.Select(entry => entry.Line), Is.Ordered.And.All.Positive);
            }
            catch (FileNotFoundException exception) when (exception.FileName == Parsing.File)
            {
            }
        });

    [Test]
    public void ImageFile_GivesASize_AndPixels_OrItsOwnError()
    {
        Fuzz([.. EncodedImages.Kinds.Select(kind => EncodedImages.Encode(DrawnImages.Noise(9, 7), kind))], content =>
        {
            using ImageFile image = ImageFile.Open(content, Parsing.File);
            Assert.That(image.Size is { Width: > 0, Height: > 0 });
            // A claim of a gigantic image is the header's; decoding it is another matter.
            if ((long)image.Size.Width * image.Size.Height < 1 << 20) Assert.That(image.Decode().Pixels, Is.Not.Empty);
        });
    }

    private static string[] MoreSeeds(DetectionFormat format) => format switch
    {
        DetectionFormat.PascalVoc => [
            "<!DOCTYPE annotation [<!ENTITY a "
            + "'cat'>]><annotation>\n<object><name>&a;</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>"
            + "</object></annotation>",
            "<annotation><object><name>a</name><polygon><x1>1</x1><y1>1</y1><x2>5</x2><y2>9</y2></polygon></object>"
            + "<object><name>a</name><robndbox><cx>9</cx><cy>9</cy><w>3</w><h>4</h><angle>1</angle></robndbox></object></annotation>"],
        DetectionFormat.Yolo => ["0 .1 .2 .5 .2 .3 .6\n1 .1 .2 .5 .2 .5 .6 .1 .6\n"],
        DetectionFormat.Coco => ["""{"images":[{"id":1,"file_name":"a"}],"categories":[{"id":1,"name":"c"}],"annotations":["""
            + """{"id":1,"image_id":1,"category_id":1,"bbox":[1,2,3,4],"ignore":1}]}""",
            """{"images":[{"id":1,"file_name":"a"}],"categories":[{"id":1,"name":"c"}],"annotations":["""
            + """{"image_id":1,"category_id":1,"segmentation":[[1,2,3,4,5,6],[7,8,9,1]]},"""
            + """{"image_id":1,"category_id":1,"segmentation":{"size":[5,6],"counts":[11,3,2,3,11]}},"""
            + """{"image_id":1,"category_id":1,"bbox":null,"segmentation":{"size":[5,6],"counts":";32N9"}}]}"""],
        _ => [],
    };

    private static void Fuzz(IReadOnlyList<string> seeds, Action<byte[]> read) => Fuzz([.. seeds.Select(Encoding.UTF8.GetBytes)], read);

    private static void Fuzz(byte[][] seeds, Action<byte[]> read)
    {
        var mutator = new Mutator(Seed, seeds);
        int accepted = 0, rejected = 0;
        string current = "";
        var worker = Task.Run(() =>
        {
            for (int i = 0; i < Inputs; i++)
            {
                byte[] content = mutator.Next();
                current = Convert.ToBase64String(content);
                try
                {
                    read(content);
                    accepted++;
                }
                catch (FormatException exception) when (IsOwn(exception))
                {
                    rejected++;
                }
                catch (Exception exception)
                {
                    throw new InvalidOperationException($"Input {i} ({Encoding.Latin1.GetString(content)}): {exception}", exception);
                }
            }
        });
        Assert.That(() => worker.Wait(Limit), Is.True, $"A reader hangs, perhaps on the input {current}");
        TestContext.Out.WriteLine($"{accepted} accepted, {rejected} rejected");
        // Otherwise the mutations are all of one kind and test nothing.
        Assert.That(accepted, Is.GreaterThan(Inputs / 100));
    }

    private static bool IsOwn(FormatException exception)
        => exception is UnreadableImageException || exception.Message.StartsWith(Parsing.File + "(", StringComparison.Ordinal);

    private static bool IsGood(CocoBox box)
        => double.IsFinite(box.X) && double.IsFinite(box.Y) && double.IsFinite(box.X1) && double.IsFinite(box.Y1)
            && box is { Width: >= 0, Height: >= 0 };

    private static void AssertGood(AnnotatedImage image)
    {
        // Not NUnit's constraints: they would take most of the time.
        foreach (AnnotatedObject item in image.Objects)
        {
            bool isGood = float.IsFinite(item.X0) && float.IsFinite(item.Y0) && float.IsFinite(item.X1) && float.IsFinite(item.Y1)
                && item.X1 >= item.X0 && item.Y1 >= item.Y0 && (item.Label.Length > 0 || item.Ignore)
                && item.Truncated is >= 0 and <= 1 && item.Occluded is >= 0 and <= 3 && item.Area is null or >= 0;
            if (!isGood) Assert.Fail(item.ToString());
        }
    }
}
