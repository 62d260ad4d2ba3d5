// Calls a generic method with type arguments that are known only when the program runs.
using System.Reflection;

namespace Microsoft.ML;

internal static class GenericCall
{
    /// <summary>Calls a static method of a class by name; its exceptions come as they are.</summary>
    public static T Of<T>(Type owner, string method, Type[] types, params object[] arguments)
        => (T)owner.GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
            .MakeGenericMethod(types).Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null);

    /// <summary>The getter of a column whose values have a type known only now.</summary>
    public static Delegate Getter(DataViewRow row, DataViewSchema.Column column)
        => Of<Delegate>(typeof(GenericCall), nameof(TypedGetter), [column.Type.RawType], row, column);

    /// <summary>A getter as the caller wants it.</summary>
    /// <exception cref="InvalidOperationException">The column holds values of another type.</exception>
    public static ValueGetter<T> As<T>(Delegate getter, DataViewSchema.Column column)
        => getter as ValueGetter<T> ?? throw new InvalidOperationException(
            $"Invalid TValue in GetGetter for column #{column.Name}: {column.Type}: '{typeof(T)}', expected type: '{column.Type.RawType}'.");

    public static ArgumentOutOfRangeException NotActive() => new("column", "requested column not active");

    private static Delegate TypedGetter<T>(DataViewRow row, DataViewSchema.Column column) => row.GetGetter<T>(column);
}
