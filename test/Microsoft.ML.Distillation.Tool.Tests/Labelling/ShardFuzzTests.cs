using Microsoft.ML.Distillation.Tool.Labelling;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tests.Tool.Labelling;

/// <summary>Mutations of the text files that the command reads by itself: they are read, or refused as documented.</summary>
public class ShardFuzzTests
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), $"ml-distillation-shards-{Environment.ProcessId}");

    private static IEnumerable<FuzzTarget> Targets =>
    [
        FuzzTarget.Of("shard", [Shard()], content =>
        {
            string path = Written("shard-1-of-1.jsonl", content);
            _ = ShardFile.ReadHeader(path).Shards + ShardFile.Records(path).Sum(record => record.Labels.Length + record.Boxes.Length);
        }, error => error is FormatException or InvalidOperationException),
        FuzzTarget.Of("ids of images", ["""{"images":[{"id":7,"file_name":"a/b.jpg"}],"categories":[{"id":"x","name":"cat"}]}"""],
            content => CocoNumbering.From(Written("ids.json", content), [Path.Combine(Folder, "a", "b.jpg")]),
            error => error is FormatException),
    ];

    private static IEnumerable<string> Names => Targets.Select(target => target.Name);

    [OneTimeTearDown]
    public void RemoveFolder()
    {
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
    }

    [TestCaseSource(nameof(Names))]
    public void File_IsRead_OrRefused(string target) => Find(target).Run(FuzzRun.TextCases);

    [Explicit("Minutes; ML_DISTILLATION_FUZZ_CASES says how many.")]
    [TestCaseSource(nameof(Names))]
    public void File_IsRead_OrRefused_ForLong(string target) => Find(target).Run(FuzzRun.ManyCases);

    private static FuzzTarget Find(string name) => Targets.Single(target => target.Name == name);

    private static string Shard()
    {
        string folder = Path.Combine(Folder, "seed");
        string[] names = ["a.png", "b.png"];
        using (IEnumerator<string> images = names.AsEnumerable().GetEnumerator())
        using (ShardFile file = ShardFile.Open(folder, new ShardHeader(1, 1, new() { ["teacher"] = "x" }, ["cat", "dog"], [1, 2]), images))
        {
            if (!file.IsComplete)
            {
                foreach (string name in names)
                    file.Append(new ShardRecord { File = name, Width = 9, Height = 8, Labels = [1], Scores = [.5f], Boxes = [1, 2, 3, 4] });
                file.Complete();
            }
        }

        return File.ReadAllText(ShardFile.PathOf(folder, 1, 1));
    }

    private static string Written(string name, byte[] content)
    {
        Directory.CreateDirectory(Folder);
        string path = Path.Combine(Folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
