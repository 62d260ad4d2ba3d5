namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Ground truth and detections of COCO files brought together, ready to be measured.</summary>
/// <param name="Images">The ground truth's images, in the order of their ids, as the reference takes them.</param>
/// <param name="ClassNames">The ground truth's classes, in the order of their ids.</param>
/// <param name="UnknownImages">How many detections name an image that the ground truth does not list; they are left out.</param>
/// <param name="UnknownClasses">How many detections name a class that the ground truth does not list; they are left out.</param>
internal sealed record CocoPairing(
    IReadOnlyList<EvaluationImage> Images, IReadOnlyList<string> ClassNames, int UnknownImages, int UnknownClasses)
{
    /// <summary>Brings ground truth and detections together by the ids of images and classes.</summary>
    public static CocoPairing Of(CocoGroundTruth truth, IEnumerable<CocoDetection> detections)
    {
        CocoCategory[] categories = [.. truth.Categories.OrderBy(category => category.Id)];
        Dictionary<long, int> labels = IndicesOf(categories.Select(category => category.Id));
        Dictionary<long, int> images = IndicesOf(truth.Images.Select(image => image.Id).Order());
        var objects = Lists<TrueBox>(images.Count);
        var found = Lists<DetectedBox>(images.Count);

        foreach (CocoAnnotation annotation in truth.Annotations)
        {
            if (!images.TryGetValue(annotation.ImageId, out int image) || !labels.TryGetValue(annotation.CategoryId, out int label)) continue;
            Box box = ToBox(annotation.Box);
            objects[image].Add(new TrueBox(box, label) { Area = annotation.Area ?? box.Area, Crowd = annotation.IsCrowd != 0 });
        }

        int unknownImages = 0, unknownClasses = 0;
        foreach (CocoDetection detection in detections)
        {
            if (!images.TryGetValue(detection.ImageId, out int image)) unknownImages++;
            else if (!labels.TryGetValue(detection.CategoryId, out int label)) unknownClasses++;
            else found[image].Add(new DetectedBox(ToBox(detection.Box), label, detection.Score));
        }

        return new CocoPairing(
            [.. objects.Zip(found, (o, f) => new EvaluationImage([.. o], [.. f]))],
            [.. categories.Select(category => category.Name ?? $"category {category.Id}")],
            unknownImages, unknownClasses);
    }

    private static Dictionary<long, int> IndicesOf(IEnumerable<long> ids)
        => ids.Select((id, index) => (id, index)).ToDictionary(pair => pair.id, pair => pair.index);

    private static List<T>[] Lists<T>(int count) => [.. Enumerable.Range(0, count).Select(_ => new List<T>())];

    private static Box ToBox(double[] xywh) => new(xywh[0], xywh[1], xywh[0] + xywh[2], xywh[1] + xywh[3]);
}
