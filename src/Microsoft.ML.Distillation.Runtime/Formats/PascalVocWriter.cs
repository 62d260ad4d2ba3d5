using System.Globalization;
using System.Text;
using System.Xml;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Writes VOC: <c>Annotations/x.xml</c>, <c>ImageSets/Main/SPLIT.txt</c> for a split, <c>JPEGImages</c> for copied images.
/// Coordinates stand as they are, whole numbers where they are whole. Groups and regions to ignore become difficult objects, which
/// VOC's evaluation treats alike; regions without a class are left out.
/// </summary>
internal static class PascalVocWriter
{
    private static readonly XmlWriterSettings Settings
        = new() { Indent = true, OmitXmlDeclaration = true, Encoding = new UTF8Encoding(false) };

    /// <inheritdoc cref="AnnotationWriter.Write"/>
    public static WrittenAnnotations Write(string folder, IEnumerable<AnnotatedImage> images, AnnotationWriterOptions options)
    {
        using var files = new StagedFiles(folder, options);
        var stems = new List<string>();
        int objects = 0, leftOut = 0;
        foreach (AnnotatedImage image in images)
        {
            string name = files.AddImage(image.ImagePath, options.CopyImages ? "JPEGImages" : null);
            string stem = Path.GetFileNameWithoutExtension(name);
            AnnotatedObject[] kept = [.. image.Objects.Where(item => item.Label.Length > 0)];
            using (XmlWriter xml = XmlWriter.Create(files.Add(Path.Combine("Annotations", stem + ".xml")), Settings))
                WriteImage(xml, image, name, kept);
            stems.Add(stem);
            objects += kept.Length;
            leftOut += image.Objects.Count - kept.Length;
        }

        if (options.Split is { } split) File.WriteAllLines(files.Add(Path.Combine("ImageSets", "Main", split + ".txt")), stems);
        files.Commit();
        return new WrittenAnnotations(stems.Count, objects, leftOut);
    }

    private static void WriteImage(XmlWriter xml, AnnotatedImage image, string name, AnnotatedObject[] objects)
    {
        ImageSize size = StagedFiles.SizeOf(image);
        try
        {
            xml.WriteStartElement("annotation");
            xml.WriteElementString("filename", name);
            xml.WriteStartElement("size");
            xml.WriteElementString("width", size.Width.ToString(CultureInfo.InvariantCulture));
            xml.WriteElementString("height", size.Height.ToString(CultureInfo.InvariantCulture));
            xml.WriteElementString("depth", "3");
            xml.WriteEndElement();
            foreach (AnnotatedObject item in objects) WriteObject(xml, item);
            xml.WriteEndElement();
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException(
                $"The image '{image.ImagePath}' has a name or label that xml cannot hold: {exception.Message}", exception);
        }
    }

    private static void WriteObject(XmlWriter xml, AnnotatedObject item)
    {
        xml.WriteStartElement("object");
        xml.WriteElementString("name", item.Label);
        xml.WriteElementString("truncated", NumberText.Format(item.Truncated));
        xml.WriteElementString("occluded", item.Occluded > 0 ? "1" : "0");
        xml.WriteElementString("difficult", item.Difficult || item.Crowd || item.Ignore ? "1" : "0");
        if (item.Score is float score) xml.WriteElementString("score", NumberText.Format(score));
        xml.WriteStartElement("bndbox");
        xml.WriteElementString("xmin", NumberText.Format(item.X0));
        xml.WriteElementString("ymin", NumberText.Format(item.Y0));
        xml.WriteElementString("xmax", NumberText.Format(item.X1));
        xml.WriteElementString("ymax", NumberText.Format(item.Y1));
        xml.WriteEndElement();
        xml.WriteEndElement();
    }
}
