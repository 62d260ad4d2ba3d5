using System.Text;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Makes bad files of good ones: bytes changed, pieces removed, repeated, moved, cut off, and words put in that readers stumble
/// over.</summary>
internal sealed class Mutator(int seed, byte[][] seeds)
{
    private static readonly byte[][] Words =
    [
        .. new[]
        {
            "NaN", "-1", "1e999", "-0", "Infinity", "99999999999999999999", "0.", "1e-400", "<", ">", "&amp;", "&x;", "]]>", "<!--",
            "<![CDATA[", "\"", "'", ",", "\t", "\n", "\r",
            " ", "[", "]", "{", "}", ":", "#", "null", "true", "\\u0000", "\\ud800", "\\", "é", "\uFEFF", "\0", "/m/1", "n00000001", "- ",
            "0: ", "|",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xFE, 0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
    ];

    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        List<byte> content = [.. seeds[_random.Next(seeds.Length)]];
        for (int i = _random.Next(1, 5); i > 0; i--) Mutate(content);
        return [.. content];
    }

    private void Mutate(List<byte> content)
    {
        int at = _random.Next(content.Count + 1), length = Math.Min(_random.Next(1, 1 << _random.Next(1, 9)), content.Count - at);
        switch (_random.Next(8))
        {
            case 0:
                if (at < content.Count) content[at] = (byte)_random.Next(256);
                break;
            case 1:
                if (at < content.Count) content[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 2:
                content.RemoveRange(at, length);
                break;
            case 3:
                content.InsertRange(_random.Next(content.Count + 1), content.GetRange(at, length));
                break;
            case 4:
                content.InsertRange(at, Words[_random.Next(Words.Length)]);
                break;
            case 5:
                content.RemoveRange(at, length);
                content.InsertRange(at, Words[_random.Next(Words.Length)]);
                break;
            case 6:
                // Seldom, as little is left of the file.
                if (_random.Next(4) == 0) content.RemoveRange(at, content.Count - at);
                break;
            default:
                // Something long, and the same over and over.
                if (_random.Next(8) == 0) content
                    .InsertRange(at, Enumerable.Repeat(Words[_random.Next(Words.Length)], _random.Next(2000)).SelectMany(word => word));
                break;
        }
    }
}
