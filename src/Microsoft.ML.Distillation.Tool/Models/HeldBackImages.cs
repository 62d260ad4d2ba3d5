using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>
/// The images of a data set that are not trained on, so that the best model can be chosen by them: a share, by their names alone, so that
/// they stay the same when others come, on every machine.
/// </summary>
internal sealed class HeldBackImages
{
    private readonly HashSet<string> _held;

    /// <param name="images">All images.</param>
    /// <param name="folder">The folder of the data set.</param>
    /// <param name="share">How large a share is held back, above 0 and below 1; at least one image is, and one is not.</param>
    public HeldBackImages(IReadOnlyCollection<string> images, string folder, double share)
    {
        int count = Math.Clamp((int)Math.Round(share * images.Count), 1, Math.Max(1, images.Count - 1));
        _held = [.. images.Distinct().OrderBy(image => OrderOf(image, folder), StringComparer.Ordinal).Take(count)];
    }

    /// <summary>How many they are.</summary>
    public int Count => _held.Count;

    /// <summary>Whether an image is one of them.</summary>
    public bool Contains(string image) => _held.Contains(image);

    private static string OrderOf(string image, string folder)
    {
        string name = FileNames.Key(Path.GetRelativePath(folder, image).Replace('\\', '/'));
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
    }
}
