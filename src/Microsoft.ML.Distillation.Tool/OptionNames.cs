using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tool;

/// <summary>The library's options under the names that they have on the command line: its messages know the former alone.</summary>
internal static class OptionNames
{
    // In the order in which they are looked for: what is longer comes first.
    private static readonly (string Library, string Flag)[] Names =
    [
        ("the option DetectorPrompts.TextEncoderPath", "--text-encoder"), ("the option DetectorPrompts.TokenizerPath", "--tokenizer"),
        ("the option TextEncoderPath", "--text-encoder"), ("the option EmbeddingsPath", "--embeddings"),
        ("the option TokenizerPath", "--tokenizer"),
        ("TextEncoderPath", "--text-encoder"), ("EmbeddingsPath", "--embeddings"), ("the option Prompts", "--prompt"),
        ("the options InputWidth and InputHeight do", "--teacher-size or --model-size does"),
        ("FromModel takes it", "leave out its classes"),
        ("Name the format", "Name the format with --teacher-format"),
        ("DistributedOptions.MpiLibrary", "--mpi-library"), ("DistributedOptions.Timeout", "--mpi-timeout"),
        ("lower BatchSize", "lower --batch-size"),
        ("give the format DetectionFormat.PascalVoc", "give --format voc"), ("give the format DetectionFormat.Coco", "give --format coco"),
        ("give the format DetectionFormat.Yolo", "give --format yolo"), ("give the format DetectionFormat.Kitti", "give --format kitti"),
        ("give the format DetectionFormat.ImageNet", "give --format imagenet"),
        ("give the format DetectionFormat.OpenImages", "give --format openimages"),
        ("give the format DetectionFormat.TabSeparated", "give --format tsv"),
        ("give the option imageFolder", "give --image-folder"),
        ("LabelWithTeacher has a detector label them, and with DistillDetectorOptions.WithoutLabels a student",
            "'ml-distill label' has a detector label them, and with 'ml-distill distill --no-labels' a student"),
        ("set copyImages", "give --copy-images"), ("raise MaxPixels", "raise --max-pixels"), ("the option MaxPixels", "--max-pixels"),
        ("set OnInvalidSample = Skip", "give --skip-invalid"),
        ("Backbone.Weights = PretrainedWeights.ImageNet", "--weights imagenet"), ("PretrainedWeights.None", "--weights none"),
        ("Backbone.Weights", "--weights"),
        ("GeneratedLabelOptions.ScoreThreshold", "--label-score"),
        ("TrainedDetector.FromModel reads them, and SaveOnnx or SavePipeline of what it gives finishes the model",
            "'ml-distill export --model FILE --output MODEL' finishes the model"),
        ("give another CheckpointDirectory", "give another folder of --checkpoints"),
        ("OnnxTeacherOptions.Hints", "--hint"), ("option DistillDetectorOptions.Hints", "--hint"),
        ("set FallbackToCpu, or leave GpuDeviceId unset", "leave --device out"),
        ("The detector of InitialStudent", "The detector of --from"),
        ("lower LearningRate", "lower --learning-rate"), ("WarmupSteps", "--warmup-steps"),
        ("QuantizeDetectorOptions.Detector", "--model"), ("OneStageOptions.Strides", "--strides"), ("Backbone.Stages", "--stages"),
        ("Backbone.Weights", "--weights"),
        ("OnnxTeacherOptions.RunIn = OnnxRuntime", "--teacher-run-in onnxruntime"), ("OnnxTeacherOptions.RunIn", "--teacher-run-in"),
        ("The loss BoxDistributions", "--ld-weight"), ("The loss CrossHead", "--crosskd-weight"),
        ("does not go with Precision", "does not go with --precision"), ("LearningParts", "--distill-parts"),
        ("CompressionOptions.Ranks", "--rank"),
        ("CompressionOptions.FlopsShare", "--flops"),
        ("CompressionOptions.HeadFlopsShare", "--head-flops"),
        ("DistillDetectorOptions.UnlabelledSet", "--unlabelled"),
        ("DetectorEstimatorOptions.InitialStudent", "--from"),
        ("the option ScoreThreshold", "--label-score"), ("the option PerClass", "--labels-per-class"),
        ("the option VotingOverlap", "--voting-overlap"), ("the option SuppressionOverlap", "--suppression-overlap"),
        ("the option LeastScore", "--least-score"), ("the option Aliases", "--teacher-aliases"),
        ("the option InitialStudent", "--from"), ("the option Precision", "--precision"), ("the option Scheme", "--scheme"),
        ("the option UnlabelledSet", "--unlabelled"), ("the option GeneratedSet", "--generated"),
        ("the option WithoutLabels", "--no-labels"),
        ("the option Strides", "--strides"), ("the option Stages", "--stages"), ("the option HeadLayers", "--head-layers"),
        ("the option Channels", "--channels"), ("the option HeadWidth", "--head-width"), ("the option FpnChannels", "--fpn"),
        ("the option Weights", "--weights"), ("the option InputSize", "--input-size"),
        ("the option InputWidth", "--teacher-size"), ("the option InputHeight", "--teacher-size"),
        ("the option ConfidentScore", "--teacher-score"), (", or read through the option Decoder", ""),
        ("the option Layout", "--teacher-layout"), ("the option Activation", "--teacher-activation"),
        ("FirstLabel = 1", "--teacher-first-label 1"), ("the option FirstLabel", "--teacher-first-label"),
        ("the option ClassNames", "--classes"), ("the option Format", "--model-format"),
        ("the option MixedPrecision", "--mixed-precision"), ("the option GpuDeviceId", "--device"), ("the option Seed", "--seed"),
        ("the option Epochs", "--epochs"), ("the option BatchSize", "--batch-size"), ("the option AccumulatedBatches", "--accumulate"),
        ("the option LearningRate", "--learning-rate"), ("a CacheDirectory", "--teacher-cache"),
        ("The options MosaicShare and MixupShare", "--augment mosaic and mixup"),
        ("the option BackboneRate", "--backbone-rate"), ("the option WeightDecay", "--weight-decay"),
        ("the option WarmupSteps", "--warmup-steps"), ("the option EmaDecay", "--ema"),
        ("its Epochs is", "its --epochs is"), ("its BatchSize is", "its --batch-size is"), ("its Seed is", "its --seed is"),
        ("its Optimizer is", "its --optimizer is"), ("its Schedule is", "its --schedule is"),
        ("its LearningRate is", "its --learning-rate is"), ("its BackboneRate is", "its --backbone-rate is"),
        ("its WeightDecay is", "its --weight-decay is"), ("its WarmupSteps is", "its --warmup-steps is"),
        ("its EmaDecay is", "its --ema is"), ("its MixedPrecision is", "its --mixed-precision is"),
        ("its Augmentation is", "its --augment is"),
    ];

    /// <summary>A message of the library as a user of the command understands it.</summary>
    public static string Translate(string message)
    {
        // .NET adds the name of a method's parameter, which tells the command's user nothing.
        message = Regex.Replace(message, @" \(Parameter '\w+'\)", "");
        foreach ((string library, string flag) in Names)
            message = Regex.Replace(message, $@"\b{Regex.Escape(library)}\b", flag, RegexOptions.IgnoreCase);
        return message;
    }
}
