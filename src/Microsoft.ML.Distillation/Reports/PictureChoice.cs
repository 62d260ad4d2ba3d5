namespace Microsoft.ML.Distillation.Reports;

/// <summary>Which test images a report shows.</summary>
/// <param name="Groups">Headings and the images beneath, by index.</param>
internal sealed record PictureChoice(IReadOnlyList<(string Title, IReadOnlyList<int> Images)> Groups)
{
    /// <summary>The score from which a detection is shown.</summary>
    public const float LeastScore = 0.5f;

    /// <summary>Half of the pictures show the best gains over the baseline (or the best results without one), half the worst mistakes; none is in both.</summary>
    public static PictureChoice Of(IReadOnlyList<ReportedImage> images, ReportedModel model, ReportedModel? baseline, int count)
    {
        JudgedImage[] own = Judge(images, model);
        JudgedImage[]? others = baseline is null ? null : Judge(images, baseline);
        int[] all = [.. Enumerable.Range(0, images.Count)];
        double Gain(int i) => others is null ? own[i].Quality : own[i].Quality - others[i].Quality;
        int[] best = [.. all.Where(i => others is null || Gain(i) > 0).OrderByDescending(Gain).Take((count + 1) / 2)];
        int[] worst = [.. all.Except(best).Where(i => own[i].Wrong + own[i].Missed > 0)
            .OrderByDescending(i => own[i].Wrong + own[i].Missed).ThenBy(i => own[i].Quality).Take(count - best.Length)];
        return new PictureChoice([(baseline is null ? "Best results" : $"Best gains over {baseline.Name}", best), ($"Worst mistakes of {model.Name}", worst)]);
    }

    private static JudgedImage[] Judge(IReadOnlyList<ReportedImage> images, ReportedModel model) => [.. images.Select((image, i) => JudgedImage.Of(image.Truth, model.Found[i]))];
}
