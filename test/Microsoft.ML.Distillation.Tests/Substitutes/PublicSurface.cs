using System.Globalization;
using System.Reflection;

namespace Microsoft.ML.Distillation.Tests.Substitutes;

/// <summary>
/// The externally visible types and members of an assembly, one a line: <c>kind | declaring type | signature</c>, in the form of the listings in
/// PublicSurface/: types without their bases and constraints; operators are in neither.
/// </summary>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>The lines of an assembly's types.</summary>
    public static IEnumerable<string> Of(Assembly assembly) => assembly.GetTypes().Where(IsVisible).SelectMany(Lines);

    private static IEnumerable<string> Lines(Type type)
    {
        string name = SurfaceNames.Of(type);
        string Line(string kind, string signature) => $"{kind} | {name} | {signature}";
        if (type.BaseType == typeof(MulticastDelegate))
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            yield return Line("type", $"{Obsolete(type)}{TypeAccess(type)} delegate {SurfaceNames.Of(invoke.ReturnType)} {name}({Parameters(invoke)})");
            yield break;
        }

        yield return Line("type", $"{Obsolete(type)}{TypeAccess(type)} {TypeKind(type)} {name}");
        foreach (ConstructorInfo constructor in type.GetConstructors(Declared).Where(c => !c.IsStatic && IsVisible(c)))
            yield return Line("ctor", $"{Obsolete(constructor)}{Access(constructor)} .ctor({Parameters(constructor)})");
        foreach (FieldInfo field in type.GetFields(Declared).Where(f => (f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly) && !f.IsSpecialName))
            yield return Line(type.IsEnum ? "enumvalue" : field.IsLiteral ? "const" : "field", Obsolete(field) + Describe(field));
        foreach (PropertyInfo property in type.GetProperties(Declared).Where(p => p.GetAccessors(true).Any(IsVisible)))
            yield return Line("property", Obsolete(property) + Describe(property));
        foreach (EventInfo member in type.GetEvents(Declared).Where(e => IsVisible(e.AddMethod!)))
            yield return Line("event", $"{Obsolete(member)}{Access(member.AddMethod!)} {Modifiers(member.AddMethod!)}event {SurfaceNames.Of(member.EventHandlerType!)} {member.Name}");
        foreach (MethodInfo method in type.GetMethods(Declared).Where(m => IsVisible(m) && !m.IsSpecialName && m.Name != "Finalize"))
            yield return Line("method", $"{Obsolete(method)}{Access(method)} {Modifiers(method)}{SurfaceNames.Of(method.ReturnType)} {method.Name}{Generic(method)}({Parameters(method)}){SurfaceNames.Constraints(method.GetGenericArguments())}");
    }

    private static string Obsolete(MemberInfo member) => member.IsDefined(typeof(ObsoleteAttribute), inherit: false) ? "[Obsolete] " : "";

    private static bool IsVisible(Type type) => type.IsNested
        ? (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!)
        : type.IsPublic;

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Access(MethodBase method) => method.IsPublic ? "public" : method.IsFamilyOrAssembly ? "protected internal" : "protected";

    private static string TypeAccess(Type type) => type.IsNestedFamily ? "protected" : type.IsNestedFamORAssem ? "protected internal" : "public";

    private static string TypeKind(Type type)
    {
        if (type.IsInterface) return "interface";
        if (type.IsEnum) return "enum";
        if (type.IsValueType) return type.GetCustomAttributesData().Any(a => a.AttributeType.Name == "IsReadOnlyAttribute") ? "readonly struct" : "struct";
        return (type.IsAbstract, type.IsSealed) switch { (true, true) => "static class", (true, _) => "abstract class", (_, true) => "sealed class", _ => "class" };
    }

    private static string Modifiers(MethodInfo method)
    {
        if (method.IsStatic) return "static ";
        if (method.DeclaringType!.IsInterface) return "";
        bool overrides = !method.Attributes.HasFlag(MethodAttributes.NewSlot);
        if (method.IsAbstract) return overrides ? "abstract override " : "abstract ";
        if (!method.IsVirtual) return "";
        return (method.IsFinal, overrides) switch { (true, true) => "sealed override ", (true, _) => "", (_, true) => "override ", _ => "virtual " };
    }

    private static string Describe(FieldInfo field)
    {
        if (field.DeclaringType!.IsEnum) return $"{field.Name} = {Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)}";
        string access = field.IsPublic ? "public" : field.IsFamily ? "protected" : "protected internal", type = SurfaceNames.Of(field.FieldType);
        return field.IsLiteral
            ? $"{access} const {type} {field.Name} = {SurfaceNames.Value(field.GetRawConstantValue(), field.FieldType)}"
            : $"{access} {(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{type} {field.Name}";
    }

    private static string Describe(PropertyInfo property)
    {
        MethodInfo[] accessors = [.. new[] { property.GetMethod, property.SetMethod }.OfType<MethodInfo>().Where(IsVisible)];
        string outer = accessors.Any(accessor => accessor.IsPublic) ? "public" : Access(accessors[0]);
        ParameterInfo[] index = property.GetIndexParameters();
        string name = index.Length > 0 ? $"this[{string.Join(", ", index.Select(Parameter))}]" : property.Name;
        return $"{outer} {Modifiers(accessors[0])}{SurfaceNames.Of(property.PropertyType)} {name} {{ {string.Concat(accessors.Select(Accessor))}}}";

        string Accessor(MethodInfo accessor)
        {
            bool initialises = accessor.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit");
            string word = accessor == property.GetMethod ? "get" : initialises ? "init" : "set", access = Access(accessor);
            return access == outer ? $"{word}; " : $"{access} {word}; ";
        }
    }

    private static string Generic(MethodInfo method)
        => method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";

    private static string Parameters(MethodBase method)
    {
        bool extends = method.IsStatic && method.GetCustomAttributesData().Any(a => a.AttributeType.Name == "ExtensionAttribute");
        return (extends ? "this " : "") + string.Join(", ", method.GetParameters().Select(Parameter));
    }

    private static string Parameter(ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        string prefix = parameter.GetCustomAttributesData().Any(a => a.AttributeType == typeof(ParamArrayAttribute)) ? "params " : "";
        if (type.IsByRef)
        {
            bool readOnly = parameter.IsIn || parameter.GetCustomAttributesData().Any(a => a.AttributeType.Name == "IsReadOnlyAttribute");
            prefix += parameter.IsOut ? "out " : readOnly ? "in " : "ref ";
            type = type.GetElementType()!;
        }

        string text = $"{prefix}{SurfaceNames.Of(type)} {parameter.Name}";
        return parameter.IsOptional ? $"{text} = {SurfaceNames.Value(parameter.HasDefaultValue ? parameter.RawDefaultValue : null, type)}" : text;
    }
}
