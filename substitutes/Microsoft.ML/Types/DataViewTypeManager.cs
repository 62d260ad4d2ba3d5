// Types of columns beyond the built-in ones: an attribute on a member names the type that its column has.
namespace Microsoft.ML.Data;

[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = false)]
public abstract class DataViewTypeAttribute : Attribute, IEquatable<DataViewTypeAttribute>
{
    protected DataViewTypeAttribute()
    {
    }

    public abstract void Register();

    public abstract bool Equals(DataViewTypeAttribute other);
}

public static class DataViewTypeManager
{
    private static readonly Lock Gate = new();
    private static readonly List<(Type Raw, DataViewTypeAttribute Attribute, DataViewType Type)> Known = [];

    [Obsolete("This API is deprecated, please use the overload with a DataViewTypeAttribute.")]
    public static void Register(DataViewType dataViewType, Type type, IEnumerable<Attribute> typeAttributes)
        => throw new NotSupportedException();

    public static void Register(DataViewType dataViewType, Type type, DataViewTypeAttribute typeAttribute = null)
    {
        ArgumentNullException.ThrowIfNull(dataViewType);
        ArgumentNullException.ThrowIfNull(type);
        if (dataViewType.RawType != type) throw new ArgumentOutOfRangeException(nameof(type), $"The type {dataViewType} holds {dataViewType.RawType}, not {type}.");
        lock (Gate)
        {
            DataViewType known = Find(type, typeAttribute);
            if (known is null) Known.Add((type, typeAttribute, dataViewType));
            else if (!known.Equals(dataViewType)) throw new ArgumentOutOfRangeException(nameof(type), $"{type} with this attribute is registered as {known} already.");
        }
    }

    /// <summary>The type that was registered; null where there is none.</summary>
    internal static DataViewType Get(Type type, DataViewTypeAttribute attribute)
    {
        lock (Gate) return Find(type, attribute);
    }

    private static DataViewType Find(Type type, DataViewTypeAttribute attribute)
        => Known.Find(known => known.Raw == type && (attribute is null ? known.Attribute is null : attribute.Equals(known.Attribute))).Type;
}
