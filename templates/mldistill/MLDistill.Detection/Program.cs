using Microsoft.ML.Distillation;

if (args.Length < 2)
{
    Console.Error.WriteLine("usage: MLDistill.Detection student.onnx PHOTO...");
    return 2;
}

using var detector = ObjectDetector.Load(args[0], new ObjectDetectorOptions { ScoreThreshold = 0.3 });
string[] photos = args[1..];
foreach ((string photo, IReadOnlyList<Detection> found) in photos.Zip(detector.Detect(photos)))
{
    Console.WriteLine($"{photo}: {found.Count} found");
    foreach (Detection one in found) Console.WriteLine($"  {one.Label} {one.Score:P0} at {one.Box}");
}

return 0;
