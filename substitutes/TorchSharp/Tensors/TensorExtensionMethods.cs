using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>The value of a tensor of one element as a number, and a tensor's place in TorchSharp's files.</summary>
public static class TensorExtensionMethods
{
    public static bool ToBoolean(this Tensor value) => value.ToScalar().Value != 0;

    public static byte ToByte(this Tensor value) => (byte)ToInt64(value);

    public static sbyte ToSByte(this Tensor value) => (sbyte)ToInt64(value);

    public static short ToInt16(this Tensor value) => (short)ToInt64(value);

    public static int ToInt32(this Tensor value) => (int)ToInt64(value);

    public static long ToInt64(this Tensor value)
    {
        Scalar number = value.ToScalar();
        return number.Kind == ValueKind.Real ? (long)number.Value : number.Bits;
    }

    public static float ToSingle(this Tensor value) => (float)value.ToScalar().Value;

    public static double ToDouble(this Tensor value) => value.ToScalar().Value;

    /// <summary>Writes the type, the shape and the values, as Modules/StateFile.cs says.</summary>
    public static void Save(this Tensor tensor, BinaryWriter writer) => StateFile.WriteTensor(writer, tensor);

    public static void Save(this Tensor tensor, Stream stream) => throw Substitute.Lacks("PyTorch's own files");

    public static void Save(this Tensor tensor, string location) => throw Substitute.Lacks("PyTorch's own files");

    /// <summary>Fills the tensor with what was written of one of its type and shape.</summary>
    public static void Load(this Tensor tensor, BinaryReader reader, bool skip = false) => StateFile.ReadInto(reader, tensor, skip);

    public static void Load(ref Tensor tensor, BinaryReader reader, bool skip = false) => StateFile.ReadInto(reader, tensor, skip);

    public static Tensor Load(BinaryReader reader, bool skip = false)
        => skip ? throw Substitute.Lacks("the skipping of tensors") : StateFile.ReadTensor(reader);
}
