using System.Xml;
using System.Xml.Linq;

namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>What stands in a VOC annotation file.</summary>
/// <param name="FileName">The name of the image, or null.</param>
/// <param name="FileNameLine">The line in which it stands.</param>
internal sealed record VocXml(string? FileName, int FileNameLine, ImageSize? Size, AnnotatedObject[] Objects)
{
    private const int MaxSide = 1 << 24;

    // An image with ten thousand objects makes 4 million.
    private const int MaxCharacters = 16 << 20;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Ignore,
        MaxCharactersInDocument = MaxCharacters,
    };

    /// <summary>Reads a file.</summary>
    /// <param name="names">Names for the classes' codes, or null where classes stand by their names.</param>
    /// <exception cref="FormatException">It is not a VOC annotation; the message names file and line.</exception>
    public static VocXml Read(string path, ClassNameFile? names = null) => Read(File.OpenRead(path), path, names);

    /// <inheritdoc cref="Read(string, ClassNameFile?)"/>
    public static VocXml Read(Stream stream, string file, ClassNameFile? names = null)
    {
        var root = new VocElement(file, Load(stream, file));
        root.ExpectName("annotation");
        VocElement? fileName = root.Find("filename");
        return new VocXml(fileName?.Text, fileName?.Line ?? 1, ReadSize(root), [.. root.All("object").Select(item => ReadObject(item, names))]);
    }

    private static ImageSize? ReadSize(VocElement annotation)
    {
        if (annotation.Find("size") is not { } size) return null;
        int width = size.Find("width")?.Whole(0, MaxSide) ?? 0, height = size.Find("height")?.Whole(0, MaxSide) ?? 0;
        return width > 0 && height > 0 ? new ImageSize(width, height) : null;
    }

    private static AnnotatedObject ReadObject(VocElement item, ClassNameFile? names)
    {
        VocElement name = item.Child("name");
        if (name.Text.Length == 0) throw name.Error("the object's <name> is empty");
        string label = names?.NameOf(name.Text) ?? name.Text;
        if (names is not null && ClassNameFile.IsSynset(label)) throw name.Error($"the class '{label}' has no name in '{names.Path}'");

        VocElement box = item.Child("bndbox");
        float x0 = box.Child("xmin").Number(), y0 = box.Child("ymin").Number();
        float x1 = box.Child("xmax").Number(), y1 = box.Child("ymax").Number();
        if (AnnotatedObject.Problem(x0, y0, x1, y1) is { } problem) throw box.Error(problem);
        return new AnnotatedObject(label, x0, y0, x1, y1)
        {
            Difficult = item.Find("difficult")?.Flag() == true,
            Truncated = item.Find("truncated")?.Share() ?? 0,
            Occluded = item.Find("occluded") is { } occluded ? (int)Math.Ceiling(occluded.Share()) : 0,
        };
    }

    private static XElement Load(Stream stream, string file)
    {
        using Stream closed = stream;
        XmlReader? reader = null;
        try
        {
            reader = XmlReader.Create(stream, Settings);
            return XDocument.Load(reader, LoadOptions.SetLineInfo).Root!;
        }
        catch (XmlException exception)
        {
            throw AnnotationError.At(file, Math.Max(exception.LineNumber, 1), $"this is no well-formed xml: {exception.Message.TrimEnd('.')}", exception);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            // An entity that is declared nowhere, an encoding that does not exist.
            int line = reader is IXmlLineInfo info ? Math.Max(info.LineNumber, 1) : 1;
            throw AnnotationError.At(file, line, $"this xml cannot be read: {exception.Message.TrimEnd('.')}", exception);
        }
        finally
        {
            reader?.Dispose();
        }
    }
}
