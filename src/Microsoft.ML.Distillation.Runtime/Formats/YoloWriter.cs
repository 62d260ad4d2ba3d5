using System.Globalization;
using System.Text;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Writes YOLO: <c>labels/SPLIT/x.txt</c>, <c>scores/SPLIT/x.txt</c> beside labels that a detector made (<see cref="YoloScores"/>),
/// <c>images/SPLIT</c> for copied images, and <c>data.yaml</c>. A data.yaml that is there
/// already keeps the numbers of its classes and its splits, so that splits can be written one after another. The format has no
/// flags: groups and regions to ignore are left out, as a detector would learn them as objects.
/// </summary>
internal static class YoloWriter
{
    private const string DataFile = "data.yaml";

    /// <inheritdoc cref="AnnotationWriter.Write"/>
    public static WrittenAnnotations Write(string folder, IEnumerable<AnnotatedImage> images, AnnotationWriterOptions options)
    {
        string split = options.Split ?? "train";
        using var files = new StagedFiles(folder, options);
        var splits = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        YoloNames names = ReadNames(files.Final(DataFile), splits);
        splits[split] = [$"images/{split}"];
        int count = 0, objects = 0, leftOut = 0;
        foreach (AnnotatedImage image in images)
        {
            string name = files.AddImage(image.ImagePath, options.CopyImages ? Path.Combine("images", split) : null);
            AnnotatedObject[] kept = [.. image.Objects.Where(item => item is { Crowd: false, Ignore: false, Label.Length: > 0 })];
            string[] lines = kept.Length == 0 && image.Unplaced == 0 ? [] : Lines(kept, names, StagedFiles.SizeOf(image));
            string labels = Path.Combine("labels", split, Path.ChangeExtension(name, ".txt"));
            File.WriteAllLines(files.Add(labels), lines);
            string[] scored = [.. lines.Zip(kept, (line, item) => item.Score is float score ? $"{line} {NumberText.Format(score)}" : "")
                .Where(line => line.Length > 0)];
            if (scored.Length > 0) File.WriteAllLines(files.Add(YoloScores.FileOf(labels)!), scored);
            count++;
            objects += kept.Length;
            leftOut += image.Objects.Count - kept.Length;
        }

        File.WriteAllText(files.Add(DataFile), Yaml(names, splits));
        files.Commit();
        return new WrittenAnnotations(count, objects, leftOut);
    }

    private static YoloNames ReadNames(string path, Dictionary<string, IReadOnlyList<string>> splits)
    {
        if (!File.Exists(path)) return new YoloNames(path);
        using TextLines lines = TextLines.Open(path);
        YoloDataFile data = YoloDataFile.Read(lines);
        foreach ((string name, IReadOnlyList<string> images) in data.Splits) splits[name] = images;
        return data.ReadNames();
    }

    private static string[] Lines(AnnotatedObject[] objects, YoloNames names, ImageSize size)
        => [.. objects.Select(item => string.Join(
            ' ',
            names.IndexOf(item.Label).ToString(CultureInfo.InvariantCulture),
            Share(item.X0, item.X1, 2 * size.Width),
            Share(item.Y0, item.Y1, 2 * size.Height),
            Share(-item.X0, item.X1, size.Width),
            Share(-item.Y0, item.Y1, size.Height)))];

    /// <summary>The sum of two coordinates over a length, with ten decimals: far below what a Single holds.</summary>
    private static string Share(double a, double b, double length)
        => ((a + b) / length).ToString("0.##########", CultureInfo.InvariantCulture);

    private static string Yaml(YoloNames names, Dictionary<string, IReadOnlyList<string>> splits)
    {
        var yaml = new StringBuilder();
        foreach ((string split, IReadOnlyList<string> images) in splits)
        {
            string paths = string.Join(", ", images.Select(Quoted));
            yaml.Append(CultureInfo.InvariantCulture, $"{split}: {(images.Count == 1 ? paths : $"[{paths}]")}\n");
        }

        yaml.Append(CultureInfo.InvariantCulture, $"nc: {names.Count}\nnames:\n");
        foreach ((int index, string name) in names.All) yaml.Append(CultureInfo.InvariantCulture, $"  {index}: {Quoted(name)}\n");
        return yaml.ToString();
    }

    /// <summary>A text in quotes: as it is, or where it holds characters that YAML would break or forbid, with escapes.</summary>
    private static string Quoted(string text)
        => text.Any(IsSpecial)
            ? $"\"{string.Concat(text.Select(c => IsSpecial(c) ? $"\\u{(int)c:X4}" : c is '"' or '\\' ? $"\\{c}" : c.ToString()))}\""
            : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static bool IsSpecial(char c) => c != '\t' && char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF';
}
