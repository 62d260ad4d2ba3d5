using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Labelling;
using Microsoft.ML.Distillation.Training;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Distillation.Estimators.Labelling;

/// <summary>
/// Labels the images of data views. What was found in an image waits in a temporary file under the hash of its pixels, so that no
/// image is looked at twice, wherever it comes; in memory there is a hash and a place for each.
/// </summary>
internal sealed class ViewLabeller : IDisposable
{
    private readonly TransformsCatalog _catalog;
    private readonly LabelWithTeacherOptions _options;
    private readonly TeacherLabeller _labeller;
    private readonly double[] _perImage;
    private readonly Dictionary<UInt128, (long Offset, int Count)> _places = [];
    private readonly SpillFile _found = new(null);
    private readonly Lock _lock = new();
    private IReadOnlyList<float> _thresholds = [];

    public ViewLabeller(TransformsCatalog catalog, LabelWithTeacherOptions options)
    {
        (_catalog, _options) = (catalog, options);
        options.Teacher.RequireLibraries();
        var ingest = new DataViewIngestOptions
        {
            ImageColumnName = options.ImageColumnName,
            LabelColumnName = options.LabelColumnName,
            BoundingBoxColumnName = options.BoundingBoxColumnName,
            OnInvalidSample = InvalidSampleHandling.Skip,
            AnnotationsOnly = true,
        };
        using SampleStore labelled = new DataViewIngest(ingest).Read(options.LabelledSet);
        ClassNames = labelled.ClassNames;
        var context = EnvironmentSettings.Of(EnvironmentSettings.EnvironmentOf(catalog));
        ITeacher teacher = options.Teacher
            .Open(ClassNames, TrainingDevice.Choose(options.GpuDeviceId ?? context.GpuDeviceId, context.FallbackToCpu));
        _labeller = new TeacherLabeller(teacher, ClassNames, options.Ensemble);
        if (teacher.Abilities.Caution is { } caution) Warn(caution);
        teacher.Abilities.Remarks?.Tell(Warn);
        _perImage = TeacherLabels.PerImage(labelled, teacher.Abilities.UnknownClasses);
    }

    /// <summary>The classes of the labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The score from which on a detection of each class is a label.</summary>
    public IReadOnlyDictionary<string, float> Thresholds
        => ClassNames.Zip(_thresholds).ToDictionary(pair => pair.First, pair => pair.Second);

    /// <summary>Looks at all images and chooses the thresholds.</summary>
    /// <exception cref="ArgumentException">There is no column of images.</exception>
    /// <exception cref="InvalidDataException">An image cannot be read, or there is none.</exception>
    public void Fit(IDataView input)
    {
        var histogram = new ScoreHistogram(ClassNames.Count);
        long images = 0;
        using (var rows = new RowReader(input, new RowColumns { Image = _options.ImageColumnName }))
        {
            for (; rows.MoveNext(); images++)
            {
                Detections detections = Detect(rows.ReadImage());
                for (int i = 0; i < detections.Count; i++) histogram.Add(detections.Labels[i], detections.Scores[i]);
            }

            if (rows.TurnedImages is { } turned) Warn(turned);
        }

        if (images == 0) throw new InvalidDataException("There are no images to label.");
        (_thresholds, string? shortage) = LabelThresholds.Choose(histogram, _options.Labels, ClassNames, _perImage, images);
        if (shortage is not null) Warn(
            $"{shortage} {nameof(GeneratedLabelOptions)}.{nameof(GeneratedLabelOptions.ScoreThreshold)} gives another score");
    }

    /// <summary>Labels a row.</summary>
    public void Map(LabelColumns.Input input, LabelColumns.Output output)
    {
        MLImage image = input.Image ?? throw new InvalidOperationException("A row has no image (it is null).");
        Detections found = Detect(MLImagePixels.ToRgb(image));
        int[] sure = [.. Enumerable.Range(0, found.Count).Where(i => found.Scores[i] >= _thresholds[found.Labels[i]])];
        output.Label = new VBuffer<uint>(sure.Length, [.. sure.Select(i => (uint)found.Labels[i] + 1)]);
        output.Scores = new VBuffer<float>(sure.Length, [.. sure.Select(i => found.Scores[i])]);
        output.Boxes = new VBuffer<float>(4 * sure.Length, [.. sure.SelectMany(i => found.Boxes[(4 * i)..(4 * i + 4)])
            .Select((share, i) => share * (i % 2 == 0 ? image.Width : image.Height))]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _labeller.Dispose();
        _found.Dispose();
    }

    private void Warn(string text)
    {
        using IChannel channel = EnvironmentSettings.EnvironmentOf(_catalog).Register(nameof(DistillationCatalog.LabelWithTeacher))
            .Start("Labelling");
        channel.Warning(MessageSensitivity.None, text);
    }

    private Detections Detect(RgbImage pixels)
    {
        UInt128 key = KeyOf(pixels);
        lock (_lock)
        {
            if (_places.TryGetValue(key, out (long Offset, int Count) place)) return ReadBack(place.Offset, place.Count);
            Detections found = _labeller.DetectShares(pixels);
            float[] values = [.. found.Boxes, .. found.Scores, .. found.Labels.Select(label => (float)label)];
            _places[key] = (_found.Append(MemoryMarshal.AsBytes(values.AsSpan())), found.Count);
            return found;
        }
    }

    private Detections ReadBack(long offset, int count)
    {
        var values = new float[6 * count];
        _found.Read(offset, MemoryMarshal.AsBytes(values.AsSpan()));
        return new Detections(values[..(4 * count)], values[(4 * count)..(5 * count)],
            Array.ConvertAll(values[(5 * count)..], value => (int)value));
    }

    private static UInt128 KeyOf(RgbImage image)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(image.Width));
        hash.AppendData(image.Pixels);
        return MemoryMarshal.Read<UInt128>(hash.GetHashAndReset());
    }
}

/// <summary>The columns that labelling reads and writes.</summary>
internal static class LabelColumns
{
    /// <summary>The stock step that adds the labels.</summary>
    /// <param name="classNames">The names of the keys.</param>
    /// <param name="map">Labels an image; called from several threads at once.</param>
    /// <param name="schema">The schema of the data, where it is known: ML.NET compares types of images by reference.</param>
    public static CustomMappingEstimator<Input, Output> Mapping(
        TransformsCatalog catalog, LabelWithTeacherOptions options, IReadOnlyList<string> classNames, Action<Input, Output> map,
        DataViewSchema? schema)
    {
        var input = SchemaDefinition.Create(typeof(Input));
        input[nameof(Input.Image)].ColumnName = options.ImageColumnName;
        if (schema is not null) input[nameof(Input.Image)].ColumnType = ColumnKind.Image.In(schema, options.ImageColumnName).Type;
        var output = SchemaDefinition.Create(typeof(Output));
        SchemaDefinition.Column label = output[nameof(Output.Label)];
        label.ColumnName = options.LabelColumnName;
        label.ColumnType = new VectorDataViewType(new KeyDataViewType(typeof(uint), classNames.Count));
        var names = new VBuffer<ReadOnlyMemory<char>>(classNames.Count, [.. classNames.Select(name => name.AsMemory())]);
        label.AddAnnotation("KeyValues", names, new VectorDataViewType(TextDataViewType.Instance, classNames.Count));
        output[nameof(Output.Boxes)].ColumnName = options.BoundingBoxColumnName;
        output[nameof(Output.Scores)].ColumnName = options.LabelScoreColumnName;
        return catalog.CustomMapping(map, contractName: null, input, output);
    }

    /// <summary>What is read.</summary>
    internal sealed class Input
    {
        [AnySizeImage]
        public MLImage? Image { get; set; }
    }

    /// <summary>What is written.</summary>
    internal sealed class Output
    {
        public VBuffer<uint> Label { get; set; }

        public VBuffer<float> Boxes { get; set; }

        public VBuffer<float> Scores { get; set; }
    }
}
