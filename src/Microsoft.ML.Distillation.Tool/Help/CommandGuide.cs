namespace Microsoft.ML.Distillation.Tool.Help;

/// <summary>What a newcomer to a command is shown first: an example, and the options that most people need.</summary>
/// <param name="Examples">Lines to copy.</param>
/// <param name="Needed">The options, in this order; empty where there are so few that all are shown.</param>
internal sealed record CommandGuide(string[] Examples, string[] Needed)
{
    private static readonly CommandGuide None = new([], []);

    private static readonly Dictionary<string, CommandGuide> Guides = new(StringComparer.Ordinal)
    {
        ["train"] = new(
            ["ml-distill train --data data --backbone resnet18 --output teacher.zip"],
            ["--data", "--output", "--detector", "--backbone", "--input-size", "--epochs", "--batch-size", "--device", "--run",
                "--resume"]),
        ["distill"] = new(
            ["ml-distill distill --data data --teacher teacher.zip --control --output student.zip",
                "ml-distill distill --data data --teacher yolox.onnx --teacher-classes coco.txt --student fast --epochs 40"],
            ["--data", "--teacher", "--output", "--student", "--backbone", "--input-size", "--epochs", "--control", "--device", "--run"]),
        ["label"] = new(
            ["ml-distill label --teacher teacher.zip --images photos --labelled data --output labelled"],
            ["--images", "--labelled", "--teacher", "--teacher-classes", "--output", "--output-format", "--label-score", "--format",
                "--device", "--shard"]),
        ["evaluate"] = new(
            ["ml-distill evaluate --model student.zip --data data",
                "ml-distill evaluate --model yolox.onnx --classes coco.txt --data data --report report.html"],
            ["--model", "--data", "--split", "--classes", "--metric", "--errors", "--json", "--report", "--teacher", "--alone"]),
        ["predict"] = new(
            ["ml-distill predict --model student.zip --images photos --output detections.json --draw pictures"],
            ["--model", "--images", "--output", "--score", "--draw", "--draw-score", "--classes", "--ids", "--split", "--skip-invalid"]),
        ["export"] = new(["ml-distill export --model student.zip --output student.onnx"], []),
        ["benchmark"] = new(["ml-distill benchmark --model student.onnx --json timing.json"],
            ["--model", "--images", "--runs", "--threads", "--json", "--classes", "--device"]),
        ["convert"] = new(["ml-distill convert --data data --to yolo --output data-yolo --copy-images"], []),
        ["inspect"] = new(["ml-distill inspect --data data --output inspected"], []),
        ["quantize"] = new(["ml-distill quantize --model student.zip --images data/train --output student-8bit.zip"], []),
        ["compress"] = new(["ml-distill compress --model teacher.zip --flops 0.5 --output smaller.zip"], []),
        ["inspect-teacher"] = new(
            ["ml-distill inspect-teacher --teacher yolox.onnx --teacher-classes coco.txt --image photo.jpg --draw seen.png"],
            ["--teacher", "--teacher-classes", "--teacher-format", "--image", "--draw", "--draw-score", "--data", "--tensors"]),
        ["weights"] = new(["ml-distill weights get resnet18"], []),
    };

    /// <summary>The commands, as the first page of the help groups them.</summary>
    public static IReadOnlyList<(string Group, string[] Commands)> Groups { get; } =
    [
        ("Train", ["train", "distill", "label"]),
        ("Use and measure", ["evaluate", "predict", "benchmark"]),
        ("Make it small, send it off", ["quantize", "compress", "export"]),
        ("Look first", ["inspect", "convert", "inspect-teacher", "weights"]),
    ];

    /// <summary>The first page's examples.</summary>
    public static string[] First { get; } =
    [
        "ml-distill inspect --data data",
        "ml-distill train   --data data --backbone resnet18 --output teacher.zip",
        "ml-distill distill --data data --teacher teacher.zip --control --output student.zip",
        "ml-distill predict --model student.zip --images photos --output found.json --draw pictures",
    ];

    /// <summary>The guide of a command.</summary>
    public static CommandGuide Of(string command) => Guides.GetValueOrDefault(command, None);
}
