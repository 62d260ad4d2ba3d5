using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>Reads KITTI's object annotations: <c>label_2</c> beside <c>image_2</c>, splits in <c>ImageSets</c>.</summary>
internal static class KittiReader
{
    private static readonly string[] Roots = ["", "training"];

    /// <summary>The images of a folder. The list of files is made at once, each file is parsed when its turn comes.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, or any annotation does not exist.</exception>
    /// <exception cref="FormatException">A line is not as it must be; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        string folder = source.Folder();
        string? list = null;
        if (source.Split is { } split)
        {
            list = Path.Combine(folder, "ImageSets", split + ".txt");
            if (!File.Exists(list))
            {
                string part = Path.Combine(folder, split);
                if (split.Length > 0 && Directory.Exists(part)) return Read(source with { Path = part, Split = null });
                throw new FileNotFoundException(
                    $"'{folder}' has no split '{split}': neither the list 'ImageSets/{split}.txt' nor a folder '{split}' exists.", list);
            }
        }

        string root = Roots.Select(name => Path.Combine(folder, name))
            .FirstOrDefault(path => Directory.Exists(Path.Combine(path, "label_2"))) ?? folder;
        string labels = Directory.Exists(Path.Combine(root, "label_2")) ? Path.Combine(root, "label_2") : root;
        // The folder may be label_2 itself.
        string[] imageFolders = [Path.Combine(root, "image_2"), Path.Combine(root, "..", "image_2"), root];
        var images = new ImageFiles(source.GivenImageFolder() ?? Path.GetFullPath(imageFolders.First(Directory.Exists)));
        AnnotationNotes? notes = source.Notes;
        return Read(list is null ? All(labels) : SplitList.Files(list, labels, ".txt", notes), images, notes);
    }

    private static IEnumerable<AnnotatedImage> Read(IReadOnlyList<string> files, ImageFiles images, AnnotationNotes? notes)
    {
        return files.Select(TryRead).OfType<AnnotatedImage>();

        AnnotatedImage? TryRead(string path)
        {
            string stem = Path.GetFileNameWithoutExtension(path);
            string image = images.Find(stem) ?? images.Expected(stem + ".png");
            var faults = new List<string>();
            try
            {
                List<AnnotatedObject> objects = KittiLabels.Read(AnnotationFile.Open(path), path, notes, faults);
                return new AnnotatedImage(image, null, objects) { NamedIn = path, Faults = faults };
            }
            catch (FormatException fault) when (notes?.Takes(fault, path) == true)
            {
                return null;
            }
        }
    }

    private static string[] All(string labels)
    {
        string[] files = [.. FolderListing.Files(labels, "*.txt")];
        return files.Length > 0 ? files : throw new FileNotFoundException($"'{labels}' holds no annotation (*.txt).", labels);
    }

}

/// <summary>
/// Parses a KITTI label file. A line is an object of 15 columns, or 16 with a score, which is passed over: type, truncated,
/// occluded, alpha, x0 y0 x1 y1 (pixels from 0), and size, place and angle in space, seven numbers that are checked and not kept.
/// </summary>
internal static class KittiLabels
{
    private const int FirstCorner = 4;

    /// <summary>
    /// The objects of a file. A region marked DontCare has an empty label and is marked <see cref="AnnotatedObject.Ignore"/>.
    /// </summary>
    /// <param name="notes">Takes what is wrong with a line, which is then left out.</param>
    /// <param name="faults">Receives the same.</param>
    /// <exception cref="FormatException">A line is not as it must be; the message names file and line.</exception>
    public static List<AnnotatedObject> Read(Stream stream, string file, AnnotationNotes? notes = null, List<string>? faults = null)
    {
        using var lines = new TextLines(stream, file);
        return lines.Objects(columns => ReadObject(lines, columns), notes, faults);
    }

    private static AnnotatedObject ReadObject(TextLines lines, string[] columns)
    {
        if (columns.Length is not (15 or 16)) throw lines.Error($"15 or 16 columns are expected, not {columns.Length}");
        Span<double> numbers = stackalloc double[16];
        for (int i = 1; i < columns.Length; i++)
        {
            if (!NumberText.TryParse(columns[i], out numbers[i]))
                throw lines.Error($"column {i + 1} holds {AnnotationError.Quote(columns[i])}, which is no number");
        }

        Span<double> corners = numbers[FirstCorner..];
        if (AnnotatedObject.Problem(corners[0], corners[1], corners[2], corners[3]) is { } problem) throw lines.Error(problem);
        bool isRegion = columns[0] == "DontCare";
        // DontCare regions have -1 in both; so have the objects of tools that do not know.
        if (numbers[1] is not (-1 or (>= 0 and <= 1)))
            throw lines.Error($"column 2 (truncated) holds '{columns[1]}', which is not from 0 to 1");
        if (numbers[2] is not (-1 or 0 or 1 or 2 or 3))
            throw lines.Error($"column 3 (occluded) holds '{columns[2]}', which is none of 0, 1, 2, 3");
        return new AnnotatedObject(isRegion ? "" : columns[0], (float)corners[0], (float)corners[1], (float)corners[2], (float)corners[3])
        {
            Ignore = isRegion,
            Truncated = Math.Max((float)numbers[1], 0),
            Occluded = Math.Max((int)numbers[2], 0),
        };
    }
}
