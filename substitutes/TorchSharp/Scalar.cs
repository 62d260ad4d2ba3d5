using System.Numerics;
using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>A number for an operator. It lies in managed memory, so there is nothing to free.</summary>
public sealed class Scalar : IDisposable
{
    internal Scalar(ValueKind kind, long bits)
    {
        Kind = kind;
        Bits = bits;
    }

    private Scalar(double value) : this(ValueKind.Real, BitConverter.DoubleToInt64Bits(value)) { }

    internal ValueKind Kind { get; }

    internal long Bits { get; }

    /// <summary>The number as a double: exact but for integers beyond 2^53.</summary>
    internal double Value => Kind == ValueKind.Real ? BitConverter.Int64BitsToDouble(Bits) : Bits;

    public ScalarType Type => Kind switch
    {
        ValueKind.Real => ScalarType.Float64,
        ValueKind.Boolean => ScalarType.Bool,
        _ => ScalarType.Int64,
    };

    public static implicit operator Scalar(byte value) => new(ValueKind.Integer, value);
    public static implicit operator Scalar(sbyte value) => new(ValueKind.Integer, value);
    public static implicit operator Scalar(short value) => new(ValueKind.Integer, value);
    public static implicit operator Scalar(int value) => new(ValueKind.Integer, value);
    public static implicit operator Scalar(long value) => new(ValueKind.Integer, value);
    public static implicit operator Scalar(bool value) => new(ValueKind.Boolean, value ? 1 : 0);
    public static implicit operator Scalar(Half value) => new((double)value);
    public static implicit operator Scalar(float value) => new(value);
    public static implicit operator Scalar(double value) => new(value);
    public static implicit operator Scalar((float, float) value) => throw Substitute.Lacks("complex numbers");
    public static implicit operator Scalar(Complex value) => throw Substitute.Lacks("complex numbers");

    public void Dispose() { }
}
