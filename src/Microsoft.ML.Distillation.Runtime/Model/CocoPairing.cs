using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Model;

/// <summary>Ground truth and detections of COCO files brought together, ready to be measured.</summary>
/// <param name="Images">The ground truth's images, in the order of their ids, as the reference takes them.</param>
/// <param name="ClassNames">The ground truth's classes, in the order of their ids.</param>
/// <param name="OfUnknownImages">The detections in images that the ground truth does not list; they are left out.</param>
/// <param name="OfUnknownClasses">The detections of classes that the ground truth does not list; they are left out.</param>
internal sealed record CocoPairing(
    IReadOnlyList<EvaluationImage> Images, IReadOnlyList<string> ClassNames,
    IReadOnlyList<CocoDetection> OfUnknownImages, IReadOnlyList<CocoDetection> OfUnknownClasses)
{
    /// <summary>Reads an annotation file and a result file and brings them together.</summary>
    /// <exception cref="FormatException">One of them is not what it must be; the message names file, line and element.</exception>
    public static CocoPairing Read(string groundTruth, string detections)
    {
        using FileStream stream = AnnotationFile.Open(groundTruth);
        return Of(CocoParser.Parse(stream, groundTruth, toEvaluate: true), CocoResults.Read(detections));
    }

    /// <summary>Brings ground truth, parsed to evaluate, and detections together by the ids of images and classes.</summary>
    public static CocoPairing Of(CocoFile truth, IReadOnlyList<CocoDetection> detections)
    {
        int[] images = PlacesOf([.. truth.Images.Select(image => image.Id)]);
        int[] labels = PlacesOf([.. truth.Categories.Select(category => category.Id)]);
        var objects = Lists<TrueBox>(images.Length);
        for (int i = 0; i < truth.Objects.Count; i++)
        {
            CocoObjectEntry entry = truth.Objects[i];
            objects[images[entry.Image]].Add(ToTruth(entry.Object, truth.Measures[i], labels[entry.Category]));
        }

        Dictionary<CocoId, int> imageOf = Enumerable.Range(0, images.Length).ToDictionary(i => truth.Images[i].Id, i => images[i]);
        Dictionary<CocoId, int> labelOf = Enumerable.Range(0, labels.Length).ToDictionary(i => truth.Categories[i].Id, i => labels[i]);
        var found = Lists<DetectedBox>(images.Length);
        List<CocoDetection> ofUnknownImages = [], ofUnknownClasses = [];
        foreach (CocoDetection detection in detections)
        {
            if (!imageOf.TryGetValue(detection.Image, out int image)) ofUnknownImages.Add(detection);
            else if (!labelOf.TryGetValue(detection.Category, out int label)) ofUnknownClasses.Add(detection);
            else found[image].Add(new DetectedBox(ToBox(detection.Box), label, detection.Score));
        }

        var names = new string[labels.Length];
        for (int i = 0; i < names.Length; i++) names[labels[i]] = truth.Categories[i].Name;
        return new CocoPairing([.. objects.Zip(found, (o, f) => new EvaluationImage([.. o], [.. f]))], names, ofUnknownImages,
            ofUnknownClasses);
    }

    /// <summary>The figures.</summary>
    /// <param name="file">Where the detections come from, for what is to be said of those that are left out.</param>
    public CocoFileEvaluation Measure(string file, bool inclusivePixels)
        => new(DetectionEvaluator.Evaluate(Images, ClassNames, inclusivePixels), [.. Warnings(file)]);

    /// <summary>What is to be said of detections that are left out.</summary>
    /// <param name="file">Where the detections come from.</param>
    public IEnumerable<string> Warnings(string file)
        => from left in ((string What, IReadOnlyList<CocoDetection> Detections)[])[("images", OfUnknownImages),
            ("categories", OfUnknownClasses)]
           where left.Detections.Count > 0
           let count = left.Detections.Count
           select $"{Counted.Of(count, "detection")} of {left.What} that the ground truth does not list {(count == 1 ? "is" : "are")} left "
               + "out. The "
               + $"first is at {file}({left.Detections[0].Line}).";

    /// <summary>Of each id the place that it has in their order: numbers first, then texts.</summary>
    private static int[] PlacesOf(CocoId[] ids)
    {
        int[] order = [.. Enumerable.Range(0, ids.Length).OrderBy(i => ids[i].Text, StringComparer.Ordinal).ThenBy(i => ids[i].Number)];
        var places = new int[ids.Length];
        for (int place = 0; place < order.Length; place++) places[order[place]] = place;
        return places;
    }

    private static TrueBox ToTruth(AnnotatedObject item, (CocoBox Box, double? Area) measure, int label)
    {
        Box box = ToBox(measure.Box);
        return new TrueBox(box, label)
        {
            Area = measure.Area ?? box.Area,
            Crowd = item.Crowd,
            Difficult = item.Difficult,
            DontCare = item.Ignore,
            Truncation = item.Truncated,
            Occlusion = item.Occluded,
        };
    }

    private static List<T>[] Lists<T>(int count) => [.. Enumerable.Range(0, count).Select(_ => new List<T>())];

    private static Box ToBox(CocoBox box) => new(box.X, box.Y, box.X1, box.Y1);
}
