using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Research;

/// <summary>What tells annotated images from others: the names of their files, wherever the folder is, their objects and boxes.</summary>
internal static class DataFingerprint
{
    /// <summary>The first 12 hexadecimal digits of a SHA-256 over the parts, in their order.</summary>
    public static string Of(params IReadOnlyList<AnnotatedRow>[] parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (IReadOnlyList<AnnotatedRow> part in parts)
        {
            hash.AppendData(BitConverter.GetBytes(part.Count));
            foreach (AnnotatedRow image in part)
            {
                foreach (string text in image.Label.Prepend(Path.GetFileName(image.ImagePath))) hash
                    .AppendData(Encoding.UTF8.GetBytes(text + "\n"));
                hash.AppendData(MemoryMarshal.AsBytes<float>(image.BoundingBoxes));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }
}
