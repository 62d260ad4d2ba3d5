using System.Text;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>
/// Mutations of good files for each reader: it either reads them, and then what it gives keeps its promises, or reports file and line.
/// </summary>
public class FormatFuzzTests
{
    private static IEnumerable<FuzzTarget> Targets =>
    [
        .. Enum.GetValues<DetectionFormat>().SelectMany(OfFormat), GroundTruth, Results, DataYaml, .. NamesFiles, List(numbered: false),
        List(numbered: true), Images, Layout, EmbeddedNames,
    ];

    private static FuzzTarget GroundTruth => Text("COCO to evaluate", [Samples.Coco, .. MoreSeeds(DetectionFormat.Coco)], content =>
    {
        CocoFile file = CocoParser.Parse(new MemoryStream(content), Parsing.File, toEvaluate: true);
        Require(file.Measures.All(measure => IsGood(measure.Box) && measure.Area is null or >= 0));
    });

    private static FuzzTarget Results => Text("COCO results",
        [
            """[{"image_id":42,"category_id":18,"bbox":[258.15,41.29,348.26,243.78],"score":0.236},"""
                + """{"image_id":"b","category_id":"c","bbox":[0,0,1,1],"score":-1,"more":[{}],"file_name":"a"}]""",
            "[]",
        ],
        content => Require(CocoResults.Parse(new MemoryStream(content), Parsing.File)
            .All(found => IsGood(found.Box) && double.IsFinite(found.Score))));

    private static FuzzTarget DataYaml => Text("data.yaml",
        ["path: x\ntrain: images/train\nval:\n- a\n- b\nnc: 2\nnames:\n  0: cat\n  1: 'dog''s'\n",
            "names: [cat, \"d\\u00f6g\"] # two\n", "names: {0: a, 1: b}\nkpt_shape: [17, 3]\n",
            "%YAML 1.1\n--- &r\na: &a !!str [x, *b]\nnames: *a\nb: >-\n  two\n  \"\\U0001F600\"\n? k\n: v\n..."],
        content =>
        {
            YoloDataFile file = YoloDataFile.Read(Parsing.Lines(content));
            _ = file.Splits.Count() + file.Split("val").Count + file.Split("train").Count;
            Require(file.ReadNames().All.All(pair => pair.Value.Length > 0));
        });

    private static IEnumerable<FuzzTarget> NamesFiles =>
    [
        Text("synsets", ["n00000001 1 cat\nn00000002 dog, hound\n"], content => ClassCodes.ReadSynsets(Parsing.Lines(content))),
        Text("machine ids", ["LabelName,DisplayName\n/m/1,\"Cat, wild\"\n/m/2,Dog\n"],
            content => ClassCodes.ReadMachineIds(Parsing.Lines(content))),
        Text("class names", ["cat\ndog\n"], content => YoloNames.ReadList(Parsing.Lines(content))),
    ];

    private static FuzzTarget List(bool numbered) => FuzzTarget.Of(numbered ? "numbered list" : "list",
        ["2007_000027\n2007_000032\n\n  döner.png \n", "x/a 1\r\nextra/b c 2\r\n"],
        content =>
        {
            List<ListedName> names = SplitList.Read(Parsing.Lines(content), numbered);
            Require(names.Select(entry => entry.Name).Distinct().Count() == names.Count && names.All(entry => entry.Name.Length > 0)
                && names.Zip(names.Skip(1)).All(pair => pair.First.Line < pair.Second.Line));
        },
        error => IsOwn(error) || error is FileNotFoundException { FileName: Parsing.File });

    private static FuzzTarget Images => new("image",
        [
            .. EncodedImages.Kinds.Select(kind => EncodedImages.Encode(DrawnImages.Noise(9, 7), kind)),
            EncodedImages.PngWithExif(EncodedImages.Encode(DrawnImages.Noise(9, 7), ".png"), 6, behind: true, bigEndian: false),
            EncodedImages.WithExif(EncodedImages.Encode(DrawnImages.Noise(9, 7), ".jpg"), 6, []),
        ],
        content =>
        {
            using ImageFile image = ImageFile.Open(content, Parsing.File);
            Require(image.Size is { Width: > 0, Height: > 0 });
            // A claim of a gigantic image is the header's; decoding it is another matter.
            if ((long)image.Size.Width * image.Size.Height < 1 << 20) Require(image.Decode().Pixels.Length > 0);
        },
        error => error is UnreadableImageException);

    private static FuzzTarget Layout => Text("layout",
        [
            "boxes: { tensor: dets, column: 0, form: centre-and-size, unit: shares, strides: [8, 16], cell-offset: 0.5 }\n"
                + "classes: { tensor: logits, activation: sigmoid, background: last }\nobjectness: { column: 4 }\nsuppressed: true\n",
            "score: 4\nlabel: { column: 5, first: 1 }\nboxes: 0\nimage: { column: 0 }\ncount: num_dets\nbatch-axis: true\n",
        ],
        content => Require(LayoutFile.Read(Parsing.Lines(content)).Problem is null));

    private static FuzzTarget EmbeddedNames => Text("names in metadata",
        ["{0: 'person', 1: \"b'c\", 2: 'd\\'e'}", "[\"a\", 'b']", "{\"0\": \"x\", \"1\": \"y\"}", "{0: a b, 1: c}"],
        content => Require(EmbeddedClassNames.Parse(Encoding.UTF8.GetString(content))?.All(name => name.Trim().Length > 0) != false));

    private static IEnumerable<string> TargetNames => Targets.Select(target => target.Name);

    [TestCaseSource(nameof(TargetNames))]
    public void Reader_GivesWhatIsGood_OrItsOwnError(string target) => Find(target).Run(FuzzRun.TextCases);

    [Explicit("Minutes; ML_DISTILLATION_FUZZ_CASES says how many.")]
    [TestCaseSource(nameof(TargetNames))]
    public void Reader_GivesWhatIsGood_OrItsOwnError_ForLong(string target) => Find(target).Run(FuzzRun.ManyCases);

    private static FuzzTarget Find(string name) => Targets.Single(target => target.Name == name);

    private static IEnumerable<FuzzTarget> OfFormat(DetectionFormat format)
    {
        string[] seeds = [Samples.Of(format), .. MoreSeeds(format)];
        yield return Text($"{format}", seeds, content =>
        {
            foreach (AnnotatedImage image in Parsing.Read(format, content)) RequireGood(image);
        });
        yield return Text($"{format} that goes on", seeds, content =>
        {
            var notes = new AnnotationNotes(skipsFaults: true);
            foreach (AnnotatedImage image in Parsing.Read(format, content, notes)) RequireGood(image);
            Require(notes.Faults.All(fault => fault.Message.StartsWith(Parsing.File + "(", StringComparison.Ordinal)));
            Require(notes.Warnings.All(warning => warning.Length is > 0 and < 2000));
        });
    }

    private static FuzzTarget Text(string name, IReadOnlyList<string> seeds, Action<byte[]> read)
        => FuzzTarget.Of(name, seeds, read, IsOwn);

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

    private static bool IsOwn(Exception exception)
        => exception is FormatException && exception.Message.StartsWith(Parsing.File + "(", StringComparison.Ordinal);

    private static bool IsGood(CocoBox box)
        => double.IsFinite(box.X) && double.IsFinite(box.Y) && double.IsFinite(box.X1) && double.IsFinite(box.Y1)
            && box is { Width: >= 0, Height: >= 0 };

    // Not NUnit's constraints: they would take most of the time.
    private static void Require(bool isGood)
    {
        if (!isGood) Assert.Fail("What was read is not good.");
    }

    private static void RequireGood(AnnotatedImage image) => Require(image.Objects.All(item =>
        float.IsFinite(item.X0) && float.IsFinite(item.Y0) && float.IsFinite(item.X1) && float.IsFinite(item.Y1)
            && item.X1 >= item.X0 && item.Y1 >= item.Y0 && (item.Label.Length > 0 || item.Ignore)
            && item.Truncated is >= 0 and <= 1 && item.Occluded is >= 0 and <= 3 && item.Area is null or >= 0));
}
