using System.Globalization;
using System.Reflection;

namespace Microsoft.ML.Distillation.Tests.Substitutes;

/// <summary>Types and constants as the listings in PublicSurface/ write them.</summary>
internal static class SurfaceNames
{
    /// <summary>A type: its full CLR name, nested ones behind a <c>+</c>, with the generic arguments of each part.</summary>
    public static string Of(Type type)
    {
        if (type.IsPointer) return Of(type.GetElementType()!) + "*";
        if (type.IsArray) return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (type.IsGenericParameter) return type.Name;
        var chain = new Stack<Type>();
        for (Type? part = type; part is not null; part = part.DeclaringType) chain.Push(part);
        var arguments = new Queue<Type>(type.GetGenericArguments());
        string space = type.Namespace is { Length: > 0 } name ? name + "." : "";
        return space + string.Join('+', chain.Select(part => Part(part.Name, arguments)));
    }

    /// <summary>A constant or a default value.</summary>
    public static string Value(object? value, Type type)
    {
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        if (value is null or DBNull or Missing) return type.IsValueType && bare == type ? "default" : "null";
        if (bare.IsEnum)
        {
            string number = Convert.ToString(value, CultureInfo.InvariantCulture)!;
            var field = bare.GetFields().FirstOrDefault(f => f.IsLiteral && Convert.ToString(f.GetRawConstantValue(), CultureInfo.InvariantCulture) == number);
            return field is null ? $"({Of(bare)}){number}" : $"{Of(bare)}.{field.Name}";
        }

        return value switch
        {
            string text => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal)}\"",
            bool flag => flag ? "true" : "false",
            char character => character < 32 ? $"'\\x{(int)character:x}'" : $"'{character}'",
            float number => number.ToString("R", CultureInfo.InvariantCulture) + "f",
            double number => number.ToString("R", CultureInfo.InvariantCulture) + "d",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };
    }

    /// <summary>The constraints of generic parameters, each behind a <c>where</c>; empty for arguments that are no parameters.</summary>
    public static string Constraints(IEnumerable<Type> parameters) => string.Concat(parameters.Where(parameter => parameter.IsGenericParameter).Select(parameter =>
    {
        GenericParameterAttributes attributes = parameter.GenericParameterAttributes;
        bool value = attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        var all = new List<string>();
        if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint)) all.Add("class");
        if (value) all.Add("struct");
        all.AddRange(parameter.GetGenericParameterConstraints().Where(type => type != typeof(ValueType)).Select(Of).Order(StringComparer.Ordinal));
        if (attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !value) all.Add("new()");
        return all.Count == 0 ? "" : $" where {parameter.Name} : {string.Join(", ", all)}";
    }));

    private static string Part(string name, Queue<Type> arguments)
    {
        int tick = name.IndexOf('`', StringComparison.Ordinal);
        if (tick < 0) return name;
        int count = int.Parse(name[(tick + 1)..], CultureInfo.InvariantCulture);
        return $"{name[..tick]}<{string.Join(", ", Enumerable.Range(0, count).Select(_ => Of(arguments.Dequeue())))}>";
    }
}
