using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Reads ImageNet-DET annotations: VOC's xml, with synsets as names, in folders that the images' folders mirror. An image that a
/// split lists and that has no annotation file has no objects.
/// </summary>
internal static class ImageNetReader
{
    private static readonly string[] NamesFiles =
        ["map_det.txt", "devkit/data/map_det.txt", "LOC_synset_mapping.txt", "synset_words.txt", "synsets.txt", "words.txt"];

    /// <summary>The images of a folder. The list of files is made at once, each file is parsed when its turn comes.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, or any annotation does not exist.</exception>
    /// <exception cref="FormatException">A file cannot be read, or a synset has no name; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        ImageNetFolder files = ImageNetFolder.Open(source);
        string? path = source.FindNamesFile(source.Folder(), NamesFiles);
        return Read(files, path is null ? null : ClassCodes.ReadSynsets(path), source.Notes, ImageNetFolder.LooksLikeVoc(source.Folder()));
    }

    private static IEnumerable<AnnotatedImage> Read(ImageNetFolder files, ClassCodes? names, AnnotationNotes? notes, bool looksLikeVoc)
    {
        var annotationOf = new Dictionary<string, string>(StringComparer.Ordinal);
        return files.Entries.Select(entry => TryRead(entry.Annotation, entry.Unannotated)).OfType<AnnotatedImage>();

        AnnotatedImage? TryRead(string annotation, string? unannotated)
        {
            try
            {
                VocXml? xml = unannotated is null ? VocXml.Read(annotation, names, notes) : null;
                if (looksLikeVoc && names is null && xml?.Objects.Any(item => !ClassCodes.IsSynset(item.Label)) == true)
                {
                    notes?.Count(
                        "Files with classes that are no synsets of ImageNet (n01440764), in a folder laid out as a Pascal VOC data set: if "
                        + "it is one, give the format DetectionFormat.PascalVoc", annotation);
                }

                string image = unannotated ?? files.FindImage(annotation, xml?.FileName);
                if (!annotationOf.TryAdd(image, annotation) && annotationOf[image] != annotation)
                {
                    throw AnnotationError.At(
                        annotation, xml?.FileNameLine ?? 1, $"the image '{image}' is already annotated by '{annotationOf[image]}'");
                }

                return xml?.ToImage(image, annotation) ?? new AnnotatedImage(image, null, []) { NamedIn = annotation };
            }
            catch (FormatException fault) when (notes?.Takes(fault, annotation) == true)
            {
                return null;
            }
        }
    }
}

/// <summary>
/// Where the files of an ImageNet-DET data set are: folders below <c>Annotations</c> and the same folders below <c>Data</c>.
/// </summary>
internal sealed class ImageNetFolder
{
    private static readonly string[] AnnotationFolders = ["Annotations/DET", "Annotations", ""];
    private static readonly string[] ImageFolders = ["Data/DET", "Data", "JPEGImages", "Images", "images", ""];
    private static readonly string[] ListFolders = ["ImageSets/DET", "ImageSets/Main", "ImageSets"];

    private readonly string _annotations;
    private readonly string _images;
    private readonly Dictionary<string, ImageFiles> _imagesOf = new(StringComparer.Ordinal);

    private ImageNetFolder(string annotations, string images)
    {
        _annotations = annotations;
        _images = images;
    }

    /// <summary>The xml files; or, where an image that is listed has none, the one that is missing and the image.</summary>
    public IReadOnlyList<(string Annotation, string? Unannotated)> Entries { get; private set; } = [];

    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or an image that it lists, or any annotation does not exist.</exception>
    /// <exception cref="FormatException">The split's list names an image twice.</exception>
    public static ImageNetFolder Open(AnnotationSource source)
    {
        string folder = source.Folder();
        var files = new ImageNetFolder(First(folder, AnnotationFolders), source.GivenImageFolder() ?? First(folder, ImageFolders));
        files.Entries = files.Find(folder, source.Split, source.Notes);
        return files;
    }

    /// <summary>
    /// The image of an annotation, in the folder that mirrors the annotation's; else the path at which it was to be expected.
    /// </summary>
    public string FindImage(string annotation, string? fileName)
    {
        string below = Path.GetDirectoryName(Path.GetRelativePath(_annotations, annotation))!;
        string stem = Path.GetFileNameWithoutExtension(annotation);
        string named = string.IsNullOrEmpty(fileName) ? stem : ImageFiles.NameIn(fileName);
        ImageFiles mirror = ImagesOf(Directory.Exists(Path.Combine(_images, below)) ? below : "");
        return mirror.Find(named, stem) ?? mirror.Expected(named);
    }

    /// <summary>Whether the folders are those of Pascal VOC and not those of ImageNet, which may be named alike.</summary>
    public static bool LooksLikeVoc(string folder)
        => !Directory.Exists(Path.Combine(folder, "Data")) && !Directory.Exists(Path.Combine(folder, "Annotations", "DET"))
            && Directory.Exists(Path.Combine(folder, "JPEGImages"));

    private List<(string, string?)> Find(string folder, string? split, AnnotationNotes? notes)
    {
        if (split is null) return Below("");
        if (FindList(folder, split) is { } list)
        {
            var found = new List<(string, string?)>();
            foreach (ListedName entry in SplitList.Read(list, numbered: true))
            {
                try
                {
                    found.Add(Listed(list, split, entry));
                }
                catch (FileNotFoundException missing) when (notes?.Takes(missing, list) == true)
                {
                }
            }

            return found;
        }

        if (Directory.Exists(Path.Combine(_annotations, split))) return Below(split);
        throw new FileNotFoundException(
            $"'{folder}' has no split '{split}': neither a list in 'ImageSets' nor a folder in '{_annotations}' has this name.");
    }

    private List<(string, string?)> Below(string part)
    {
        string folder = Path.Combine(_annotations, part);
        IEnumerable<string> paths = FolderListing.Below(folder, "*.xml");
        List<(string, string?)> found = [.. paths.Select(path => (path, (string?)null))];
        return found.Count > 0 ? found : throw new FileNotFoundException($"'{folder}' holds no annotation (*.xml).", folder);
    }

    /// <summary>Lists name annotations from the annotations' folder, or from the split's folder in it.</summary>
    private (string, string?) Listed(string list, string split, ListedName entry)
    {
        string whole = Path.Combine(_annotations, entry.Name + ".xml"), inSplit = Path.Combine(_annotations, split, entry.Name + ".xml");
        if (File.Exists(whole)) return (whole, null);
        if (File.Exists(inSplit)) return (inSplit, null);
        foreach (string path in (ReadOnlySpan<string>)[inSplit, whole])
        {
            string image = FindImage(path, null);
            if (File.Exists(image)) return (path, image);
        }

        throw new FileNotFoundException($"{list}({entry.Line}): neither the annotation '{whole}' nor its image exists.", whole);
    }

    private ImageFiles ImagesOf(string below)
    {
        if (!_imagesOf.TryGetValue(below, out ImageFiles? files)) _imagesOf[below] = files = new ImageFiles(Path.Combine(_images, below));
        return files;
    }

    private static string First(string folder, string[] candidates)
        => candidates.Select(name => Path.Combine(folder, name)).First(Directory.Exists);

    private static string? FindList(string folder, string split)
        => ListFolders.Select(name => Path.Combine(folder, name, split + ".txt")).FirstOrDefault(File.Exists);
}
