using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>A reading of annotations whose notes are logged, once, when all of them have been read.</summary>
/// <param name="environment">Whose log it is.</param>
/// <param name="skips">Whether what is wrong is left out; else it is an error.</param>
internal sealed class LoggedReading(IHostEnvironment environment, bool skips)
{
    private int _isSaid;

    /// <summary>What the reader takes note in.</summary>
    public AnnotationNotes Notes { get; } = new(skips);

    /// <summary>The images, without those of whose objects none is left.</summary>
    public IEnumerable<AnnotatedImage> Of(IEnumerable<AnnotatedImage> images)
    {
        int stored = 0, lost = 0;
        string? firstStored = null;
        foreach (AnnotatedImage image in images)
        {
            if (image.WasStored)
            {
                stored++;
                firstStored ??= image.ImagePath;
            }

            if (image.LostItsObjects) lost++;
            else yield return image;
        }

        if (stored > 0)
        {
            Notes.Warn($"The annotations of {stored} photos give the size of the picture as it is stored, on its side: their boxes are "
                + $"turned with the pixels, as the photos' Exif data say. The first: '{firstStored}'.");
        }

        Say(lost);
    }

    /// <summary>Logs what there is to say.</summary>
    /// <param name="lostImages">How many images are left out, as none of their objects is left.</param>
    public void Say(int lostImages = 0)
    {
        if (Interlocked.Exchange(ref _isSaid, 1) == 1) return;
        using IChannel channel = environment.Register(nameof(DetectionLoader)).Start("Reading annotations");
        foreach (string warning in Notes.Warnings) channel.Warning(MessageSensitivity.UserData, warning);
        if (Notes.Faults is not [var first, ..] faults) return;
        string images = lostImages == 0 ? "" : $", and {Counted.Of(lostImages, "image")} of whose objects none is left";
        channel.Warning(
            MessageSensitivity.UserData,
            $"Invalid annotations: {faults.Count} {(faults.Count == 1 ? "is" : "are")} left out{images}. The first: {first.Message}");
    }
}
