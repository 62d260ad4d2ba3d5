using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill predict</c>: detects objects in images, and writes them in COCO's format and as pictures.</summary>
internal sealed class PredictCommand : System.CommandLine.Command
{
    public PredictCommand()
        : base("predict", "Detects objects in images; writes them in COCO's format, and as pictures.")
    {
        var model = new ModelOptionSet(isRequired: true);
        Option<double?> score = SharedOptions.Number("--score", "The score from which detections are written. [default: all]", 0, 1);
        Option<string> images = SharedOptions
            .RequiredPath("--images", "A folder of images with its subfolders, an image, or a video (with ffmpeg); with --format or "
                + "--split a data set, whose images to take.");
        var format = new FormatOptionSet { OutputIsTheResult = true };
        Option<string?> split = SharedOptions.Split("--split", "The part of a data set. [default: all]");
        Option<string> output = SharedOptions.RequiredOutput(
            "The detections to write, in COCO's result format; - for standard output.", "FILE");
        Option<string?> ids = SharedOptions.Path(
            "--ids", "A COCO file whose ids of images (by file name) and classes (by name) to use. [default: images count from 1 in the "
                + "order of their names, classes from 1 in the model's order]", "FILE");
        Option<string?> draw = SharedOptions.Path("--draw", "A folder for pictures with the boxes and names drawn on.", "DIR");
        Option<double?> drawScore = SharedOptions.Number("--draw-score", "The score from which boxes are drawn. [default: 0.5]", 0, 1);
        Option<bool> skip = SharedOptions.SkipInvalid("Leave out images that cannot be read, with a warning, instead of stopping.");
        model.AddTo(Options);
        Options.Add(images);
        format.AddTo(Options);
        foreach (Option option in (Option[])[split, output, score, ids, draw, drawScore, skip]) Options.Add(option);
        SetAction(parsed =>
        {
            long maxPixels = SharedOptions.MaxPixelsIn(parsed);
            (string place, string target) = (parsed.GetRequiredValue(images), parsed.GetRequiredValue(output));
            bool toOutput = target == "-";
            InvocationConfiguration to = parsed.InvocationConfiguration;
            TextWriter notes = SharedOptions.NotesTo(parsed, to.Error);
            if (!toOutput) OutputCheck.File(parsed, output.Name, target);
            OutputCheck.Folder(draw.Name, parsed.GetValue(draw));
            bool isDataSet = format.IsGiven(parsed) || parsed.GetValue(split) is not null;
            bool skips = parsed.GetValue(skip);
            using VideoFrames? video = !isDataSet && VideoFrames.IsVideo(place) && File.Exists(place) ? new VideoFrames(place) : null;
            IReadOnlyList<string> files = video is not null ? video.Files : isDataSet
                ? [.. Images(format.At(parsed, place) with { SkipsInvalid = skips })]
                : InputImages.Find(place, below: true, passedOver: parsed.GetValue(draw));
            if (skips) files = TestImages.Readable(files, maxPixels, to.Error, notes);
            if (!toOutput) CheckNoneIsReplaced(files, output.Name, [target]);
            string? root = CocoNumbering.RootOf(files);
            if (parsed.GetValue(draw) is string pictures) CheckNoneIsReplaced(files, draw.Name,
                files.Select(file => PictureOf(file, pictures, root)));
            using IImageDetector detector = ImageDetector.Open(model.PathIn(parsed)!, model.OptionsOf(parsed));
            CocoNumbering numbers = parsed.GetValue(ids) is string path ? CocoNumbering.From(path, files)
                : CocoNumbering.Counted(files, detector.ClassNames);
            float least = (float)(parsed.GetValue(score) ?? 0);
            // Detections of any score are wanted for measuring; people ask for those that mean something.
            double sure = parsed.GetValue(drawScore) ?? .5;
            (int count, int surely) = (0, 0);
            IEnumerable<DetectedImage> detected = WorkProgress.Over(detector.Detect(files), files.Count, "predict", "images", notes)
                .Select(found =>
            {
                found = found.From(least);
                surely += found.Scores.Count(one => one >= sure);
                if (parsed.GetValue(draw) is string folder)
                    Draw(found, detector.ClassNames, PictureOf(found.ImagePath, folder, root), sure, maxPixels);
                return found;
            });
            if (toOutput) count = numbers.Write(to.Output, detected);
            else count = numbers.Write(target, detected);
            string ofThem = surely == count ? ""
                : string.Create(CultureInfo.InvariantCulture, $" ({surely} of a score of {sure} or more)");
            (toOutput ? notes : to.Output).WriteLine(
                $"{Counted.Of(count, "detection")} in {Counted.Of(files.Count, video is null ? "image" : "frame")}{ofThem}"
                + $"{(toOutput ? "" : $", saved {target}")}");
            if (parsed.GetValue(draw) is not null && surely == 0) to.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"note: no box is drawn, as none has a score of {sure} or more; --draw-score draws those of a lower one."));

            IEnumerable<string> Images(DataFolder data) => data.Load(data.Choose(parsed.GetValue(split))).Select(row => row.ImagePath);
        });
    }

    private static void Draw(DetectedImage found, IReadOnlyList<string> classNames, string path, double leastScore, long maxPixels)
    {
        using MLImage image = ImageLoader.Load(found.ImagePath, maxPixels);
        Detection[] sure = [.. found.ToDetections().Where(one => one.Score >= leastScore)];
        using MLImage picture = image.DrawDetections(sure, classNames);
        AtomicFile.Write(path, picture.Save);
    }

    /// <summary>The picture of an image: JPEG and PNG keep their names, others become PNG.</summary>
    private static string PictureOf(string image, string folder, string? root)
    {
        string name = CocoNumbering.NameOf(image, root);
        return Path.Combine(folder, Path.GetExtension(name).ToUpperInvariant() is ".JPG" or ".JPEG" or ".PNG" ? name : name + ".png");
    }

    /// <exception cref="UsageException">One of the outputs is one of the images.</exception>
    private static void CheckNoneIsReplaced(IReadOnlyList<string> images, string option, IEnumerable<string> outputs)
    {
        var places = images.Select(RealPath.Of).ToHashSet(RealPath.Comparer);
        if (outputs.FirstOrDefault(path => places.Contains(RealPath.Of(path))) is { } replaced)
            throw new UsageException($"{option}: '{replaced}' is one of the images, which would be replaced: name another place.");
    }
}
