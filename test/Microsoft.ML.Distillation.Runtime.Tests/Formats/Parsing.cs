using System.Text;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>The readers' parsers on content in memory, under the name "file".</summary>
internal static class Parsing
{
    public const string File = "file";

    public static readonly ImageSize Size = new(100, 50);

    public static readonly YoloNames Names = YoloNames.ReadList(Lines("cat\ndog\n"u8.ToArray()));

    private static readonly ClassCodes MachineIds = ClassCodes.ReadMachineIds(Lines("/m/1,Cat\n/m/2,Dog\n"u8.ToArray()));

    private static readonly ClassCodes Synsets = ClassCodes.ReadSynsets(Lines("n00000001 1 cat\nn00000002 dog, hound\n"u8.ToArray()));

    /// <summary>Parses content of a format; a format with a file an image gives one image.</summary>
    /// <param name="notes">Takes what is wrong and left out.</param>
    public static List<AnnotatedImage> Read(DetectionFormat format, byte[] content, AnnotationNotes? notes = null)
    {
        using var stream = new MemoryStream(content);
        return format switch
        {
            DetectionFormat.PascalVoc => [Image(VocXml.Read(stream, File, null, notes).Objects)],
            DetectionFormat.ImageNet => [Image(VocXml.Read(stream, File, Synsets, notes).Objects)],
            DetectionFormat.Coco => [.. CocoParser.Parse(stream, File, notes: notes).Annotated(File, name => name, notes)],
            DetectionFormat.Kitti => [Image(KittiLabels.Read(stream, File, notes))],
            DetectionFormat.Yolo => [Image(YoloLabels.Read(stream, File, Names, Size, notes))],
            DetectionFormat.OpenImages => [.. OpenImagesCsv.Read(Lines(content), MachineIds, notes).Select(entry => Image(entry.Objects))],
            DetectionFormat.TabSeparated => [.. TabSeparatedReader.Read(Lines(content), name => name, notes)],
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    public static List<AnnotatedImage> Read(DetectionFormat format, string content) => Read(format, Encoding.UTF8.GetBytes(content));

    public static TextLines Lines(byte[] content) => new(new MemoryStream(content), File);

    public static TextLines Lines(string content) => Lines(Encoding.UTF8.GetBytes(content));

    private static AnnotatedImage Image(IReadOnlyList<AnnotatedObject> objects) => new(File, null, objects);
}
