using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// TorchSharp hands a number to libtorch as a <c>Scalar</c>, an object with a finaliser, and does not keep it alive for the length
/// of the call: a garbage collection in between frees it, and the operation sees garbage or throws "Unknown scalar type". So the
/// library makes no temporary ones: neither by the implicit conversion (unless into a local, which <c>using</c> keeps), nor by those sums
/// that make one inside TorchSharp (the factor of what is added).
/// </summary>
public class KeptScalarsTests
{
    private static readonly string[] Sums = ["add", "add_", "op_Addition"];

    [Test]
    public void Library_MakesNoTemporaryScalars()
    {
        using var file = new PEReader(File.OpenRead(typeof(DistillationCatalog).Assembly.Location));
        MetadataReader metadata = file.GetMetadataReader();
        HashSet<int> banned = [.. metadata.MemberReferences.Where(handle => MakesTemporary(metadata, handle))
            .Select(handle => MetadataTokens.GetToken(handle))];
        var offenders = new SortedSet<string>(StringComparer.Ordinal);
        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            MethodDefinition method = metadata.GetMethodDefinition(handle);
            if (method.RelativeVirtualAddress == 0) continue;
            ImmutableArray<byte> code = file.GetMethodBody(method.RelativeVirtualAddress).GetILContent();
            for (int i = 0; i + 5 <= code.Length; i++)
            {
                // call and callvirt, each followed by the token of what is called. What goes into a local or a static at once is kept
                // there.
                bool kept = i + 5 < code.Length && code[i + 5] is (>= 0x0A and <= 0x0D) or 0x13 or 0x80;
                if (code[i] is 0x28 or 0x6F && !kept && banned.Contains(BitConverter.ToInt32(code.AsSpan(i + 1, 4))))
                    offenders.Add(metadata.GetString(metadata.GetTypeDefinition(method.GetDeclaringType()).Name) + "."
                        + metadata.GetString(method.Name));
            }
        }

        Assert.That(string.Join(", ", offenders), Is.Empty, "Use Sums.Plus, or 'using Scalar s = value;' before the operation.");
    }

    private static bool MakesTemporary(MetadataReader metadata, MemberReferenceHandle handle)
    {
        MemberReference member = metadata.GetMemberReference(handle);
        if (member.Parent.Kind != HandleKind.TypeReference) return false;
        string type = metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)member.Parent).Name);
        string name = metadata.GetString(member.Name);
        if (type == "Scalar") return name == "op_Implicit";
        if (type != "Tensor" || !Sums.Contains(name)) return false;

        // With an explicit factor (alpha) there is one parameter more: a Scalar that the caller keeps.
        int parameters = metadata.GetBlobReader(member.Signature) is var blob && blob.ReadByte() >= 0 ? blob.ReadCompressedInteger() : 0;
        return parameters == (name.StartsWith("op_", StringComparison.Ordinal) ? 2 : 1);
    }
}
