using System.Globalization;
using System.Xml.Linq;
namespace Microsoft.ML.Distillation.Samples.Demo.Scenes;

/// <summary>Writes drawn scenes as a data set in Pascal VOC's format.</summary>
internal static class SceneDataSet
{
    /// <summary>The parts of the data set and how many scenes each has.</summary>
    public static readonly (string Split, int Scenes)[] Splits = [("train", 300), ("val", 80), ("test", 100)];

    /// <summary>Draws the data set into a folder, which has it whole or not at all. The same seed gives the same scenes.</summary>
    public static void Write(string folder, int seed, IReadOnlyList<(string Split, int Scenes)> splits)
    {
        string beside = folder.TrimEnd('/', '\\') + ".part";
        if (Directory.Exists(beside)) Directory.Delete(beside, recursive: true);
        foreach (string part in (ReadOnlySpan<string>)["Annotations", "JPEGImages", Path.Combine("ImageSets", "Main")])
            Directory.CreateDirectory(Path.Combine(beside, part));

        int number = 0;
        foreach ((string split, int scenes) in splits)
        {
            string[] names = [.. Enumerable.Range(number, scenes)
                .Select(n => string.Create(CultureInfo.InvariantCulture, $"scene_{n:0000}"))];
            int first = number;
            Parallel.For(0, scenes, i => WriteScene(beside, names[i], Scene.Draw(new Random(HashCode(seed, first + i)))));
            File.WriteAllLines(Path.Combine(beside, "ImageSets", "Main", split + ".txt"), names);
            number += scenes;
        }

        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.Move(beside, folder);
    }

    private static void WriteScene(string folder, string name, Scene scene)
    {
        string image = name + ".jpg";
        scene.Picture.Save(Path.Combine(folder, "JPEGImages", image));
        var annotation = new XElement("annotation",
            new XElement("filename", image),
            new XElement("size",
                new XElement("width", scene.Picture.Width), new XElement("height", scene.Picture.Height), new XElement("depth", 3)),
            scene.Objects.Select(o => new XElement("object",
                new XElement("name", o.Name),
                new XElement("difficult", 0),
                new XElement("bndbox",
                    new XElement("xmin", o.X0), new XElement("ymin", o.Y0), new XElement("xmax", o.X1), new XElement("ymax", o.Y1)))));
        annotation.Save(Path.Combine(folder, "Annotations", name + ".xml"));
    }

    // System.HashCode differs from run to run.
    private static int HashCode(int seed, int number) => unchecked(seed * 1_000_003 + number * 7919);
}
