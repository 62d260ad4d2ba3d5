using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>A model's detections in one image, told right from wrong.</summary>
/// <param name="Boxes">What is to be drawn, with the class that colours it: detections, and objects that were missed.</param>
internal sealed record JudgedImage(IReadOnlyList<(ReportedBox Box, string Class)> Boxes, int Right, int Wrong, int Missed)
{
    private const double FoundFrom = 0.5;

    /// <summary>How good it is, 0 to 1: the harmonic mean of precision and recall; 1 where there is nothing and nothing was
    /// found.</summary>
    public double Quality => Right + Wrong + Missed == 0 ? 1 : 2.0 * Right / (2 * Right + Wrong + Missed);

    /// <summary>Judges the detections from <see cref="PictureChoice.LeastScore"/> on.</summary>
    public static JudgedImage Of(IReadOnlyList<ReportedBox> truth, IReadOnlyList<ReportedBox> found)
    {
        string[] names = [.. truth.Concat(found).Select(box => box.Label).Distinct()];
        ReportedBox[] sure = [.. found.Where(box => box.Score >= PictureChoice.LeastScore).OrderByDescending(box => box.Score)];
        ReportedBox[] objects = [.. truth.Where(box => !box.Ignored)];
        var match = ImageMatch.Of(
            [.. objects.Concat(truth.Where(box => box.Ignored))
                .Select(box => new TrueBox(Of(box), Label(box)) { Difficult = box.Ignored })],
            [.. sure.Select(box => new DetectedBox(Of(box), Label(box), box.Score ?? 0))], FoundFrom);
        var boxes = new List<(ReportedBox, string)>();
        int right = 0, wrong = 0;
        for (int i = 0; i < sure.Length; i++)
        {
            if (match.ObjectOf[i] >= 0) right++;
            else if (!match.Excused[i]) wrong++;
            boxes.Add((sure[i], match.ObjectOf[i] >= 0 ? "b-right" : match.Excused[i] ? "b-ignored" : "b-wrong"));
        }

        for (int i = 0; i < objects.Length; i++)
        {
            if (!match.Found[i]) boxes.Add((objects[i], "b-missed"));
        }

        return new JudgedImage(boxes, right, wrong, objects.Length - right);

        int Label(ReportedBox box) => Array.IndexOf(names, box.Label);
    }

    private static Box Of(ReportedBox box) => new(box.X0, box.Y0, box.X1, box.Y1);
}

/// <summary>Which test images a report shows.</summary>
/// <param name="Groups">Headings and the images beneath, by index.</param>
internal sealed record PictureChoice(IReadOnlyList<(string Title, IReadOnlyList<int> Images)> Groups)
{
    /// <summary>The score from which a detection is shown.</summary>
    public const float LeastScore = 0.5f;

    /// <summary>Half of the pictures show the best gains over the baseline (or the best results without one), half the worst mistakes; none
    /// is in both.</summary>
    public static PictureChoice Of(IReadOnlyList<ReportedImage> images, ReportedModel model, ReportedModel? baseline, int count)
    {
        JudgedImage[] own = Judge(images, model);
        JudgedImage[]? others = baseline is null ? null : Judge(images, baseline);
        int[] all = [.. Enumerable.Range(0, images.Count)];
        double Gain(int i) => others is null ? own[i].Quality : own[i].Quality - others[i].Quality;
        int[] best = [.. all.Where(i => others is null || Gain(i) > 0).OrderByDescending(Gain).Take((count + 1) / 2)];
        int[] worst = [.. all.Except(best).Where(i => own[i].Wrong + own[i].Missed > 0)
            .OrderByDescending(i => own[i].Wrong + own[i].Missed).ThenBy(i => own[i].Quality).Take(count - best.Length)];
        return new PictureChoice([(baseline is null ? "Best results" : $"Best gains over {baseline.Name}", best),
            ($"Worst mistakes of {model.Name}", worst)]);
    }

    private static JudgedImage[] Judge(IReadOnlyList<ReportedImage> images, ReportedModel model)
        => [.. images.Select((image, i) => JudgedImage.Of(image.Truth, model.Found[i]))];
}
