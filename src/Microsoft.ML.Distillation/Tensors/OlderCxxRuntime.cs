using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Text;

namespace Microsoft.ML.Distillation.Tensors;

/// <summary>
/// Lets TorchSharp's native library load on a Linux whose C++ runtime is older than GCC 13's (Debian 12, Ubuntu 22.04).
/// </summary>
/// <remarks>
/// The library asks <c>libstdc++.so.6</c> for the version <c>GLIBCXX_3.4.32</c>, of which it uses one function,
/// <c>std::ios_base_library_init()</c>. Older runtimes set up the standard streams in every object file, so that nothing is left for it to
/// do. Where the library as packaged does not load, a copy is loaded in which the version may be absent and that one call goes to
/// <c>floor</c>, which has no effect. Nothing of the package is changed, and the copy's file is gone once it is loaded.
/// </remarks>
internal static class OlderCxxRuntime
{
    private const string Library = "LibTorchSharp", FileName = "libLibTorchSharp.so";
    private const string Version = "GLIBCXX_3.4.32", Function = "_ZSt21ios_base_library_initv", Harmless = "floor";

    private static readonly Lazy<nint> Loaded = new(Load);

    /// <summary>Runs when the assembly is loaded: TorchSharp looks for its library at the first use of any of its types.</summary>
    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis
        .SuppressMessage("Usage", "CA2255", Justification = "Nothing later is certain to come before TorchSharp's first use.")]
    internal static void Watch()
    {
        if (OperatingSystem.IsLinux()) AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
    }

    // Asked only when the library does not load by the usual ways.
    private static nint Resolve(Assembly assembly, string name)
        => name.Contains(Library, StringComparison.Ordinal) ? Loaded.Value : 0;

    private static nint Load()
    {
        string? original = SearchFolders().Select(folder => Path.Combine(folder, FileName)).FirstOrDefault(File.Exists);
        if (original is null) return 0;
        byte[] image = File.ReadAllBytes(original);
        if (!Relax(image)) return 0;

        // It looks for libtorch beside itself, where the copy is not, or among what is loaded.
        foreach (string dependency in (string[])["libc10.so", "libtorch_cpu.so", "libtorch.so"])
            NativeLibrary.TryLoad(Path.Combine(Path.GetDirectoryName(original)!, dependency), out _);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ml-distillation-");
        try
        {
            string copy = Path.Combine(folder.FullName, FileName);
            File.WriteAllBytes(copy, image);
            return NativeLibrary.Load(copy);
        }
        catch (DllNotFoundException e)
        {
            throw new DllNotFoundException(
                $"TorchSharp's native library needs the C++ runtime of GCC 13 ({Version} in libstdc++.so.6), and a copy of it that does "
                    + $"without "
                + $"does not load here either. Update libstdc++6, or use a newer Linux. The loader says: {e.Message}", e);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<string> SearchFolders()
        => [.. ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries),
            AppContext.BaseDirectory];

    /// <summary>Makes an ELF library (64 bits, little-endian) do without the newer version.</summary>
    /// <returns>Whether it asked for the version, and no longer does.</returns>
    internal static bool Relax(Span<byte> image)
    {
        if (image.Length < 64 || !image[..6].SequenceEqual<byte>([0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1])) return false;
        Section[] sections = ReadSections(image);
        Section? needs = Find(sections, 0x6FFFFFFE), versions = Find(sections, 0x6FFFFFFF), symbols = Find(sections, 11);
        if (needs is null || versions is null || symbols is null) return false;

        // The symbol becomes another name for the harmless one: its name, and its version's number, are taken over.
        int? call = null, harmless = null;
        for (int i = 0; i < symbols.Size / 24; i++)
        {
            ReadOnlySpan<byte> name = Text(image, sections[symbols.Link], Int32(image, symbols.At + (24 * i)));
            if (name.SequenceEqual(Encoding.ASCII.GetBytes(Function))) call = i;
            else if (name.SequenceEqual(Encoding.ASCII.GetBytes(Harmless))) harmless = i;
        }

        if (call is null || harmless is null || !MakeOptional(image, needs, sections[needs.Link])) return false;
        image.Slice(symbols.At + (24 * harmless.Value), 4).CopyTo(image[(symbols.At + (24 * call.Value))..]);
        image.Slice(versions.At + (2 * harmless.Value), 2).CopyTo(image[(versions.At + (2 * call.Value))..]);
        return true;
    }

    // Walks the versions that the library needs of others, and marks the one as weak.
    private static bool MakeOptional(Span<byte> image, Section needs, Section names)
    {
        for (int at = needs.At; ; at += Int32(image, at + 12))
        {
            int entry = at + Int32(image, at + 8);
            for (int left = BinaryPrimitives.ReadUInt16LittleEndian(image[(at + 2)..]); left > 0; left--, entry += Int32(image, entry + 12))
            {
                if (!Text(image, names, Int32(image, entry + 8)).SequenceEqual(Encoding.ASCII.GetBytes(Version))) continue;
                image[entry + 4] |= 2;
                return true;
            }

            if (Int32(image, at + 12) == 0) return false;
        }
    }

    private static Section[] ReadSections(ReadOnlySpan<byte> image)
    {
        int at = (int)BinaryPrimitives.ReadInt64LittleEndian(image[40..]);
        var sections = new Section[BinaryPrimitives.ReadUInt16LittleEndian(image[60..])];
        for (int i = 0; i < sections.Length; i++, at += 64)
        {
            sections[i] = new Section(Int32(image, at + 4), (int)BinaryPrimitives.ReadInt64LittleEndian(image[(at + 24)..]),
                (int)BinaryPrimitives.ReadInt64LittleEndian(image[(at + 32)..]), Int32(image, at + 40));
        }

        return sections;
    }

    private static Section? Find(Section[] sections, int type) => Array.Find(sections, section => section.Type == type);

    private static int Int32(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadInt32LittleEndian(image[at..]);

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> image, Section names, int at)
    {
        ReadOnlySpan<byte> text = image[(names.At + at)..];
        return text[..text.IndexOf((byte)0)];
    }

    private sealed record Section(int Type, int At, int Size, int Link);
}
