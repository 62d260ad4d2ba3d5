// A field or property of a row class as a column.
using System.Linq.Expressions;
using System.Reflection;

namespace Microsoft.ML.Data;

internal sealed class RowMember
{
    private readonly MemberInfo _member;

    private RowMember(MemberInfo member, SchemaDefinition.Column column)
    {
        _member = member;
        MemberType = TypeOf(member);
        ColumnName = column.ColumnName ?? member.Name;
        ColumnType = column.ColumnType ?? ColumnTypeOf(member);
        Annotations = column.Annotations;
        if (ColumnType.RawType != RawTypeOf(MemberType))
            throw new ArgumentOutOfRangeException("userSchemaDefinition", $"The column '{ColumnName}' of type {ColumnType} cannot be the member {member.Name} of type {MemberType}.");
    }

    public string ColumnName { get; }

    public DataViewType ColumnType { get; }

    public DataViewSchema.Annotations Annotations { get; }

    public Type MemberType { get; }

    public string MemberName => _member.Name;

    /// <summary>The members of a row class that are columns.</summary>
    public static RowMember[] Of(Type rowType, SchemaDefinition definition)
        => [.. definition.Select(column => new RowMember(Find(rowType, column), column))];

    public static DataViewSchema Schema(IEnumerable<RowMember> members) => new([.. members.Select(member => member.ToColumn())]);

    public DataViewSchema.DetachedColumn ToColumn() => new(ColumnName, ColumnType, Annotations);

    public static Type TypeOf(MemberInfo member) => member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;

    /// <summary>What a column must hold to be read from or into a member.</summary>
    public static Type RawTypeOf(Type memberType)
    {
        if (memberType == typeof(string)) return typeof(ReadOnlyMemory<char>);
        return memberType.IsArray ? typeof(VBuffer<>).MakeGenericType(RawTypeOf(memberType.GetElementType())) : memberType;
    }

    /// <summary>The type of a member's column by its type and attributes.</summary>
    public static DataViewType ColumnTypeOf(MemberInfo member)
    {
        Type type = TypeOf(member);
        if (member.GetCustomAttribute<DataViewTypeAttribute>() is { } attribute)
        {
            attribute.Register();
            return DataViewTypeManager.Get(type, attribute);
        }

        if (DataViewTypeManager.Get(type, null) is { } registered) return registered;
        bool isVector = type.IsArray || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VBuffer<>));
        Type itemType = type.IsArray ? type.GetElementType() : isVector ? type.GetGenericArguments()[0] : type;
        PrimitiveDataViewType item = ItemTypeOf(member, itemType);
        var vector = member.GetCustomAttribute<VectorTypeAttribute>();
        if (vector is not null && !isVector)
            throw new ArgumentOutOfRangeException("userType", $"Member {member.Name} marked with VectorTypeAttribute, but does not appear to be a vector type");
        if (!isVector) return item;
        return vector is { Dimensions.Length: > 0 } ? new VectorDataViewType(item, vector.Dimensions) : new VectorDataViewType(item);
    }

    /// <summary>Reads the member; null where it cannot be read.</summary>
    public Func<TRow, TValue> Reader<TRow, TValue>()
    {
        if (_member is PropertyInfo { CanRead: false }) return null;
        ParameterExpression row = Expression.Parameter(typeof(TRow));
        return Expression.Lambda<Func<TRow, TValue>>(Expression.MakeMemberAccess(row, _member), row).Compile();
    }

    /// <summary>Writes the member.</summary>
    public Action<TRow, TValue> Writer<TRow, TValue>()
    {
        ParameterExpression row = Expression.Parameter(typeof(TRow)), value = Expression.Parameter(typeof(TValue));
        return Expression.Lambda<Action<TRow, TValue>>(Expression.Assign(Expression.MakeMemberAccess(row, _member), value), row, value).Compile();
    }

    private static PrimitiveDataViewType ItemTypeOf(MemberInfo member, Type itemType)
    {
        if (member.GetCustomAttribute<KeyTypeAttribute>() is { } key)
        {
            return KeyDataViewType.IsValidDataType(itemType)
                ? new KeyDataViewType(itemType, key.Count)
                : throw new ArgumentOutOfRangeException("userType", $"Member {member.Name} marked with KeyType attribute, but does not appear to be a valid kind of data for a key type");
        }

        return PrimitiveTypes.Of(itemType)
            ?? throw new ArgumentOutOfRangeException("rawType", $"Could not determine an IDataView type and registered custom types for member {member.Name}");
    }

    private static MemberInfo Find(Type rowType, SchemaDefinition.Column column)
        => (MemberInfo)rowType.GetField(column.MemberName) ?? rowType.GetProperty(column.MemberName)
            ?? throw new ArgumentOutOfRangeException("userSchemaDefinition", $"No field or property with name '{column.MemberName}' found in type '{rowType}'");
}
