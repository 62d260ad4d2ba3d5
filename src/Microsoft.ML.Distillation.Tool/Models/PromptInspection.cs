using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Display;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>
/// Looks at a few images with a detector that is told in words, phrase by phrase: what is found, how surely, and of what is not found how
/// near it comes. So words are chosen in a minute, before hours of labelling.
/// </summary>
internal sealed class PromptInspection : IDisposable
{
    // So many images are shown, and so many annotated ones measured.
    private const int Shown = 10, MostMeasured = 200;

    // What is far below any threshold still says how near a phrase comes.
    private const double Least = 0.001;
    private const double SameObject = 0.5;

    private readonly ObjectDetector _detector;
    private readonly Func<IReadOnlyList<Prompt>, ObjectDetector> _openAlone;
    private readonly IReadOnlyList<Prompt> _prompts;
    private readonly IReadOnlyList<string> _classes;
    private readonly double _confident;

    /// <param name="path">The model.</param>
    /// <param name="options">How it is read; with prompts.</param>
    public PromptInspection(string path, OnnxDetectorFormat format, OnnxTeacherOptions options, long maxPixels)
    {
        DetectorPrompts prompts = options.Prompts!;
        (_prompts, _classes) = (prompts.Prompts, prompts.ClassNames);
        _detector = Open(_prompts, prompts.OnePhrasePerPass);
        _confident = options.ConfidentScore ?? UsualScore();
        _openAlone = alone => Open(alone, apart: true);

        // Each phrase is a class of its own.
        ObjectDetector Open(IReadOnlyList<Prompt> told, bool apart) => ObjectDetector.Load(path, new ObjectDetectorOptions(options)
        {
            Format = format,
            MaxPixels = maxPixels,
            NoiseScore = Least,
            ClassAgnosticSuppression = false,
            Prompts = new DetectorPrompts([.. told.Select(prompt => new Prompt(prompt.Phrase))])
            {
                TokenizerPath = prompts.TokenizerPath,
                TextEncoderPath = prompts.TextEncoderPath,
                // Rows of a file are told by the order of all prompts.
                EmbeddingsPath = prompts.EmbeddingsPath,
                PhraseScore = prompts.PhraseScore,
                OnePhrasePerPass = apart,
            },
        });

        double UsualScore() => _detector.Reading!.ConfidentScore;
    }

    /// <inheritdoc/>
    public void Dispose() => _detector.Dispose();

    /// <summary>Writes how the detector is read and told.</summary>
    public void WriteReading(TextWriter output)
    {
        TeacherInspection.WriteReading(output, _detector);
        output.WriteLine($"words    {_detector.Reading!.Words}");
        foreach (string remark in _detector.Remarks) output.WriteLine($"warning  {OptionNames.Translate(remark)}");
    }

    /// <summary>Looks at ten images: writes for each class what is found, and draws a sheet of them.</summary>
    /// <param name="files">All images, of which ten are taken.</param>
    /// <param name="sheet">The picture to write; <see langword="null"/>: none.</param>
    public void Look(IReadOnlyList<string> files, TextWriter output, string? sheet)
    {
        int count = Math.Min(Shown, files.Count);
        string[] chosen = [.. Enumerable.Range(0, count).Select(i => files[(int)((long)i * files.Count / count)])];
        long started = Stopwatch.GetTimestamp();
        LookedAt[] seen = [.. chosen.Select(file => new LookedAt(file, _detector.Detect(file)))];
        TimeSpan each = Stopwatch.GetElapsedTime(started) / count;
        string whole = TimeLeft.Text(each * files.Count).Replace(" left", "", StringComparison.Ordinal);
        output.WriteLine(Say($"images   {count} of {files.Count}, {each.TotalSeconds:0.00} s each: all of them take {whole}"));
        var doubtful = new List<(LookedAt Image, Detection Found)>();
        foreach (string name in _classes)
        {
            Detection[][] found = [.. seen.Select(image => OfClass(image.Found, name))];
            Detection[] all = [.. found.SelectMany(some => some)];
            if (all.Length == 0)
            {
                WriteMissing(name, seen, output, doubtful);
                continue;
            }

            string phrases = string.Join(", ", all.GroupBy(one => one.Label).OrderByDescending(group => group.Count())
                .Select(group => $"{group.Count()} by '{group.Key}'"));
            output.WriteLine(Say($"class    {name}: {all.Length} found in ")
                + Say($"{Counted.Of(found.Count(some => some.Length > 0), "image")}, scores ")
                + Say($"{all.Min(one => one.Score):0.00} to {all.Max(one => one.Score):0.00}, mean {all.Average(one => one.Score):0.00} ")
                + $"({phrases})");
        }

        if (sheet is null) return;
        SheetImage[] cells = [.. seen.Select(image => new SheetImage(image.Path,
            [.. _classes.SelectMany(name => OfClass(image.Found, name))])
        {
            Doubtful = [.. doubtful.Where(one => one.Image == image).Select(one => one.Found)],
        })];
        DetectionSheet.Save(cells, [.. _prompts.Select(prompt => prompt.Phrase)], sheet);
        output.WriteLine($"saved {sheet}");
    }

    /// <summary>Writes for each phrase its precision, its recall and its best scores on annotated images.</summary>
    /// <param name="notes">Receives how far it is.</param>
    public void Measure(IReadOnlyList<AnnotatedRow> annotated, TextWriter output, TextWriter notes)
    {
        AnnotatedRow[] rows = [.. annotated.Take(MostMeasured)];
        string[] named = [.. rows.SelectMany(row => row.Label).Distinct()];
        if (!_classes.Intersect(named).Any()) throw new UsageException(
            $"--data has none of the prompts' classes ({string.Join(", ", _classes)}); it has {string.Join(", ", named)}. The class stands "
            + "behind the sign: --prompt \"words=class\".");
        LookedAt[] seen = [.. WorkProgress.Over(
            rows.Select(row => new LookedAt(row.ImagePath, _detector.Detect(row.ImagePath))), rows.Length, "measure", "images", notes)];
        output.WriteLine(Say($"measured on {rows.Length} annotated images, from a score of {_confident:0.###} (overlap {SameObject}):"));
        output.WriteLine($"  {"phrase",-28} {"class",-16} {"objects",7} {"precision",9} {"recall",7} {"best score",10} "
            + $"{"best threshold",14}");
        foreach (Prompt prompt in _prompts)
        {
            var judged = new List<(float Score, bool IsRight)>();
            int objects = 0;
            for (int i = 0; i < rows.Length; i++) objects += Judge(rows[i], seen[i].Found, prompt, judged);
            judged.Sort((one, other) => other.Score.CompareTo(one.Score));
            int kept = judged.Count(one => one.Score >= _confident), right = judged.Count(one => one.Score >= _confident && one.IsRight);
            float best = judged.Where(one => one.IsRight).Select(one => one.Score).DefaultIfEmpty().Max();
            string precision = kept > 0 ? Say($"{(double)right / kept:0.00}") : "-", recall = objects > 0
                ? Say($"{(double)right / objects:0.00}") : "-";
            output.WriteLine(Say($"  {prompt.Phrase,-28} {prompt.ClassName,-16} {objects,7} {precision,9} {recall,7} {best,10:0.000} ")
                + Say($"{BestThreshold(judged, objects),14}"));
        }
    }

    /// <summary>The score from which on precision and recall are best together (F1).</summary>
    private static string BestThreshold(List<(float Score, bool IsRight)> judged, int objects)
    {
        (double best, float threshold, int right) = (0, 0, 0);
        for (int i = 0; i < judged.Count; i++)
        {
            if (judged[i].IsRight) right++;
            double f1 = 2.0 * right / (i + 1 + Math.Max(1, objects));
            if (f1 > best) (best, threshold) = (f1, judged[i].Score);
        }

        return best > 0 ? Say($"{threshold:0.000}") : "-";
    }

    /// <summary>Judges what a phrase finds in an image; gives the number of its class's objects there.</summary>
    private static int Judge(AnnotatedRow row, IReadOnlyList<Detection> found, Prompt prompt, List<(float, bool)> judged)
    {
        var free = Enumerable.Range(0, row.Label.Length).Where(i => row.Label[i] == prompt.ClassName).ToList();
        int objects = free.Count;
        foreach (Detection one in found.Where(one => one.Label == prompt.Phrase).OrderByDescending(one => one.Score))
        {
            int match = free.Select(i => (Index: i, Overlap: Overlap(one.Box, BoxOf(row, i)))).Where(pair => pair.Overlap >= SameObject)
                .OrderByDescending(pair => pair.Overlap).Select(pair => pair.Index).DefaultIfEmpty(-1).First();
            free.Remove(match);
            judged.Add((one.Score, match >= 0));
        }

        return objects;
    }

    private static BoundingBox BoxOf(AnnotatedRow row, int i) => new(row.BoundingBoxes[4 * i], row.BoundingBoxes[4 * i + 1],
        row.BoundingBoxes[4 * i + 2], row.BoundingBoxes[4 * i + 3]);

    /// <summary>Says of a class of which nothing is found how near its phrases come, together and alone.</summary>
    private void WriteMissing(string name, LookedAt[] seen, TextWriter output, List<(LookedAt, Detection)> doubtful)
    {
        output.WriteLine(Say($"class    {name}: none found from a score of {_confident:0.###}"));
        Prompt[] own = [.. _prompts.Where(prompt => prompt.ClassName == name)];
        foreach (Prompt prompt in own)
        {
            (LookedAt Image, Detection Found)[] best = [.. seen.SelectMany(image => image.Found.Where(one => one.Label == prompt.Phrase)
                .Select(one => (image, one))).OrderByDescending(pair => pair.one.Score).Take(1)];
            if (best is not [var (image, found)])
            {
                output.WriteLine($"         '{prompt.Phrase}' scores nowhere");
                continue;
            }

            doubtful.Add((image, found));
            output.WriteLine(Say($"         '{prompt.Phrase}' comes to {found.Score:0.000} at best, in ")
                + $"{Path.GetFileName(image.Path)} at {found.Box}" + Alone(prompt, image));
        }

        output.WriteLine("         other words may find it; words that no such model has seen do not");
    }

    /// <summary>What a phrase scores that has a pass of its own: others in a caption can hide it.</summary>
    private string Alone(Prompt prompt, LookedAt image)
    {
        if (_prompts.Count == 1 || _detector.Reading!.Format != OnnxDetectorFormat.GroundingDino) return "";
        using ObjectDetector detector = _openAlone([prompt]);
        float best = detector.Detect(image.Path).Select(one => one.Score).DefaultIfEmpty().Max();
        return Say($"; alone in a pass {best:0.000}{(best >= _confident ? ": give --phrases-apart" : "")}");
    }

    /// <summary>A class's objects in an image: what its phrases find, without what a better one of them found too.</summary>
    private Detection[] OfClass(IReadOnlyList<Detection> found, string name)
    {
        var kept = new List<Detection>();
        HashSet<string> phrases = [.. _prompts.Where(prompt => prompt.ClassName == name).Select(prompt => prompt.Phrase)];
        foreach (Detection one in found.Where(one => one.Score >= _confident && phrases.Contains(one.Label))
            .OrderByDescending(one => one.Score))
        {
            if (kept.All(other => Overlap(one.Box, other.Box) < SameObject)) kept.Add(one);
        }

        return [.. kept];
    }

    private static double Overlap(BoundingBox one, BoundingBox other)
    {
        float width = Math.Min(one.X1, other.X1) - Math.Max(one.X0, other.X0);
        float height = Math.Min(one.Y1, other.Y1) - Math.Max(one.Y0, other.Y0);
        if (width <= 0 || height <= 0) return 0;
        double shared = (double)width * height;
        return shared / ((double)one.Width * one.Height + (double)other.Width * other.Height - shared);
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record LookedAt(string Path, IReadOnlyList<Detection> Found);
}
