// Writes a model into a zip. The layout is this substitute's own and versioned; ML.NET cannot read it, nor this ML.NET's.
// Each transformer has a folder with model.json, which holds its kind and settings; large contents are files beside it.
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.ML.Data;

namespace Microsoft.ML
{
    public sealed class ModelSaveContext : IDisposable
    {
        internal ModelSaveContext(ModelWriter writer) => Writer = writer;

        internal ModelWriter Writer { get; }

        public void Dispose() => GC.SuppressFinalize(this);
    }
}

namespace Microsoft.ML.Data
{
    /// <summary>The folder of one transformer, to be written.</summary>
    internal sealed class ModelWriter(ZipArchive zip, string folder)
    {
        /// <summary>The layout's version; a reader refuses others.</summary>
        public const int Version = 1;

        public static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

        private readonly JsonObject _settings = new() { ["version"] = Version };

        public static string PathOf(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";

        /// <summary>Says what is saved here; each transformer must.</summary>
        public void SetKind(string kind) => _settings["kind"] = kind;

        public void Set<T>(string name, T value) => _settings[name] = JsonSerializer.SerializeToNode(value, Json);

        /// <summary>Items of a column's type.</summary>
        public void SetItems<T>(string name, T[] items) => _settings[name] = StoredItems.ToJson(items);

        public Stream Create(string name) => zip.CreateEntry(PathOf(folder, name), CompressionLevel.Fastest).Open();

        /// <summary>Saves a transformer into a folder of this one.</summary>
        /// <exception cref="InvalidOperationException">The transformer saved nothing.</exception>
        public void SaveChild(string name, ICanSaveModel model)
        {
            var child = new ModelWriter(zip, PathOf(folder, name));
            using (var context = new ModelSaveContext(child)) model.Save(context);
            if (child._settings["kind"] is null) throw new InvalidOperationException("ModelSignature not specified!");
            using Stream stream = child.Create("model.json");
            JsonSerializer.Serialize(stream, child._settings, Json);
        }
    }
}
