namespace Microsoft.ML.Distillation.Onnx;

/// <summary>Signed integers of 4 bits, −8 to 7, as ONNX stores them: two in a byte, the first in the lower half.</summary>
internal static class Int4
{
    /// <summary>Packs; with an odd number the last upper half is 0.</summary>
    public static byte[] Pack(ReadOnlySpan<sbyte> values)
    {
        var packed = new byte[(values.Length + 1) / 2];
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] is < -8 or > 7) throw new ArgumentOutOfRangeException(nameof(values), values[i], "Four bits hold −8 to 7.");
            packed[i / 2] |= (byte)((values[i] & 0xF) << 4 * (i & 1));
        }

        return packed;
    }

    /// <summary>Unpacks the first <paramref name="count"/> values.</summary>
    public static sbyte[] Unpack(ReadOnlySpan<byte> packed, int count)
    {
        var values = new sbyte[count];
        for (int i = 0; i < count; i++)
        {
            int half = packed[i / 2] >> 4 * (i & 1) & 0xF;
            values[i] = (sbyte)(half > 7 ? half - 16 : half);
        }

        return values;
    }
}
