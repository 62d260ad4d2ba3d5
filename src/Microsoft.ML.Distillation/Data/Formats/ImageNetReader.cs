namespace Microsoft.ML.Distillation.Data.Formats;

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
        return Read(files, path is null ? null : ClassNameFile.ReadSynsets(path));
    }

    private static IEnumerable<AnnotatedImage> Read(ImageNetFolder files, ClassNameFile? names)
    {
        var annotationOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string annotation, string? unannotated) in files.Entries)
        {
            VocXml? xml = unannotated is null ? VocXml.Read(annotation, names) : null;
            string image = unannotated ?? files.FindImage(annotation, xml?.FileName);
            if (!annotationOf.TryAdd(image, annotation))
                throw AnnotationError.At(annotation, xml?.FileNameLine ?? 1, $"the image '{image}' is already annotated by '{annotationOf[image]}'");
            yield return new AnnotatedImage(image, xml?.Size, xml?.Objects ?? []) { NamedIn = annotation, Line = xml?.FileNameLine ?? 1 };
        }
    }
}
