using System.Text;
using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>
/// TorchSharp's file of a state dictionary. The number of entries; for each its name, its data type, its number of dimensions, its
/// sizes (all of these numbers in LEB128, the name in UTF-8 after its length), and its values, little-endian, in the shape's order.
/// </summary>
internal static class StateFile
{
    public static void Write(BinaryWriter writer, Dictionary<string, Tensor> entries, IList<string>? skip)
    {
        KeyValuePair<string, Tensor>[] written = [.. entries.Where(entry => skip?.Contains(entry.Key) != true)];
        writer.Write7BitEncodedInt(written.Length);
        foreach ((string name, Tensor tensor) in written)
        {
            writer.Write(Encoding.UTF8, name);
            WriteTensor(writer, tensor);
        }
    }

    public static void WriteTensor(BinaryWriter writer, Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        writer.Write7BitEncodedInt((int)tensor.dtype);
        writer.Write7BitEncodedInt((int)tensor.dim());
        foreach (long size in tensor.shape) writer.Write7BitEncodedInt64(size);
        Tensor here = tensor.detach().cpu().contiguous();
        writer.Write(here.bytes);
        GC.KeepAlive(here);
    }

    public static void ReadInto(BinaryReader reader, Dictionary<string, Tensor> entries, bool strict, IList<string>? skip, Dictionary<string, bool>? loaded)
    {
        int count = reader.Read7BitEncodedInt();
        if (strict && count != entries.Count) throw new ArgumentException($"Mismatched state_dict sizes: expected {entries.Count}, but found {count} entries.");
        for (int i = 0; i < count; i++)
        {
            string name = reader.ReadString(Encoding.UTF8);
            bool known = entries.TryGetValue(name, out Tensor? target) && skip?.Contains(name) != true;
            if (strict && target is null) throw new ArgumentException($"Mismatched module state names: the target modules does not have a submodule or buffer named '{name}'");
            using Tensor value = ReadTensor(reader);
            if (known) Fill(target!, value);
            if (loaded is not null) loaded[name] = known;
        }
    }

    public static void ReadInto(BinaryReader reader, Tensor target, bool skip)
    {
        using Tensor value = ReadTensor(reader);
        if (!skip) Fill(target, value);
    }

    public static Tensor ReadTensor(BinaryReader reader)
    {
        var type = (ScalarType)reader.Read7BitEncodedInt();
        var shape = new long[reader.Read7BitEncodedInt()];
        for (int i = 0; i < shape.Length; i++) shape[i] = reader.Read7BitEncodedInt64();
        Tensor value = empty(shape, type);
        if (value.numel() > 0) reader.BaseStream.ReadExactly(value.bytes);
        return value;
    }

    private static void Fill(Tensor target, Tensor value)
    {
        if (value.dtype != target.dtype) throw new ArgumentException("Mismatched tensor data types while loading. Make sure that the model you are loading into is exactly the same as the origin.");
        if (!value.shape.AsSpan().SequenceEqual(target.shape)) throw new ArgumentException("Mismatched tensor shape while loading. Make sure that the model you are loading into is exactly the same as the origin.");
        using IDisposable quiet = no_grad();
        target.copy_(value);
    }

    private static void Write(this BinaryWriter writer, Encoding encoding, string text)
    {
        byte[] bytes = encoding.GetBytes(text);
        writer.Write7BitEncodedInt(bytes.Length);
        writer.Write(bytes);
    }

    private static string ReadString(this BinaryReader reader, Encoding encoding) => encoding.GetString(reader.ReadBytes(reader.Read7BitEncodedInt()));
}
