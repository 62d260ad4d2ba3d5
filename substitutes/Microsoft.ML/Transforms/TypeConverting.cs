// Values converted to another type, as far as the conversions are exact or their losses ML.NET's.
using System.Globalization;
using System.Numerics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

public sealed class TypeConvertingEstimator : TrivialEstimator<TypeConvertingTransformer>
{
    private readonly ColumnPair[] _pairs;
    private readonly DataKind _kind;

    internal TypeConvertingEstimator(ColumnPair[] pairs, DataKind kind) : base(new TypeConvertingTransformer(pairs, kind)) => (_pairs, _kind) = (pairs, kind);

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return inputSchema.With(_pairs.Select(pair =>
        {
            SchemaShape.Column column = inputSchema.Input(pair.Input);
            if (column.IsKey) throw Conversions.Incompatible(pair.Input, column.TypeText(), PrimitiveTypes.Of(_kind));
            return column.WithItems(pair.Output, PrimitiveTypes.Of(_kind), annotations: column.Annotations.Where(a => a.Name == AnnotationKinds.SlotNames));
        }));
    }
}

public sealed class TypeConvertingTransformer : OneToOneTransformerBase
{
    private readonly DataKind _kind;

    internal TypeConvertingTransformer(ColumnPair[] pairs, DataKind kind) : base(pairs) => _kind = kind;

    internal static TypeConvertingTransformer Load(ModelReader reader) => new(reader.Get<ColumnPair[]>("columns"), reader.Get<DataKind>("kind"));

    private protected override MappedColumn MapColumn(DataViewSchema.Column input, int index)
    {
        PrimitiveDataViewType to = PrimitiveTypes.Of(_kind);
        if (input.Type.ItemOf() is not PrimitiveDataViewType from || from is KeyDataViewType) throw Conversions.Incompatible(input.Name, $"{input.Type}", to);
        return GenericCall.Of<MappedColumn>(typeof(TypeConvertingTransformer), nameof(Map), [from.RawType, to.RawType], input, to);
    }

    private protected override void SaveModel(ModelWriter writer)
    {
        writer.SetKind(ModelKinds.TypeConverting);
        writer.Set("columns", Columns);
        writer.Set("kind", _kind);
    }

    private static MappedColumn Map<TFrom, TTo>(DataViewSchema.Column input, PrimitiveDataViewType to)
        => ItemMapping.Column(input, input.Type.WithItems(to), AnnotationKinds.Slots(input), (Func<TFrom, TTo>)Conversions.Find(input, typeof(TFrom), to));
}

/// <summary>The conversions between types of items.</summary>
internal static class Conversions
{
    private static readonly Type[] Signed = [typeof(sbyte), typeof(short), typeof(int), typeof(long)];
    private static readonly Type[] Floating = [typeof(float), typeof(double)];

    /// <summary>The conversion, a Func from one raw type to the other.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    /// <exception cref="NotSupportedException">There is one, but not here.</exception>
    public static Delegate Find(DataViewSchema.Column column, Type from, PrimitiveDataViewType toType)
    {
        Type to = toType.RawType;
        bool fromSigned = Signed.Contains(from), fromFloating = Floating.Contains(from), toSigned = Signed.Contains(to), toFloating = Floating.Contains(to);
        if (from == to) return Call(nameof(Same), from);
        if (from == typeof(ReadOnlyMemory<char>) && (toSigned || toFloating)) return Call(toSigned ? nameof(ParseInteger) : nameof(ParseFloating), to);
        if (to == typeof(ReadOnlyMemory<char>) && (fromSigned || fromFloating || from == typeof(bool))) return Call(nameof(Format), from);
        if (to == typeof(bool) && (fromSigned || fromFloating)) return Call(nameof(IsNotZero), from);
        if (from == typeof(bool) && (toSigned || toFloating)) return Call(nameof(FromBoolean), to);
        if ((fromSigned && (toSigned || toFloating)) || (fromFloating && toFloating)) return Call(nameof(Cast), from, to);
        if (fromFloating || fromSigned || from == typeof(bool)) throw Incompatible(column.Name, $"{column.Type}", toType);
        throw new NotSupportedException($"The column '{column.Name}' of type {column.Type} is not converted to {toType} here.");
    }

    public static ArgumentOutOfRangeException Incompatible(string column, string from, DataViewType to)
        => new("inputSchema", $"source column '{column}' with item type '{from}' is not compatible with destination type '{to}'");

    private static Delegate Call(string method, params Type[] types) => GenericCall.Of<Delegate>(typeof(Conversions), method, types);

    private static Func<T, T> Same<T>() => value => value;

    private static Func<TFrom, TTo> Cast<TFrom, TTo>() where TFrom : INumber<TFrom> where TTo : INumber<TTo> => TTo.CreateTruncating;

    private static Func<T, bool> IsNotZero<T>() where T : INumber<T> => value => value != T.Zero;

    private static Func<bool, T> FromBoolean<T>() where T : INumber<T> => value => value ? T.One : T.Zero;

    private static Func<T, ReadOnlyMemory<char>> Format<T>() => value => FormattableString.Invariant($"{value}").AsMemory();

    /// <summary>The number that a text is: none, zero; no number, NaN.</summary>
    private static Func<ReadOnlyMemory<char>, T> ParseFloating<T>() where T : IFloatingPointIeee754<T>
        => text => text.IsEmpty ? T.Zero
            : T.TryParse(text.Span, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out T value) ? value : T.NaN;

    /// <summary>The whole number that a text is: none, zero. What is no number, or too large a one, is an InvalidOperationException.</summary>
    private static Func<ReadOnlyMemory<char>, T> ParseInteger<T>() where T : IBinaryInteger<T>
        => text => text.IsEmpty ? T.Zero
            : T.TryParse(text.Span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T value) ? value
                : throw new InvalidOperationException($"'{text}' cannot be read as {typeof(T).Name}.");
}
