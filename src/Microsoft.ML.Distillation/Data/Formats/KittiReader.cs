namespace Microsoft.ML.Distillation.Data.Formats;

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
                throw new FileNotFoundException($"'{folder}' has no split '{split}': neither the list 'ImageSets/{split}.txt' nor a folder '{split}' exists.", list);
            }
        }

        string root = Roots.Select(name => Path.Combine(folder, name)).FirstOrDefault(path => Directory.Exists(Path.Combine(path, "label_2"))) ?? folder;
        string labels = Directory.Exists(Path.Combine(root, "label_2")) ? Path.Combine(root, "label_2") : root;
        // The folder may be label_2 itself.
        string[] imageFolders = [Path.Combine(root, "image_2"), Path.Combine(root, "..", "image_2"), root];
        var images = new ImageFiles(source.GivenImageFolder() ?? Path.GetFullPath(imageFolders.First(Directory.Exists)));
        return Read(list is null ? All(labels) : Listed(labels, list), images);
    }

    private static IEnumerable<AnnotatedImage> Read(IReadOnlyList<string> files, ImageFiles images)
    {
        foreach (string path in files)
        {
            string stem = Path.GetFileNameWithoutExtension(path);
            string image = images.Find(stem) ?? images.Expected(stem + ".png");
            yield return new AnnotatedImage(image, null, KittiLabels.Read(File.OpenRead(path), path)) { NamedIn = path };
        }
    }

    private static string[] All(string labels)
    {
        string[] files = [.. Directory.EnumerateFiles(labels, "*.txt").Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files : throw new FileNotFoundException($"'{labels}' holds no annotation (*.txt).", labels);
    }

    private static List<string> Listed(string labels, string list)
    {
        var files = new List<string>();
        foreach (ListedName entry in SplitList.Read(list))
        {
            string path = Path.Combine(labels, entry.Name + ".txt");
            if (!File.Exists(path)) throw new FileNotFoundException($"{list}({entry.Line}): the annotation '{path}' does not exist.", path);
            files.Add(path);
        }

        return files;
    }
}
