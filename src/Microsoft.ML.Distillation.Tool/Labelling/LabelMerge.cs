using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Labelling;

/// <summary>What became of the images.</summary>
/// <param name="Images">The images that were looked at.</param>
/// <param name="Labelled">Those with at least one label; only they are written.</param>
/// <param name="Objects">The labels.</param>
/// <param name="Unreadable">Images that could not be read.</param>
/// <param name="Errors">The first ten of them, and why.</param>
/// <param name="Thresholds">The score from which on a detection of each class is a label.</param>
/// <param name="Shortage">Where the detector found fewer objects than the rule for that score asks for, a sentence that says so.</param>
internal sealed record LabelledImages(
    long Images, int Labelled, int Objects, long Unreadable, IReadOnlyList<string> Errors, IReadOnlyDictionary<string, float> Thresholds,
    string? Shortage);

/// <summary>An image with the labels that a teacher made.</summary>
internal sealed class GeneratedRow : AnnotatedRow
{
    /// <summary>How sure the teacher was of each object, 0 to 1.</summary>
    public float[] LabelScore { get; set; } = [];
}

/// <summary>
/// Makes a data set of the shards' results: chooses the thresholds over all images, and writes those with labels, in the order of the
/// images, as if one process had done all. Goes through the shards' files twice or thrice and keeps nothing of them.
/// </summary>
internal static class LabelMerge
{
    // Of a million images there may be many that cannot be read.
    private const int NamedErrors = 10;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The files that are written whatever the format, the last one last.</summary>
    public static string[] FilesIn(string output) => [Path.Combine(output, "annotations", "instances_default.json"), Info(output)];

    /// <summary>Writes the data set.</summary>
    /// <param name="shards">Where the shards' files are.</param>
    /// <param name="output">The data set's folder.</param>
    /// <param name="format">COCO, or VOC, for which the images are copied.</param>
    /// <param name="images">The images that were labelled.</param>
    /// <param name="maxPixels">How many pixels one may have that is copied.</param>
    /// <exception cref="InvalidOperationException">A shard is missing or not complete, or they are of different runs or of other
    /// images.</exception>
    /// <exception cref="InvalidDataException">There is no image, or none that could be read.</exception>
    public static LabelledImages Write(string shards, string output, DetectionFormat format, GeneratedLabelOptions options,
        ImageList images, long maxPixels = ImageLoader.DefaultMaxPixels)
    {
        string[] files = Files(shards);
        ShardHeader header = CommonHeader(files);
        CheckPlace(header, shards, images);
        if (options.ScoreThreshold is null && header.Settings.TryGetValue(ShardHeader.LabelScore, out string? opinion))
            options = options with { ScoreThreshold = double.Parse(opinion, CultureInfo.InvariantCulture) };
        var histogram = new ScoreHistogram(header.Classes.Length);
        long count = 0, unreadable = 0;
        var errors = new List<string>();
        foreach (ShardRecord record in Checked(InOrder(files), shards, images))
        {
            count++;
            if (record.Error is not null)
            {
                unreadable++;
                if (errors.Count < NamedErrors) errors.Add($"'{record.File}': {record.Error}");
            }

            for (int i = 0; i < record.Labels.Length; i++) histogram.Add(record.Labels[i], record.Scores[i]);
        }

        if (count == unreadable)
            throw new InvalidDataException(count == 0 ? "There are no images to label."
                : $"Of {Counted.Of(count, "image")} none could be read. The first: {errors[0]}");
        (IReadOnlyList<float> thresholds, string? shortage) = LabelThresholds
            .Choose(histogram, options, header.Classes, header.PerImage, count - unreadable);
        var page = new LabelPage(header.Classes, thresholds);
        foreach (ShardRecord record in InOrder(files)) page.Add(record, images.PathOf(record.File));
        IEnumerable<GeneratedRow> labelled = InOrder(files).Select(record => Labelled(record, header, thresholds, images))
            .Where(image => image.Label.Length > 0);
        Dictionary<string, string> info = Provenance(header, thresholds, options, count);
        WrittenAnnotations written = format == DetectionFormat.Coco
            ? GeneratedCocoWriter.Write(output, header.Classes, labelled, info)
            : Save(output, format, labelled, maxPixels);
        page.Write(Path.GetFullPath(output));
        AtomicFile.Write(Info(output), JsonSerializer.SerializeToUtf8Bytes(info, Indented));
        return new LabelledImages(
            count, written.Images, written.Objects, unreadable, errors,
            header.Classes.Select((name, c) => (name, c)).ToDictionary(p => p.name, p => thresholds[p.c]), shortage);
    }

    private static string Info(string output) => Path.Combine(output, "generated.json");

    /// <summary>The files of all shards, in order.</summary>
    private static string[] Files(string folder)
    {
        string[] found = Directory.Exists(folder) ? Directory.GetFiles(folder, "shard-*-of-*.jsonl") : [];
        if (found.Length == 0) throw new InvalidOperationException($"There are no shards in '{folder}'.");
        int[] counts = [.. found.Select(path => ShardFile.ReadHeader(path).Shards).Distinct()];
        if (counts.Length > 1)
            throw new InvalidOperationException(
                $"'{folder}' has shards of runs with "
                + $"{string.Join(" and with ", counts.Order().Select(count => Counted.Of(count, "shard")))}: "
                + "delete those that are not wanted.");
        return [.. Enumerable.Range(1, counts[0]).Select(number => ShardFile.PathOf(folder, number, counts[0]))];
    }

    private static ShardHeader CommonHeader(string[] files)
    {
        ShardHeader first = ShardFile.ReadHeader(files[0]);
        foreach (string file in files.Skip(1))
        {
            ShardHeader other = ShardFile.ReadHeader(file);
            string? differs = first.Settings.Keys.FirstOrDefault(name => other.Settings.GetValueOrDefault(name) != first.Settings[name]);
            if (differs is not null)
                throw new InvalidOperationException(
                    $"The shards are of different runs: {differs} is {first.Settings[differs]} in '{files[0]}' and "
                    + $"{other.Settings.GetValueOrDefault(differs)} in '{file}'.");
        }

        return first;
    }

    private static void CheckPlace(ShardHeader header, string shards, ImageList images)
    {
        string? labelled = header.Settings.GetValueOrDefault(ShardHeader.Images);
        if (labelled == ShardHeader.PlaceOf(images, shards)) return;
        string there = labelled is null ? "others" : $"those in '{Path.GetFullPath(Path.Combine(shards, labelled))}'";
        throw new InvalidOperationException(
            $"The shards in '{shards}' are not of the images in '{images.Root}' but of {there}: give the images that were labelled, or "
                + $"another output folder.");
    }

    /// <summary>The same records, once it is sure that they are of all the images and of no others.</summary>
    private static IEnumerable<ShardRecord> Checked(IEnumerable<ShardRecord> records, string shards, ImageList images)
    {
        using IEnumerator<string> names = images.Names().GetEnumerator();
        foreach (ShardRecord record in records)
        {
            string? now = names.MoveNext() ? names.Current : null;
            if (now != record.File) throw Changed(
                $"'{record.File}' was labelled, and {(now is null ? "no image" : $"'{now}'")} is in its place");
            yield return record;
        }

        if (names.MoveNext()) throw Changed($"'{names.Current}' was not labelled");

        InvalidOperationException Changed(string how) => new(
            $"The images have changed since they were labelled: {how}. Give another output folder, or delete '{shards}' to label all "
                + $"images anew.");
    }

    /// <summary>The records of all shards in the order of the images: shard after shard in turn.</summary>
    private static IEnumerable<ShardRecord> InOrder(string[] files)
    {
        IEnumerator<ShardRecord>[] readers = [.. files.Select(file => ShardFile.Records(file).GetEnumerator())];
        try
        {
            while (true)
            {
                bool any = false;
                foreach (IEnumerator<ShardRecord> reader in readers)
                {
                    if (!reader.MoveNext()) continue;
                    any = true;
                    yield return reader.Current;
                }

                if (!any) yield break;
            }
        }
        finally
        {
            foreach (IEnumerator<ShardRecord> reader in readers) reader.Dispose();
        }
    }

    private static WrittenAnnotations Save(string folder, DetectionFormat format, IEnumerable<GeneratedRow> images, long maxPixels)
    {
        DataOperationsCatalog data = new MLContext().Data;
        return data.SaveDetections(data.LoadFromEnumerable(images), folder, format, copyImages: true, maxPixels: maxPixels);
    }

    private static GeneratedRow Labelled(ShardRecord record, ShardHeader header, IReadOnlyList<float> thresholds, ImageList images)
    {
        int[] sure = [.. Enumerable.Range(0, record.Labels.Length).Where(i => record.Scores[i] >= thresholds[record.Labels[i]])];
        return new GeneratedRow
        {
            ImagePath = images.PathOf(record.File),
            ImageWidth = record.Width,
            ImageHeight = record.Height,
            Label = [.. sure.Select(i => header.Classes[record.Labels[i]])],
            BoundingBoxes = [.. sure.SelectMany(i => record.Boxes[(4 * i)..(4 * i + 4)])],
            LabelScore = [.. sure.Select(i => record.Scores[i])],
        };
    }

    private static Dictionary<string, string> Provenance(ShardHeader header, IReadOnlyList<float> thresholds,
        GeneratedLabelOptions options, long images)
    {
        string rule = options.ScoreThreshold is not null ? "given" : options.PerClass
            ? "as many labels of each class in an image as in the labelled ones" : "as many labels in an image as in the labelled ones";
        return new Dictionary<string, string>(header.Settings)
        {
            ["description"] = "labels generated by a detector, after Radosavovic et al., Data Distillation (CVPR 2018)",
            ["thresholds"] = string.Join(", ",
                header.Classes.Select((name, c) => string.Create(CultureInfo.InvariantCulture, $"{name} {thresholds[c]}"))),
            ["threshold rule"] = rule,
            ["images looked at"] = images.ToString(CultureInfo.InvariantCulture),
        };
    }
}
