using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// The library names the lowest package versions that it works with, and a feed may serve higher ones. What it calls must
/// exist in the lowest: these tests hold every method that the compiled library refers to against the public surface of
/// those versions (PublicSurface/, one signature a line).
/// </summary>
public partial class LowestVersionTests
{
    [TestCase("TorchSharp.txt", "TorchSharp")]
    [TestCase("Microsoft.ML.txt", "Microsoft.ML", "Microsoft.ML.Core", "Microsoft.ML.Data", "Microsoft.ML.DataView", "Microsoft.ML.Transforms",
        "Microsoft.ML.ImageAnalytics", "Microsoft.ML.OnnxTransformer")]
    [TestCase("Microsoft.ML.OnnxRuntime.txt", "Microsoft.ML.OnnxRuntime")]
    public void Library_CallsOnlyWhatTheLowestVersionHas(string listing, params string[] assemblies)
    {
        HashSet<string> known = ReadListing(Path.Combine(AppContext.BaseDirectory, "PublicSurface", listing));
        string[] missing = [.. References(assemblies).Where(call => !known.Contains(call) && !known.Contains(call[..(call + "(").IndexOf('(', StringComparison.Ordinal)])).Order(StringComparer.Ordinal)];
        Assert.That(missing, Is.Empty);
    }

    private static HashSet<string> ReadListing(string file)
    {
        var known = new HashSet<string>();
        foreach (string line in File.ReadLines(file))
        {
            string[] fields = line.Split(" | ", 4);
            string type = Arity(fields[2], out string[] typeParameters);
            string signature = fields[3].Replace("[Obsolete] ", "", StringComparison.Ordinal);
            if (fields[1] is "method" or "ctor")
            {
                Match match = Call().Match(signature);
                string name = match.Groups["name"].Value;
                string[] own = match.Groups["generic"].Success ? Split(match.Groups["generic"].Value) : [];
                IEnumerable<string> parameters = Split(match.Groups["parameters"].Value).Select(p => ParameterType(p, typeParameters, own));
                known.Add($"{type}::{name}({string.Join(",", parameters)})");
            }
            else if (fields[1] is "property")
            {
                string name = Property().Match(signature).Groups["name"].Value;
                if (name == "this") name = "Item";
                known.Add($"{type}::get_{name}");
                known.Add($"{type}::set_{name}");
            }
            else if (fields[1] is "event")
            {
                known.Add($"{type}::add_{signature.Split(' ')[^1]}");
                known.Add($"{type}::remove_{signature.Split(' ')[^1]}");
            }
            else if (fields[1] is "type" && signature.Contains(" delegate ", StringComparison.Ordinal))
            {
                known.Add($"{type}::.ctor(System.Object,System.IntPtr)");
                known.Add($"{type}::Invoke");
            }
            else if (fields[1] is "field" or "const" or "enumvalue")
            {
                known.Add($"{type}::{FieldName().Match(signature).Groups["name"].Value}");
            }
        }

        return known;
    }

    private static HashSet<string> References(string[] assemblies)
    {
        using var file = new PEReader(File.OpenRead(typeof(DistillationCatalog).Assembly.Location));
        MetadataReader metadata = file.GetMetadataReader();
        var names = new TypeNames();
        var calls = new HashSet<string>();
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            string? type = member.Parent.Kind switch
            {
                HandleKind.TypeReference => names.GetTypeFromReference(metadata, (TypeReferenceHandle)member.Parent, 0),
                HandleKind.TypeSpecification => metadata.GetTypeSpecification((TypeSpecificationHandle)member.Parent).DecodeSignature(names, null),
                _ => null,
            };
            if (type is null || !assemblies.Contains(names.AssemblyOf(Bare(type)))) continue;
            string name = metadata.GetString(member.Name);
            if (name.StartsWith("op_", StringComparison.Ordinal)) continue; // The listings leave operators out.
            string call = $"{Bare(type)}::{name}";
            if (member.GetKind() == MemberReferenceKind.Method)
                call += $"({string.Join(",", member.DecodeMethodSignature(names, null).ParameterTypes.Select(p => p.TrimEnd('&')))})";
            calls.Add(call);
        }

        return calls;
    }

    // The type's name with its number of parameters, as metadata has it.
    private static string Bare(string type) => type.Contains('<', StringComparison.Ordinal) ? type[..type.IndexOf('<', StringComparison.Ordinal)] : type;

    private static string Arity(string type, out string[] parameters)
    {
        parameters = [.. TypeParameters().Matches(type).SelectMany(match => Split(match.Groups["list"].Value))];
        return TypeParameters().Replace(type, "");
    }

    private static string ParameterType(string parameter, string[] typeParameters, string[] ownParameters)
    {
        string text = Default().Replace(parameter, "");
        text = Modifier().Replace(text, "");
        int space = text.LastIndexOf(' ');
        if (space >= 0) text = text[..space];
        text = text.Replace(", ", ",", StringComparison.Ordinal);
        return Word().Replace(text, m =>
        {
            int own = Array.IndexOf(ownParameters, m.Value), outer = Array.IndexOf(typeParameters, m.Value);
            return own >= 0 ? $"!!{own}" : outer >= 0 ? $"!{outer}" : m.Value;
        });
    }

    private static string[] Split(string list)
    {
        var parts = new List<string>();
        int depth = 0, start = 0;
        bool quoted = false;
        for (int i = 0; i < list.Length; i++)
        {
            if (list[i] is '"' or '\'') quoted = !quoted;
            if (quoted) continue;
            if (list[i] is '<' or '[') depth++;
            if (list[i] is '>' or ']') depth--;
            if (list[i] != ',' || depth != 0) continue;
            parts.Add(list[start..i].Trim());
            start = i + 1;
        }

        if (list.Trim().Length > 0) parts.Add(list[start..].Trim());
        return [.. parts];
    }

    [GeneratedRegex(@"(?<name>\.ctor|\w+)(<(?<generic>[\w, ]+)>)?\((?<parameters>.*?)\)( where .*)?$")]
    private static partial Regex Call();

    [GeneratedRegex(@"(?<name>\w+)(\[.*\])? \{")]
    private static partial Regex Property();

    [GeneratedRegex(@"(?<name>\w+)( = .*)?$")]
    private static partial Regex FieldName();

    [GeneratedRegex(@"<(?<list>[^<>]*)>")]
    private static partial Regex TypeParameters();

    [GeneratedRegex(@" = .*$")]
    private static partial Regex Default();

    [GeneratedRegex(@"^(this |params |ref |out |in )+")]
    private static partial Regex Modifier();

    [GeneratedRegex(@"(?<![\w.+])\w+(?![\w.+])")]
    private static partial Regex Word();

    /// <summary>Writes types as the listings do: full CLR names, <c>+</c> for nesting, type parameters by number.</summary>
    private sealed class TypeNames : ISignatureTypeProvider<string, object?>
    {
        private readonly Dictionary<string, string> _assemblies = [];

        public string AssemblyOf(string type) => _assemblies.GetValueOrDefault(type, "");

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            TypeReference type = reader.GetTypeReference(handle);
            string name = reader.GetString(type.Name);
            if (name.Contains('`', StringComparison.Ordinal)) name = name[..name.IndexOf('`', StringComparison.Ordinal)];
            if (type.ResolutionScope.Kind == HandleKind.TypeReference)
            {
                string outer = GetTypeFromReference(reader, (TypeReferenceHandle)type.ResolutionScope, 0);
                _assemblies[$"{outer}+{name}"] = AssemblyOf(outer);
                return $"{outer}+{name}";
            }

            string full = type.Namespace.IsNil ? name : $"{reader.GetString(type.Namespace)}.{name}";
            if (type.ResolutionScope.Kind == HandleKind.AssemblyReference)
                _assemblies[full] = reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name);
            return full;
        }

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
            => reader.GetString(reader.GetTypeDefinition(handle).Name);

        public string GetTypeFromSpecification(MetadataReader reader, object? context, TypeSpecificationHandle handle, byte rawTypeKind)
            => reader.GetTypeSpecification(handle).DecodeSignature(this, context);

        public string GetGenericInstantiation(string type, ImmutableArray<string> arguments) => $"{type}<{string.Join(",", arguments)}>";

        public string GetPrimitiveType(PrimitiveTypeCode code) => $"System.{code}";

        public string GetArrayType(string element, ArrayShape shape) => $"{element}[{new string(',', shape.Rank - 1)}]";

        public string GetSZArrayType(string element) => $"{element}[]";

        public string GetByReferenceType(string element) => $"{element}&";

        public string GetPointerType(string element) => $"{element}*";

        public string GetGenericMethodParameter(object? context, int index) => $"!!{index}";

        public string GetGenericTypeParameter(object? context, int index) => $"!{index}";

        public string GetModifiedType(string modifier, string unmodified, bool required) => unmodified;

        public string GetPinnedType(string element) => element;

        public string GetFunctionPointerType(MethodSignature<string> signature) => "fnptr";
    }
}
