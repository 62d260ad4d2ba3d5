using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>
/// What all detector estimators do in <c>Fit</c>: read the data, build the network, train it, export it, hold the export to the
/// network, and wrap it in ML.NET's transformers.
/// </summary>
internal sealed class DetectorTraining(TransformsCatalog catalog, string name)
{
    private readonly IHostEnvironment _environment = EnvironmentSettings.EnvironmentOf(catalog);

    /// <summary>Trains a detector.</summary>
    public DetectorTransformer Fit(IDataView input, TrainingSetup setup) => Fit(input, [setup])[0];

    /// <summary>
    /// Trains detectors side by side on the same batches, under one pass of their teacher. Each comes out as if it had been alone.
    /// </summary>
    /// <param name="input">The annotated images.</param>
    /// <param name="setups">The networks; they have one teacher, and all options that concern data and device in common.</param>
    public IReadOnlyList<DetectorTransformer> Fit(IDataView input, IReadOnlyList<TrainingSetup> setups)
    {
        ArgumentNullException.ThrowIfNull(input);
        TrainingSetup.CheckSideBySide(setups);
        // What comes of the training is exported and held to ONNX Runtime: that must not fail after hours.
        OnnxRuntimeLibrary.Require();
        TorchLibrary.Require();
        using RankGroup ranks = RankGroup.Join(setups[0].Options.Distributed);
        try
        {
            TrainingOptions settled = Settled(setups[0].Options, ranks);
            // From here to where training begins, each reads its files: what fails there may fail in one process alone.
            ranks.BeginAlone();
            return Fit(input, setups, settled, ranks);
        }
        catch (Exception error) when (ranks.AreSeveral)
        {
            // All ranks come in the same step upon a loss that is not finite, and upon the end that one of them was asked for.
            throw ranks.Fail(error, isShared: error is TrainingDivergedException or OperationCanceledException);
        }
    }

    private DetectorTransformer[] Fit(
        IDataView input, IReadOnlyList<TrainingSetup> setups, TrainingOptions settled, RankGroup ranks)
    {
        // Others than the first speak to nobody.
        IHostEnvironment environment = ranks.IsFirst ? _environment : EnvironmentSettings.EnvironmentOf(new MLContext().Transforms);
        using var alone = new CheckpointLock(ranks.IsFirst ? setups.Select(setup => setup.Options.CheckpointDirectory) : []);
        using IChannel channel = environment.Register(name).Start("Training");
        DetectorEstimatorOptions common = setups[0].Options;
        setups = [.. setups.Select(setup => setup.In(ranks))];
        Device device = TrainingDevice.Choose(settled.GpuDeviceId + ranks.LocalRank, settled.FallbackToCpu ?? false);
        using IDisposable? threads = device.type == DeviceType.CPU ? ThreadShare.Take(ranks) : null;
        // Before the data are read: what cannot be had is said at once.
        IReadOnlyList<StartingWeights?> weights = FindWeights(setups, environment);

        using IChannel reading = _environment.Register("Reading images").Start("Reading");
        DataViewIngestOptions ingest = Ingest(common, channel, reading);
        using SampleStore images = ReadTraining(input, common, ingest);
        ingest = ingest with { ClassNames = images.ClassNames };
        using SampleStore? validation = common.ValidationSet is { } set ? Read(set, nameof(common.ValidationSet)) : null;

        using var scope = NewDisposeScope();
        using ITeacher? teacher = setups.Select(setup => setup.Distillation)
            .FirstOrDefault(distillation => distillation is not null)?.Open(images.ClassNames, device);
        if (teacher is not null) SayLimits(channel, teacher.Abilities, images.ClassNames);
        using AdditionalImages additional = AdditionalImages.Of(
            view => Read(view, nameof(common.GeneratedSet)), ingest, images, common, teacher, channel);
        var objectives = new List<IObjective>();
        try
        {
            foreach ((TrainingSetup setup, StartingWeights? from) in setups.Zip(weights))
            {
                manual_seed(settled.Seed!.Value);
                Detector student = setup.Build(additional.Labelled, from).to(device);
                objectives.Add(setup.ObjectiveOf(student, teacher, device, ranks));
                Say(channel, string.Create(CultureInfo.InvariantCulture,
                    $"Training on {Counted.Of(additional.Training.Count, "image")} of {Counted.Of(images.ClassNames.Count, "class")} "
                        + $"({string.Join(", ", images.ClassNames)}) on {device}"
                        + $"{(ranks.AreSeveral ? $" in {ranks.Count} processes" : "")}; "
                    + $"the network takes {student.InputSize} and has {student.parameters().Sum(p => p.numel()):N0} parameters, "
                        + $"{student.Precision?.ToString() ?? "full precision"}"));
                if (student.Backbone is GraphNetwork graph) Say(channel, graph.Description);
                if (setup.Distillation is not null)
                {
                    Say(channel, $"What it learns: {objectives[^1].Summary}");
                    objectives[^1].Tell(text => Say(channel, text));
                    WarnOfSmaller(channel, teacher!, student);
                }

                if (setup.Distillation is { Losses.AreNone: true })
                {
                    channel.Warning(MessageSensitivity.None,
                        $"The option {nameof(DistillDetectorOptions.Losses)} names no loss of a weight above 0: the student learns from "
                            + "the labels alone, without its teacher. Leave it out for the default losses");
                }

                DeadLayers.Warn(channel, student);
            }

            SayOrigins(setups, weights);
            TrainingRecorder[] recorders =
                [.. setups.Select(setup => new TrainingRecorder(new ProgressLog(channel, setup.Options.Progress)))];
            (IObjective Objective, TrainingOptions Options)[] students = [.. setups.Select((setup, i) =>
                (objectives[i], setup.TrainingOf(objectives[i].Student) with { Seed = settled.Seed, Progress = recorders[i] }))];
            var loop = new TrainingLoop(students, teacher, additional.Training, validation, device, ranks);
            IReadOnlyList<TrainingResult> results;
            using (device.type == DeviceType.CPU
                ? ThreadShare.For(students.Max(student => student.Objective.WorkOf(student.Options.BatchSize / ranks.Count))) : null)
            {
                results = loop.Run();
            }

            if (results.Any(result => result.Cancelled && result.History.Count == 0))
            {
                throw new OperationCanceledException(
                    "Training was cancelled before its first epoch ended: there is no model yet.", settled.CancellationToken);
            }

            if (results[0].Cancelled) channel.Warning(MessageSensitivity.None,
                $"Training ended early, after {Counted.Of(results[0].History.Count, "epoch")}, as was asked for; the best model so far is "
                    + "kept.");
            return Export([.. results.Select((result, i) => new TrainedStudent(
                result.Detector, recorders[i].ToRecord(students[i].Options, objectives[i], additional.Training, validation, result.History),
                setups[i].Options))], images, input.Schema, channel, ranks);
        }
        finally
        {
            foreach (IObjective objective in objectives)
            {
                objective.Dispose();
                objective.Student.Dispose();
            }
        }

        SampleStore Read(IDataView view, string option)
            => new DataViewIngest(ingest with { Option = option }).Read(view, common.CancellationToken);
    }

    private static List<StartingWeights?> FindWeights(IReadOnlyList<TrainingSetup> setups, IHostEnvironment environment)
    {
        // A channel of its own: what a training starts from is worth seeing where the rest of the log is not shown.
        using IChannel channel = environment.Register("Weights").Start("Weights");
        var all = new List<StartingWeights?>();
        var said = new HashSet<string>();
        foreach (TrainingSetup setup in setups)
        {
            StartingWeights? found = setup.FindWeights(new DownloadLog(channel));
            all.Add(found);
            bool isKnown = found is not null || setup.HasParameters || setup.Plan.Network.GraphOrigin is not null;
            if (!isKnown && StartingWeights.Advice(setup.Plan.Network) is { } advice && said.Add(advice))
                channel.Warning(MessageSensitivity.None, advice);
        }

        return all;
    }

    /// <summary>Says what the backbones start from, once they do.</summary>
    private void SayOrigins(IReadOnlyList<TrainingSetup> setups, IReadOnlyList<StartingWeights?> weights)
    {
        using IChannel channel = _environment.Register("Weights").Start("Weights");
        var said = new HashSet<string>();
        foreach ((TrainingSetup setup, StartingWeights? found) in setups.Zip(weights))
        {
            Backbone backbone = setup.Plan.Network;
            string? origin = found is not null ? $"{found.Path}: {found.Origin}"
                : setup.HasParameters ? null : backbone.GraphOrigin?.ToString();
            string? text = origin is null ? null : $"The backbone starts from {origin}";
            if (!setup.HasParameters && backbone.Graph?.MapsText is { } maps) text = text is null ? maps : $"{text}. {maps}";
            if (text is not null && said.Add(text)) Say(channel, text);
        }
    }

    /// <summary>Exports what was trained. Whatever fails here, the trained weights are in a file.</summary>
    private DetectorTransformer[] Export(
        IReadOnlyList<TrainedStudent> students, SampleStore images, DataViewSchema schema, IChannel channel, RankGroup ranks)
    {
        // Of processes that train together each has the same weights.
        var kept = new KeptWeights(ranks.IsFirst ? students : []);
        kept.Write(channel);
        var exported = new List<DetectorTransformer>();
        try
        {
            foreach (TrainedStudent student in students) exported.Add(Export(student, images, schema, channel));
            return [.. exported];
        }
        catch (Exception e)
        {
            foreach (DetectorTransformer transformer in exported) transformer.Dispose();
            throw kept.Failure(e);
        }
    }

    private DetectorTransformer Export(TrainedStudent student, SampleStore images, DataViewSchema schema, IChannel channel)
    {
        Detector detector = student.Detector;
        detector.to(CPU);
        DeadLayers.Warn(channel, detector);
        OnnxModelFile model = DetectorFile.Export(detector).With(TrainingRecord.Key, student.Record.ToJson());
        ExportAgreement agreement = ExportCheck.Run(detector, model, images, channel);
        Say(channel, $"Exported to ONNX; against the trained network: {agreement}");
        return new DetectorTransformer(catalog, model, student.Options.Columns, schema);
    }

    /// <summary>The options with what the context decides: seed and GPU.</summary>
    private TrainingOptions Settled(DetectorEstimatorOptions options, RankGroup ranks)
    {
        EnvironmentSettings context = EnvironmentSettings.Of(_environment);
        int? seed = options.Seed ?? context.Seed;
        return options with
        {
            Seed = seed ?? SeedOfAll(),
            GpuDeviceId = options.GpuDeviceId ?? context.GpuDeviceId,
            FallbackToCpu = options.FallbackToCpu ?? context.FallbackToCpu,
        };

        int SeedOfAll()
            => ranks.Broadcast(ranks.IsFirst ? Checkpoint.SeedIn(options.CheckpointDirectory) ?? Random.Shared.Next() : 0);
    }

    /// <summary>The training data. A network that knows their classes already gives these its order.</summary>
    private static SampleStore ReadTraining(IDataView view, DetectorEstimatorOptions options, DataViewIngestOptions ingest)
    {
        var distilled = options as DistillDetectorOptions;
        ingest = ingest with
        {
            ClassOrder = options.InitialStudent?.ClassNames
                ?? (distilled?.Scheme == ApprenticeScheme.A ? distilled.Teacher.ClassNames : null),
        };
        if (distilled is not { WithoutLabels: true }) return new DataViewIngest(ingest).Read(view, options.CancellationToken);
        IReadOnlyList<string> classNames = ingest.InOrder(distilled.ClassNames ?? distilled.Teacher.ClassNames);
        return new DataViewIngest(ingest with { ClassNames = classNames })
            .ReadUnlabelled(view, "the training data", options.CancellationToken);
    }

    private static DataViewIngestOptions Ingest(DetectorEstimatorOptions options, IChannel channel, IChannel reading)
        => new()
        {
            ImageColumnName = options.ImageColumnName,
            LabelColumnName = options.LabelColumnName,
            BoundingBoxColumnName = options.BoundingBoxColumnName,
            OnInvalidSample = options.OnInvalidSample,
            Cache = new PixelBudget(options.CacheBytes),
            TemporaryFolder = options.TemporaryFolder,
            Warn = warning => channel.Warning(MessageSensitivity.UserData, warning),
            Say = line => Say(reading, line),
        };

    /// <summary>Says what the teacher will not teach.</summary>
    private static void SayLimits(IChannel channel, TeacherAbilities teacher, IReadOnlyList<string> classNames)
    {
        if (teacher.Caution is { } caution) channel.Warning(MessageSensitivity.None, caution);
        teacher.Remarks?.Tell(remark => channel.Warning(MessageSensitivity.None, remark));
        if (teacher.FeatureMaps.Count == 0)
            Say(channel, $"The teacher has no feature maps, so there is no hint loss; tensors of an ONNX teacher's graph are named in "
                + $"{nameof(OnnxTeacherOptions)}.{nameof(OnnxTeacherOptions.Hints)}");
        if (teacher.UnknownClasses.Count > 0)
        {
            channel.Warning(MessageSensitivity.None,
                $"The teacher does not know {string.Join(", ", teacher.UnknownClasses.Select(c => $"'{classNames[c]}'"))}: learned from "
                    + $"the labels alone");
        }

        if (teacher.IgnoredClasses.Count > 0)
            Say(channel, $"Of the teacher's classes these are not the student's and count as background: "
                + $"{string.Join(", ", teacher.IgnoredClasses)}");
    }

    /// <summary>Warns of a teacher that is shown less than its student.</summary>
    private static void WarnOfSmaller(IChannel channel, ITeacher teacher, Detector student)
    {
        (ImageSize theirs, ImageSize own) = (teacher.InputSize, student.InputSize);
        if (theirs.Width >= own.Width && theirs.Height >= own.Height) return;
        channel.Warning(MessageSensitivity.None,
            $"The teacher looks at images of {theirs}, the student at {own}: of small objects the teacher sees less than the student whom "
            + "it teaches. A teacher of the student's input size teaches better, or of twice that");
    }

    private static void Say(IChannel channel, string message) => channel.Info(MessageSensitivity.None, message);
}

/// <summary>Layers of low precision that let nothing through, because all of their weights round to 0.</summary>
internal static class DeadLayers
{
    /// <summary>Names them, and says what to do.</summary>
    public static void Warn(IChannel channel, Detector detector)
    {
        IReadOnlyList<string> names = LowPrecisionLayers.Dead(detector);
        if (names.Count == 0) return;
        channel.Warning(MessageSensitivity.None,
            $"In {detector.Precision} all weights of these layers round to 0, so that nothing that they are shown gets through: "
                + $"{string.Join(", ", names)}. "
            + $"{nameof(QuantizerKind)}.{nameof(QuantizerKind.PerChannel)} takes its steps from the weights, and 8 bits have finer ones");
    }
}
