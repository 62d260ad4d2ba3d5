using System.Text;
using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>An argument of an operator. What a method of the face gets converts to it, null to an optional that is absent.</summary>
internal readonly struct Argument
{
    private readonly long _bits;

    private Argument(ValueKind kind, long bits, object? reference = null)
    {
        Kind = kind;
        _bits = bits;
        Reference = reference;
    }

    public ValueKind Kind { get; }

    /// <summary>What must live until the call is over.</summary>
    public object? Reference { get; }

    public static implicit operator Argument(Tensor? value) => value is null ? default : new(ValueKind.Tensor, 0, value);
    public static implicit operator Argument(Tensor[] value) => new(ValueKind.Tensors, 0, value);
    public static implicit operator Argument(long value) => new(ValueKind.Integer, value);
    public static implicit operator Argument(long? value) => value is long given ? given : default(Argument);
    public static implicit operator Argument(double value) => new(ValueKind.Real, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Argument(double? value) => value is double given ? given : default(Argument);
    public static implicit operator Argument(bool value) => new(ValueKind.Boolean, value ? 1 : 0);
    public static implicit operator Argument(bool? value) => value is bool given ? given : default(Argument);
    public static implicit operator Argument(long[]? value) => value is null ? default : new(ValueKind.Integers, 0, value);
    public static implicit operator Argument(double[]? value) => value is null ? default : new(ValueKind.Reals, 0, value);
    public static implicit operator Argument(string? value) => value is null ? default : new(ValueKind.Text, 0, Encoding.UTF8.GetBytes(value));
    public static implicit operator Argument(Device? value) => value is null ? default : new(ValueKind.Device, value.Packed);
    public static implicit operator Argument(Generator? value) => value is null ? default : new(ValueKind.Generator, 0, value);
    public static implicit operator Argument(Scalar? value) => value is null ? default : new(value.Kind, value.Bits);

    /// <summary>A data type, or the operator's own choice.</summary>
    public static Argument Type(ScalarType? type) => type is ScalarType given ? (long)given : default(Argument);

    /// <summary>Indices, of which some may be absent (the whole of that dimension).</summary>
    public static Argument Indices(Tensor?[] indices) => new(ValueKind.OptionalTensors, 0, indices);

    /// <summary>How many eight-byte places the elements of a list take.</summary>
    public int Places => Reference switch
    {
        byte[] text => (text.Length + 7) / 8,
        Array list => list.Length,
        _ => 0,
    };

    /// <summary>The native form; the elements of a list go to <paramref name="places"/>.</summary>
    public unsafe NativeValue Write(long* places)
    {
        var value = new NativeValue { Kind = Kind, Bits = _bits };
        switch (Reference)
        {
            case Tensor tensor:
                value.Bits = tensor.Handle;
                return value;
            case Generator generator:
                value.Bits = generator.Handle;
                return value;
            case long[] list:
                list.CopyTo(new Span<long>(places, list.Length));
                value.Count = list.Length;
                break;
            case double[] list:
                list.CopyTo(new Span<double>(places, list.Length));
                value.Count = list.Length;
                break;
            case byte[] text:
                text.CopyTo(new Span<byte>(places, text.Length));
                value.Count = text.Length;
                break;
            case Tensor?[] list:
                for (int i = 0; i < list.Length; i++) places[i] = list[i]?.Handle ?? 0;
                value.Count = list.Length;
                break;
            default:
                return value;
        }

        value.Bits = (nint)places;
        return value;
    }
}
