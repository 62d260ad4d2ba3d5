// Which .NET type stands for which kind of element.

namespace Microsoft.ML.OnnxRuntime.Tensors;

internal static class ElementTypes
{
    private static readonly Dictionary<Type, TensorElementType> ByType = new()
    {
        [typeof(float)] = TensorElementType.Float,
        [typeof(byte)] = TensorElementType.UInt8,
        [typeof(sbyte)] = TensorElementType.Int8,
        [typeof(ushort)] = TensorElementType.UInt16,
        [typeof(short)] = TensorElementType.Int16,
        [typeof(int)] = TensorElementType.Int32,
        [typeof(long)] = TensorElementType.Int64,
        [typeof(string)] = TensorElementType.String,
        [typeof(bool)] = TensorElementType.Bool,
        [typeof(Float16)] = TensorElementType.Float16,
        [typeof(double)] = TensorElementType.Double,
        [typeof(uint)] = TensorElementType.UInt32,
        [typeof(ulong)] = TensorElementType.UInt64,
    };

    private static readonly Dictionary<TensorElementType, Type> ByElement = ByType.ToDictionary(pair => pair.Value, pair => pair.Key);

    public static TensorElementType Of(Type type)
        => ByType.TryGetValue(type, out TensorElementType element) ? element : throw new NotSupportedException($"No tensor has elements of {type}.");

    public static Type TypeOf(TensorElementType element)
        => ByElement.TryGetValue(element, out Type type) ? type : throw new NotSupportedException($"Tensors of {element} are not supported here.");
}
