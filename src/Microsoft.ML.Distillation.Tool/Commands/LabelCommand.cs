using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Labelling;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill label</c>: a detector labels images, however many, as a data set to train on.</summary>
internal sealed class LabelCommand : System.CommandLine.Command
{
    private const string ShardFolder = ".shards";

    private readonly TeacherOptionSet _teacher = new();
    private readonly EnsembleOptionSet _ensemble = new();
    private readonly ShardOptionSet _shard = new();
    private readonly Option<string> _images = SharedOptions
        .RequiredPath("--images", "The images to label: a folder with its subfolders, or a text file with a path in each line.");
    private readonly Option<string?> _labelled = SharedOptions.Path(
        "--labelled", "Annotated images: they give the classes, and how many objects an image has. The images themselves need not exist, "
            + "but for yolo and openimages. With --prompt they may be left out.", "DIR");
    private readonly FormatOptionSet _labelledFormat = new();
    private readonly Option<string?> _split = SharedOptions
        .Split("--labelled-split", "Their part to count, or 'all'. [default: train where there is one, else all]");
    private readonly Option<string> _output = SharedOptions.RequiredOutput("The folder of the data set to write.", "DIR");
    private readonly Option<string> _format = SharedOptions.Choice("--output-format", "Its format; voc and yolo copy the images.",
        "coco", "voc", "yolo");
    private readonly Option<double?> _score = SharedOptions.Number(
        "--label-score", "The score from which on a detection is a label. [default: so that an image has as many labels as the labelled "
            + "ones; without these the teacher's own]", 1e-6, 1);
    private readonly Option<bool> _perClass = new("--labels-per-class") { Description = "Choose that score for each class by itself." };
    private readonly Option<bool> _merge =
        new("--merge") { Description = "Label nothing: write the data set of all shards, which must be complete." };
    private readonly Option<bool> _skip = SharedOptions.SkipInvalid(
        "Leave out annotations of the labelled images that cannot be used, with a warning, instead of stopping. Images to label that "
            + "cannot be read are always left out, counted and named.");
    private readonly Option<int?> _device = SharedOptions.Device("What runs the teacher.");
    private readonly Option<int?> _readers = SharedOptions
        .Count("--loader-threads", "The threads that read images. [default: half of the processors]");

    public LabelCommand()
        : base("label", "Labels images with a detector: a data set to train on (Data Distillation).")
    {
        foreach (Option option in (Option[])[_images, _labelled, _split, _output, _format, _score, _perClass, _merge, _skip])
            Options.Add(option);
        _labelledFormat.AddTo(Options);
        _shard.AddTo(Options);
        _ensemble.AddTo(Options);
        _teacher.AddTo(Options);
        Options.Add(_device);
        Options.Add(_readers);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        string folder = parsed.GetRequiredValue(_output), shards = Path.Combine(folder, ShardFolder);
        OutputCheck.Folder(_output.Name, folder);
        OutputCheck.Outside(_output.Name, folder, _images.Name, parsed.GetRequiredValue(_images));
        bool merge = parsed.GetValue(_merge);
        // Where the shards are merged there may be none of the variables that tell their processes apart.
        Shard shard = merge ? Shard.Whole : _shard.Read(parsed);
        // Shards of one job share the folder; each of them, and the merging, is one run's.
        using var alone = new OutputLock(_output.Name, merge ? LabelMerge.FilesIn(folder)
            : [ShardFile.PathOf(shards, shard.Number, shard.Count)]);
        ImageList images = ImagesOf(parsed);
        if (!merge)
        {
            if (!Label(parsed, images, shards, shard, output, error)) return Application.Interrupted;
            if (shard.Count > 1)
            {
                output.WriteLine($"shard {shard.Number} of {shard.Count} is complete; when all are: ml-distill label --merge, with the "
                    + $"same options");
                return Application.Success;
            }
        }

        Merge(parsed, images, shards, folder, output, error);
        return Application.Success;
    }

    /// <summary>The images. What would stop their labels from being written is found out before the work.</summary>
    private ImageList ImagesOf(ParseResult parsed)
    {
        string path = parsed.GetRequiredValue(_images);
        var images = new ImageList(path);
        if (!images.Names().Any()) throw new InvalidDataException($"There is no image to label in '{path}'.");
        if (FormatOf(parsed) == DetectionFormat.Coco) return images;
        var byStem = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in images.Names())
        {
            string stem = Path.GetFileNameWithoutExtension(name);
            if (!byStem.TryAdd(stem, name))
            {
                throw new InvalidDataException(
                    $"Two images have the name '{stem}', '{byStem[stem]}' and '{name}', and "
                    + $"{parsed.GetRequiredValue(_format)} puts all into one folder. "
                    + "--output-format coco writes them, also with labels that are there already; or give them different names before "
                        + "they are labelled.");
            }
        }

        return images;
    }

    private DetectionFormat FormatOf(ParseResult parsed) => parsed.GetRequiredValue(_format) switch
    {
        "voc" => DetectionFormat.PascalVoc,
        "yolo" => DetectionFormat.Yolo,
        _ => DetectionFormat.Coco,
    };

    /// <summary>Labels a shard; whether it came to its end.</summary>
    private bool Label(ParseResult parsed, ImageList images, string shards, Shard shard, TextWriter output, TextWriter error)
    {
        bool isPrompted = _teacher.Prompts.AreGiven(parsed);
        EnsembleOptions ensemble = _ensemble.Read(parsed, once: isPrompted);
        Teacher teacher = _teacher.Open(parsed, []);
        bool isAlone = parsed.GetValue(_labelled) is null;
        if (isAlone && !isPrompted) throw new UsageException("--labelled is needed: it gives the classes. Without it go prompts alone.");
        IReadOnlyList<AnnotatedRow> labelled = isAlone ? [] : LoadLabelled(parsed);
        string[] classes = isAlone ? [.. teacher.ClassNames] : [.. labelled.SelectMany(image => image.Label)
            .Where(name => name.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        if (classes.Length == 0) throw new InvalidDataException(
            $"'{parsed.GetRequiredValue(_labelled)}' has no object: the classes to label are not known.");
        var known = new HashSet<string>(classes);
        double confident;
        using (TeacherLabeller probe = Open())
        {
            confident = probe.ConfidentScore;
            if (probe.Caution is { } caution) error.WriteLine($"warning: {caution}");
            known.ExceptWith(probe.UnknownClasses);
            if (probe.UnknownClasses.Count > 0)
                error.WriteLine($"warning: the teacher does not know {ShortList.Of(probe.UnknownClasses)}: the images will have no "
                    + $"labels of these classes.");
            if (probe.IgnoredClasses.Count > 0) output
                .WriteLine($"of the teacher's classes these are not among the labelled ones: {ShortList.Of(probe.IgnoredClasses)}");
        }

        var header = new ShardHeader(
            shard.Number, shard.Count,
            new Dictionary<string, string>
            {
                ["teacher"] = teacher.Fingerprint,
                ["classes"] = string.Join(", ", classes),
                ["transforms"] = EnsembleOptionSet.Describe(ensemble),
                [ShardHeader.Images] = ShardHeader.PlaceOf(images, shards),
                [isAlone ? ShardHeader.LabelScore : "objects in a labelled image"]
                    = (isAlone ? confident : labelled.Sum(image => image.Label.Length) / (double)labelled.Count)
                    .ToString("R", CultureInfo.InvariantCulture),
            },
            classes, [.. classes.Select(name => known.Contains(name) && !isAlone ? labelled
                .Sum(image => image.Label.Count(label => label == name)) / (double)labelled.Count : 0)]);
        using var interruption = new Interruption(error, "what is done stays; the same command goes on");
        string title = shard.Count > 1 ? $"label {shard.Number}/{shard.Count}{(shard.Source.Length > 0 ? $" ({shard.Source})" : "")}"
            : "label";
        try
        {
            new LabellingJob(images, shards, header, SharedOptions.MaxPixelsIn(parsed)).Run(
                Open, parsed.GetValue(_readers) ?? Math.Max(1, Environment.ProcessorCount / 2),
                progress => output.WriteLine($"{title}: {progress}"), interruption.Token,
                remark => error.WriteLine($"warning: {OptionNames.Translate(remark)}"),
                isPrompted ? parsed.GetValue(_score) ?? confident : null);
            return true;
        }
        catch (OperationCanceledException) when (interruption.Requested)
        {
            return false;
        }

        TeacherLabeller Open() => new(teacher, classes, ensemble, parsed.GetValue(_device));
    }

    private void Merge(ParseResult parsed, ImageList images, string shards, string folder, TextWriter output, TextWriter error)
    {
        var labels = new GeneratedLabelOptions { ScoreThreshold = parsed.GetValue(_score), PerClass = parsed.GetValue(_perClass) };
        DetectionFormat format = FormatOf(parsed);
        using OutputLock? merging = parsed.GetValue(_merge) ? null : new OutputLock(_output.Name, LabelMerge.FilesIn(folder));
        LabelledImages written = LabelMerge.Write(shards, folder, format, labels, images, SharedOptions.MaxPixelsIn(parsed));
        if (written.Unreadable > 0)
        {
            error.WriteLine($"warning: {Counted.Of(written.Unreadable, "image")} could not be read and "
                + $"{(written.Unreadable == 1 ? "is" : "are")} left out:");
            foreach (string problem in written.Errors) error.WriteLine($"  {OptionNames.Translate(problem)}");
            long others = written.Unreadable - written.Errors.Count;
            if (others > 0) error.WriteLine($"  and {Counted.Of(others, "other")}");
        }

        if (written.Shortage is { } shortage) error.WriteLine($"warning: {shortage} --label-score gives another score.");
        string scores = string.Join(", ", written.Thresholds
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value:0.000}")));
        string end = written.Labelled > 0 ? $", saved {folder} (to look them over: {Path.Combine(folder, LabelPage.FileName)})"
            : $": the data set in {folder} is empty. --label-score gives another score";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Counted.Of(written.Objects, "label")} in {written.Labelled} of {Counted.Of(written.Images, "image")} "
            + $"(from the scores {scores}){end}"));
    }

    private IReadOnlyList<AnnotatedRow> LoadLabelled(ParseResult parsed)
    {
        string folder = parsed.GetValue(_labelled)!;
        DataFolder data = _labelledFormat.At(parsed, folder);
        // Their objects are counted, not their pixels. Where boxes are shares of the image, only the image turns them into objects.
        data = data with
        {
            SkipsInvalid = parsed.GetValue(_skip),
            AllowMissingImages = data.Format is not (DetectionFormat.Yolo or DetectionFormat.OpenImages),
        };
        IReadOnlyList<AnnotatedRow> labelled = data.Load(data.Choose(parsed.GetValue(_split), "train"));
        return labelled.Count > 0 ? labelled : throw new InvalidDataException($"'{folder}' has no annotated images.");
    }
}
