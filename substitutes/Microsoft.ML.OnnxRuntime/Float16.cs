// A 16-bit floating point number, as its bits.

namespace Microsoft.ML.OnnxRuntime;

public readonly struct Float16 : IEquatable<Float16>
{
    public readonly ushort value;

    public Float16(ushort v) => value = v;

    public static explicit operator Float16(float value) => new(BitConverter.HalfToUInt16Bits((Half)value));

    public static explicit operator float(Float16 value) => value.ToFloat();

    public static bool operator ==(Float16 left, Float16 right) => AsHalf(left) == AsHalf(right);

    public static bool operator !=(Float16 left, Float16 right) => !(left == right);

    public float ToFloat() => (float)AsHalf(this);

    /// <summary>Whether both are the same number, or both no number.</summary>
    public bool Equals(Float16 other) => AsHalf(this).Equals(AsHalf(other));

    public override bool Equals(object obj) => obj is Float16 other && Equals(other);

    public override int GetHashCode() => AsHalf(this).GetHashCode();

    public override string ToString() => AsHalf(this).ToString(System.Globalization.CultureInfo.CurrentCulture);

    private static Half AsHalf(Float16 number) => BitConverter.UInt16BitsToHalf(number.value);
}
