namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>
/// Reads Pascal VOC annotations. Coordinates are kept as they are written: VOC itself counts pixels from 1 and includes the
/// last one, most tools that write its format count from 0; a shift by one pixel would be wrong for one of them.
/// </summary>
internal static class PascalVocReader
{
    /// <summary>The images of a folder. The list of files is made at once, each file is parsed when its turn comes.</summary>
    /// <param name="split">A list in <c>ImageSets/Main</c> or a subfolder; null is every annotation.</param>
    /// <inheritdoc cref="Read(AnnotationSource)"/>
    public static IEnumerable<AnnotatedImage> Read(string folder, string? split = null) => Read(new AnnotationSource(folder, split));

    /// <inheritdoc cref="Read(string, string?)"/>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, or any annotation does not exist.</exception>
    /// <exception cref="FormatException">A file is not a VOC annotation; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source) => Read(PascalVocFolder.Open(source));

    private static IEnumerable<AnnotatedImage> Read(PascalVocFolder files)
    {
        var annotationOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in files.Annotations)
        {
            VocXml xml = VocXml.Read(path);
            string image = files.FindImage(path, xml.FileName);
            if (!annotationOf.TryAdd(image, path))
                throw AnnotationError.At(path, xml.FileNameLine, $"the image '{image}' is already annotated by '{annotationOf[image]}'");
            yield return new AnnotatedImage(image, xml.Size, xml.Objects) { NamedIn = path, Line = xml.FileNameLine };
        }
    }
}
