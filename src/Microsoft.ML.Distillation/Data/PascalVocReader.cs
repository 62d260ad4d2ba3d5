using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Reads Pascal VOC annotations. Coordinates are kept as they are written: VOC itself counts pixels from 1 and includes the
/// last one, most tools that write its format count from 0; a shift by one pixel would be wrong for one of them.
/// </summary>
internal static class PascalVocReader
{
    /// <summary>The images of a folder. The list of files is made at once, each file is parsed when its turn comes.</summary>
    /// <param name="split">A list in <c>ImageSets/Main</c> or a subfolder; null is every annotation.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, or any annotation does not exist.</exception>
    /// <exception cref="FormatException">A file is not a VOC annotation; the message names file and line.</exception>
    public static IEnumerable<VocImage> Read(string folder, string? split = null)
    {
        PascalVocFolder files = PascalVocFolder.Open(folder, split);
        return files.Annotations.Select(path => ReadFile(path, files));
    }

    private static VocImage ReadFile(string path, PascalVocFolder files)
    {
        XElement annotation = Load(path);
        if (annotation.Name != "annotation") throw Error(path, annotation, $"an <annotation> is expected, not <{annotation.Name}>");
        var labels = new List<string>();
        var boxes = new List<float>();
        var difficult = new List<bool>();
        foreach (XElement item in annotation.Elements("object"))
        {
            XElement name = Child(path, item, "name");
            string label = name.Value.Trim();
            labels.Add(label.Length > 0 ? label : throw Error(path, name, "the object's <name> is empty"));
            XElement box = Child(path, item, "bndbox");
            foreach (string side in (ReadOnlySpan<string>)["xmin", "ymin", "xmax", "ymax"]) boxes.Add(Number(path, Child(path, box, side)));
            difficult.Add(item.Element("difficult")?.Value.Trim() == "1");
        }

        XElement? size = annotation.Element("size");
        return new VocImage(
            files.FindImage(path, annotation.Element("filename")?.Value.Trim()),
            size?.Element("width") is { } width ? (int)Number(path, width) : 0,
            size?.Element("height") is { } height ? (int)Number(path, height) : 0,
            [.. labels], [.. boxes], [.. difficult]);
    }

    private static XElement Load(string path)
    {
        try
        {
            using XmlReader reader = XmlReader.Create(path, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
            return XDocument.Load(reader, LoadOptions.SetLineInfo).Root!;
        }
        catch (XmlException exception)
        {
            throw new FormatException($"{path}({exception.LineNumber}): this is no well-formed xml: {exception.Message}", exception);
        }
    }

    private static XElement Child(string path, XElement parent, string name)
        => parent.Element(name) ?? throw Error(path, parent, $"<{parent.Name}> has no <{name}>");

    private static float Number(string path, XElement element)
        => float.TryParse(element.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number)
            ? number
            : throw Error(path, element, $"<{element.Name}> holds '{element.Value}', which is no number");

    private static FormatException Error(string path, IXmlLineInfo line, string problem)
        => new($"{path}({line.LineNumber}): {problem}.");
}
