using System.Security.Cryptography;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Inspection;

/// <summary>Looks through an annotated data set: counts, sizes, and what is wrong. Images are decoded on all processors.</summary>
internal static class DataInspector
{
    private static readonly double[] Quantiles = [.05, .25, .5, .75, .95];

    /// <summary>Inspects the parts of a data set: those named, else those of the usual names that there are, else all of it.</summary>
    /// <param name="splits">Null for the usual ones; an empty list for all of it as one part.</param>
    /// <param name="maxPixels">How many pixels an image may have.</param>
    /// <param name="say">Receives how far it is, now and then.</param>
    public static DetectionDataInspection Inspect(
        DetectionFormat format, AnnotationSource source, IReadOnlyList<string>? splits = null, long maxPixels = ImageFile.DefaultMaxPixels,
        Action<string>? say = null)
    {
        var notes = new AnnotationNotes(skipsFaults: true);
        source = source with { ToleratesBrokenImages = true, Notes = notes };
        string?[] named = splits is not null
            ? [.. splits]
            : [.. AnnotationSplits.Usual.Where(split => AnnotationSplits.Exists(format, source with { Split = split }))];
        if (named.Length == 0) named = [null];
        DataPart[] parts = [.. named.Select(split => Read(split ?? "all", source with { Split = split }))];
        return Inspect(parts, maxPixels, say) with
        {
            Warnings = [.. notes.Warnings.Concat(parts.SelectMany(part => part.Notes.Warnings)).Distinct()],
        };

        DataPart Read(string name, AnnotationSource part)
        {
            var found = new AnnotationNotes(skipsFaults: true);
            var clock = new ReadingClock(say, $"the annotations of '{name}'", null);
            var images = new List<AnnotatedImage>();
            foreach (AnnotatedImage image in AnnotationReader.Read(format, part with { Notes = found }))
            {
                images.Add(image);
                clock.Tick();
            }

            return new DataPart(name, images, found);
        }
    }

    /// <summary>Inspects parts that are read already.</summary>
    public static DetectionDataInspection Inspect(
        IReadOnlyList<DataPart> splits, long maxPixels = ImageFile.DefaultMaxPixels, Action<string>? say = null)
    {
        (string Split, AnnotatedImage Image)[] images = [.. splits.SelectMany(split => split.Images.Select(image => (split.Name, image)))];
        var checks = new ImageCheck[images.Length];
        var clock = new ReadingClock(say, "the data set", images.Length);
        Parallel.For(0, images.Length, i =>
        {
            checks[i] = ImageCheck.Of(images[i].Image, images[i].Split, maxPixels);
            clock.Tick();
        });
        return new DetectionDataInspection
        {
            Splits = [.. splits.Select(split => Summary(split.Name, split.Images))],
            Classes = Classes(images, [.. splits.Select(split => split.Name)]),
            ImageSizes = [.. checks.Where(check => check.Size is not null).GroupBy(check => check.Size!.Value)
                .OrderByDescending(group => group.Count()).ThenByDescending(group => group.Key.Width)
                .Select(group => new DetectionImageSize(group.Key.Width, group.Key.Height, group.Count()))],
            BoxSizes = BoxSizes([.. images.SelectMany(entry => Counted(entry.Image))]),
            Defects = [.. splits.SelectMany(WrongAnnotations), .. checks.SelectMany(check => check.Defects), .. Duplicates(images, checks)],
            TurnedImages = checks.Count(check => check.IsTurned),
            StoredAnnotations = images.Count(entry => entry.Image.WasStored),
            Outlines = images.Sum(entry => Counted(entry.Image).Count(item => item.OfOutline)),
            Annotated = [.. images.Select(entry => entry.Image)],
        };
    }

    private static IEnumerable<DetectionDataDefect> WrongAnnotations(DataPart part)
    {
        var imageOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (AnnotatedImage image in part.Images)
        {
            foreach (string fault in image.Faults) imageOf.TryAdd(fault, image.ImagePath);
        }

        foreach ((string file, string message) in part.Notes.Faults)
        {
            // The folder is the same for all.
            string text = message.StartsWith(file, StringComparison.Ordinal) ? Path.GetFileName(file) + message[file.Length..] : message;
            yield return new DetectionDataDefect(
                DetectionDefectKind.WrongAnnotation, part.Name, imageOf.GetValueOrDefault(message, file), null, text.TrimEnd('.'));
        }
    }

    private static IEnumerable<AnnotatedObject> Counted(AnnotatedImage image)
        => image.Objects.Where(item => item is { Crowd: false, Ignore: false });

    private static DetectionDataSplit Summary(string name, IReadOnlyList<AnnotatedImage> images)
        => new(
            name, images.Count, images.Sum(image => Counted(image).Count()),
            images.Count(image => image.Unplaced == 0 && !image.LostItsObjects && !Counted(image).Any()));

    private static DetectionDataClass[] Classes((string Split, AnnotatedImage Image)[] images, string[] splits)
        => [.. from entry in images
               from item in Counted(entry.Image)
               group (entry.Split, entry.Image) by item.Label into found
               orderby found.Count() descending, found.Key
               select new DetectionDataClass(
                   found.Key, [.. splits.Select(split => found.Count(place => place.Split == split))],
                   found.Select(place => place.Image).Distinct().Count())];

    private static DetectionBoxSizes BoxSizes(AnnotatedObject[] objects)
    {
        int small = 0, medium = 0, large = 0;
        foreach (AnnotatedObject item in objects)
        {
            float area = item.Area ?? (item.X1 - item.X0) * (item.Y1 - item.Y0);
            if (area <= 32 * 32) small++;
            else if (area <= 96 * 96) medium++;
            else large++;
        }

        return new DetectionBoxSizes(
            small, medium, large,
            QuantilesOf(objects.Select(item => item.X1 - item.X0)), QuantilesOf(objects.Select(item => item.Y1 - item.Y0)));
    }

    private static float[] QuantilesOf(IEnumerable<float> values)
    {
        float[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? [] : Array.ConvertAll(Quantiles, share => sorted[(int)Math.Ceiling(share * sorted.Length) - 1]);
    }

    private static IEnumerable<DetectionDataDefect> Duplicates((string Split, AnnotatedImage Image)[] images, ImageCheck[] checks)
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < images.Length; i++)
        {
            if (checks[i].Hash is not { } hash || first.TryAdd(hash, i)) continue;
            (string split, AnnotatedImage image) = images[first[hash]];
            bool across = split != images[i].Split;
            string where = across ? $" of the part '{split}'" : "";
            yield return new DetectionDataDefect(
                across ? DetectionDefectKind.DuplicateAcrossSplits : DetectionDefectKind.DuplicateImage,
                images[i].Split, images[i].Image.ImagePath, null,
                $"{Path.GetFileName(images[i].Image.ImagePath)}: the same file as {Path.GetFileName(image.ImagePath)}{where}");
        }
    }
}

/// <summary>A part of a data set, read.</summary>
internal sealed record DataPart(string Name, IReadOnlyList<AnnotatedImage> Images, AnnotationNotes Notes);

/// <summary>One image looked at: its true size, a hash of its file, and what is wrong with it and its objects.</summary>
/// <param name="Size">The size of the decoded image; null where it cannot be read.</param>
/// <param name="Hash">SHA-256 of the file; null where there is none.</param>
/// <param name="Defects">What is wrong.</param>
internal sealed record ImageCheck(ImageSize? Size, string? Hash, IReadOnlyList<DetectionDataDefect> Defects)
{
    /// <summary>Whether it is a photo that its Exif data turn.</summary>
    public bool IsTurned { get; private init; }

    /// <summary>Looks at an image and its objects.</summary>
    public static ImageCheck Of(AnnotatedImage image, string split, long maxPixels)
    {
        var defects = new List<DetectionDataDefect>();
        (ImageTurn? turn, string? hash, string? problem) = Decode(image.ImagePath, maxPixels);
        ImageSize? size = turn?.Upright;
        string name = Path.GetFileName(image.ImagePath);
        if (problem is not null)
        {
            string lost = image.Unplaced > 0
                ? $", so its {Counted.Of(image.Unplaced, "object")}, given in shares of it, "
                    + $"{(image.Unplaced == 1 ? "is" : "are")} not counted" : "";
            Add(DetectionDefectKind.UnreadableImage, null, problem + lost);
        }

        if (size is { } real && image.Size is { } given && real != given)
            Add(DetectionDefectKind.WrongImageSize, null, $"the annotation says {given} pixels, the image has {real}");

        var seen = new HashSet<(string, float, float, float, float)>();
        for (int i = 0; i < image.Objects.Count; i++)
        {
            AnnotatedObject item = image.Objects[i];
            if (item.Ignore) continue;
            float[] box = [item.X0, item.Y0, item.X1, item.Y1];
            string what = $"object {i}, {item.Label} {BoxCheck.Text(box)},";
            if (!seen.Add((item.Label, item.X0, item.Y0, item.X1, item.Y1)))
                Add(DetectionDefectKind.RepeatedBox, i, $"{what} stands there twice");
            if (item.X1 <= item.X0 || item.Y1 <= item.Y0) Add(DetectionDefectKind.ZeroAreaBox, i, $"{what} has no area");
            else if ((size ?? image.Size) is { } known && BoxCheck.Problem(box, known) is { } outside)
                Add(DetectionDefectKind.BoxOutside, i, $"{what} {outside}");
        }

        return new ImageCheck(size, hash, defects) { IsTurned = turn is { IsNone: false } };

        void Add(DetectionDefectKind kind, int? item, string text)
            => defects.Add(new DetectionDataDefect(kind, split, image.ImagePath, item, $"{name}: {text}"));
    }

    private static (ImageTurn? Turn, string? Hash, string? Problem) Decode(string path, long maxPixels)
    {
        if (InputFile.Problem(path) is { } special) return (null, null, special);
        if (RealPath.IsDeadLink(path)) return (null, null, "the image is a link that leads nowhere");
        if (!File.Exists(path)) return (null, null, "the image does not exist");
        byte[] content = File.ReadAllBytes(path);
        string hash = Convert.ToHexString(SHA256.HashData(content));
        try
        {
            using ImageFile image = ImageFile.Open(content, path, maxPixels);
            return (image.Turn, hash, image.Problem());
        }
        catch (UnreadableImageException exception)
        {
            return (null, hash, exception.Problem);
        }
    }
}
