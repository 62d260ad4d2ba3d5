// The transformers that can be saved, by the names under which a model file knows them.
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;
using Microsoft.ML.Transforms.Onnx;
using Microsoft.ML.Transforms.Text;

namespace Microsoft.ML.Data;

internal static class ModelKinds
{
    public const string TransformerChain = nameof(TransformerChain);
    public const string ColumnCopying = nameof(ColumnCopying);
    public const string ColumnSelecting = nameof(ColumnSelecting);
    public const string KeyToValue = nameof(KeyToValue);
    public const string ValueToKey = nameof(ValueToKey);
    public const string ValueMapping = nameof(ValueMapping);
    public const string TypeConverting = nameof(TypeConverting);
    public const string WordTokenizing = nameof(WordTokenizing);
    public const string CustomMapping = nameof(CustomMapping);
    public const string ImageLoading = nameof(ImageLoading);
    public const string Onnx = nameof(Onnx);

    public static ITransformer Load(string kind, ModelReader reader, IHostEnvironment environment) => kind switch
    {
        TransformerChain => TransformerChainFile.Load(reader, environment),
        ColumnCopying => ColumnCopyingTransformer.Load(reader),
        ColumnSelecting => ColumnSelectingTransformer.Load(reader),
        KeyToValue => KeyToValueMappingTransformer.Load(reader),
        ValueToKey => ValueToKeyMappingTransformer.Load(reader),
        ValueMapping => ValueMappingTransformer.Load(reader),
        TypeConverting => TypeConvertingTransformer.Load(reader),
        WordTokenizing => WordTokenizingTransformer.Load(reader),
        CustomMapping => CustomMappingFile.Load(reader, environment),
        ImageLoading => ImageLoadingTransformer.Load(reader),
        Onnx => OnnxTransformer.Load(reader, environment),
        _ => throw new FormatException($"The model holds a transformer of a kind that is not known here: '{kind}'."),
    };
}

/// <summary>A chain in a model file: each transformer in a folder of its own.</summary>
internal static class TransformerChainFile
{
    public static void Save(ModelSaveContext context, IReadOnlyList<ITransformer> transformers, IReadOnlyList<TransformerScope> scopes)
    {
        context.Writer.SetKind(ModelKinds.TransformerChain);
        context.Writer.Set("scopes", scopes);
        for (int i = 0; i < transformers.Count; i++) context.Writer.SaveChild(FolderOf(i), transformers[i]);
    }

    public static TransformerChain<ITransformer> Load(ModelReader reader, IHostEnvironment environment)
    {
        var scopes = reader.Get<TransformerScope[]>("scopes");
        return new TransformerChain<ITransformer>([.. scopes.Select((_, i) => reader.LoadChild(FolderOf(i), environment))], scopes);
    }

    private static string FolderOf(int index) => FormattableString.Invariant($"Transform_{index:000}");
}
