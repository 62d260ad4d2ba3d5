// The functions of gdk-pixbuf and of its object system that images need.
using System.Runtime.InteropServices;

namespace Microsoft.ML.Data;

internal static unsafe partial class GdkPixbuf
{
    public const int Rgb = 0;
    private const string Library = "libgdk_pixbuf-2.0.so.0";
    private const string Objects = "libgobject-2.0.so.0";
    private const string Base = "libglib-2.0.so.0";

    /// <summary>The exception for an error, which is freed.</summary>
    public static InvalidOperationException Failure(string what, nint error)
    {
        // A GError: a domain and a code of four bytes each, then the message.
        string message = error == 0 ? "no reason given" : Marshal.PtrToStringUTF8(*(nint*)(error + 8));
        Free(error);
        return new InvalidOperationException($"{what}: {message}");
    }

    public static void Free(nint error)
    {
        if (error != 0) ErrorFree(error);
    }

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_loader_new_with_type", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint LoaderNewWithType(string type, out nint error);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_loader_write")]
    public static partial int LoaderWrite(nint loader, byte* buffer, nuint count, out nint error);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_loader_close")]
    public static partial int LoaderClose(nint loader, out nint error);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_loader_get_pixbuf")]
    public static partial nint LoaderGetPixbuf(nint loader);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_get_width")]
    public static partial int Width(nint pixbuf);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_get_height")]
    public static partial int Height(nint pixbuf);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_get_rowstride")]
    public static partial int RowStride(nint pixbuf);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_get_n_channels")]
    public static partial int Channels(nint pixbuf);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_get_pixels")]
    public static partial byte* Pixels(nint pixbuf);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_fill")]
    public static partial void Fill(nint pixbuf, uint colour);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_new_from_data")]
    public static partial nint NewFromData(
        byte* data, int colourSpace, int hasAlpha, int bitsPerSample, int width, int height, int rowStride, nint destroy, nint destroyData);

    [LibraryImport(Library, EntryPoint = "gdk_pixbuf_save_to_bufferv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SaveToBuffer(nint pixbuf, out byte* buffer, out nuint size, string type, string[] keys, string[] values, out nint error);

    [LibraryImport(Objects, EntryPoint = "g_object_unref")]
    public static partial void Unref(nint item);

    [LibraryImport(Objects, EntryPoint = "g_signal_connect_data", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nuint Connect(nint item, string signal, delegate* unmanaged<nint, nint, void> handler, nint data, nint destroyData, int flags);

    [LibraryImport(Base, EntryPoint = "g_free")]
    public static partial void Free(byte* memory);

    [LibraryImport(Base, EntryPoint = "g_error_free")]
    private static partial void ErrorFree(nint error);
}
