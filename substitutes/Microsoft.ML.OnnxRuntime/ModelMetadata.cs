// What a model's file says about the model.

using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class ModelMetadata
{
    internal ModelMetadata(nint session)
    {
        nint metadata;
        Status.Check(NativeApi.SessionGetModelMetadata(session, &metadata));
        try
        {
            ProducerName = Text(112, metadata);
            GraphName = Text(113, metadata);
            Domain = Text(114, metadata);
            Description = Text(115, metadata);
            GraphDescription = Text(158, metadata);
            long version;
            Status.Check(NativeApi.ModelMetadataGetVersion(metadata, &version));
            Version = version;
            CustomMetadataMap = ReadMap(metadata);
        }
        finally
        {
            NativeApi.ReleaseModelMetadata(metadata);
        }
    }

    public string ProducerName { get; }

    public string GraphName { get; }

    public string Domain { get; }

    public string Description { get; }

    public string GraphDescription { get; }

    public long Version { get; }

    public Dictionary<string, string> CustomMetadataMap { get; }

    private static string Text(int place, nint metadata)
    {
        nint text;
        Status.Check(NativeApi.ModelMetadataGetText(place, metadata, Memory.Allocator, &text));
        return Utf8.Take(text);
    }

    private static Dictionary<string, string> ReadMap(nint metadata)
    {
        nint* keys;
        long count;
        Status.Check(NativeApi.ModelMetadataGetCustomMetadataMapKeys(metadata, Memory.Allocator, &keys, &count));
        var map = new Dictionary<string, string>();
        for (long i = 0; i < count; i++)
        {
            nint text;
            Status.Check(NativeApi.ModelMetadataLookupCustomMetadataMap(metadata, Memory.Allocator, keys[i], &text));
            map[Utf8.Take(keys[i])] = Utf8.Take(text);
        }

        if (keys is not null) Status.Check(NativeApi.AllocatorFree(Memory.Allocator, (nint)keys));
        return map;
    }
}
