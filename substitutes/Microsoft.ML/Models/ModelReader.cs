// Reads what ModelWriter wrote.
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The folder of one transformer, to be read.</summary>
internal sealed class ModelReader
{
    private readonly ZipArchive _zip;
    private readonly string _folder;
    private readonly JsonObject _settings;

    private ModelReader(ZipArchive zip, string folder)
    {
        (_zip, _folder) = (zip, folder);
        using Stream stream = Open("model.json");
        _settings = JsonNode.Parse(stream)!.AsObject();
        if (Get<int>("version") != ModelWriter.Version)
            throw new FormatException($"The model is of version {Get<int>("version")}; this reads version {ModelWriter.Version}.");
    }

    public T Get<T>(string name)
        => _settings[name] is { } node ? node.Deserialize<T>(ModelWriter.Json) : throw new FormatException($"The model is damaged: '{_folder}' has no '{name}'.");

    public T[] GetItems<T>(string name) => StoredItems.FromJson<T>(_settings[name]);

    public Stream Open(string name)
        => _zip.GetEntry(ModelWriter.PathOf(_folder, name))?.Open() ?? throw new InvalidOperationException(
            $"This is no model that this substitute for ML.NET wrote: it has no '{ModelWriter.PathOf(_folder, name)}'.");

    public ITransformer LoadChild(string name, IHostEnvironment environment) => Load(_zip, ModelWriter.PathOf(_folder, name), environment);

    public static ITransformer Load(ZipArchive zip, string folder, IHostEnvironment environment)
    {
        var reader = new ModelReader(zip, folder);
        return ModelKinds.Load(reader.Get<string>("kind"), reader, environment);
    }
}
