namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>An image of a COCO file.</summary>
/// <param name="Line">Where it stands.</param>
internal readonly record struct CocoImageEntry(CocoId Id, string FileName, ImageSize? Size, int Line);

/// <summary>A class of a COCO file.</summary>
internal readonly record struct CocoCategoryEntry(CocoId Id, string Name);

/// <summary>An annotated object of a COCO file: its image and class by index; the object has no label yet.</summary>
/// <param name="Line">Where it stands.</param>
internal readonly record struct CocoObjectEntry(int Image, int Category, int Line, AnnotatedObject Object);

/// <summary>The content of a COCO annotation file, about a hundred bytes an object; its text and masks are not kept.</summary>
/// <param name="Images">The images, in the order of the file.</param>
/// <param name="Categories">The classes.</param>
/// <param name="Objects">All objects, in the order of the file.</param>
internal sealed record CocoFile(
    IReadOnlyList<CocoImageEntry> Images, IReadOnlyList<CocoCategoryEntry> Categories, IReadOnlyList<CocoObjectEntry> Objects)
{
    /// <summary>
    /// The objects' boxes and areas in double precision, which COCO's figures are computed in; empty where they were not asked for.
    /// </summary>
    public IReadOnlyList<(CocoBox Box, double? Area)> Measures { get; init; } = [];

    /// <summary>The images with their objects.</summary>
    /// <param name="file">The file's name.</param>
    /// <param name="findImage">Finds the path of an image by its name in the file.</param>
    public IEnumerable<AnnotatedImage> Annotated(string file, Func<string, string> findImage)
    {
        int[] order = ByImage(out int[] starts);
        for (int i = 0; i < Images.Count; i++)
        {
            var objects = new AnnotatedObject[starts[i + 1] - starts[i]];
            for (int k = 0; k < objects.Length; k++)
            {
                CocoObjectEntry entry = Objects[order[starts[i] + k]];
                objects[k] = entry.Object with { Label = Categories[entry.Category].Name };
            }

            yield return new AnnotatedImage(findImage(Images[i].FileName), Images[i].Size, objects) { NamedIn = file, Line = Images[i].Line };
        }
    }

    /// <summary>The objects' indices, grouped by image in the order of the file; those of image i begin at starts[i].</summary>
    private int[] ByImage(out int[] starts)
    {
        starts = new int[Images.Count + 1];
        foreach (CocoObjectEntry entry in Objects) starts[entry.Image + 1]++;
        for (int i = 0; i < Images.Count; i++) starts[i + 1] += starts[i];
        int[] next = [.. starts], order = new int[Objects.Count];
        for (int i = 0; i < order.Length; i++) order[next[Objects[i].Image]++] = i;
        return order;
    }
}
