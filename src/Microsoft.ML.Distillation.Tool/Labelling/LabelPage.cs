using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Labelling;

/// <summary>
/// A page to look labels over: images with their labels, and what nearly was one in broken lines, the most doubtful first. Images stay
/// where they are; the page leads to them. Takes in any number of images and keeps the most doubtful.
/// </summary>
/// <param name="classNames">The classes.</param>
/// <param name="thresholds">The score from which on a detection of each class is a label.</param>
internal sealed class LabelPage(IReadOnlyList<string> classNames, IReadOnlyList<float> thresholds)
{
    /// <summary>The page's file in the data set's folder.</summary>
    public const string FileName = "labels.html";

    /// <summary>As many images as anybody looks at.</summary>
    private const int Most = 300;

    // What is farther below the threshold is not shown.
    private const float Near = 0.5f;

    // As in pictures of detections.
    private static readonly string[] Colours =
        ["#e63c3c", "#2882ff", "#3cbe4b", "#ffaf14", "#aa46d2", "#00bec8", "#f55faf", "#96cd1e", "#a56937", "#6e73ff", "#009678",
            "#ffe146"];

    private readonly PriorityQueue<(ShardRecord Record, string Path, double Certainty, long Number), (double, long)> _doubtful = new();
    private long _count;

    /// <summary>Takes in an image.</summary>
    /// <param name="path">Its file.</param>
    public void Add(ShardRecord record, string path)
    {
        if (record.Error is not null) return;
        _count++;
        double certainty = Enumerable.Range(0, record.Labels.Length).Select(i => Distance(record, i)).DefaultIfEmpty(1).Min();
        // The first to go is the one of least doubt.
        _doubtful.Enqueue((record, path, certainty, _count), (-certainty, -_count));
        if (_doubtful.Count > Most) _doubtful.Dequeue();
    }

    /// <summary>Writes the page.</summary>
    /// <param name="folder">The data set's folder.</param>
    public string Write(string folder)
    {
        var page = new StringBuilder();
        string scores = string.Join(", ", classNames.Select((name, c) => Say($"{name} {thresholds[c]:0.000}")));
        page.Append(CultureInfo.InvariantCulture, $$"""
            <!doctype html><html lang="en"><meta charset="utf-8"><title>Labels</title><style>
            body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:1500px;padding:0 1em;color:#222;background:#f4f4f2}
            .all{display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:16px}
            figure{margin:0;background:#fff;border:1px solid #ddd;border-radius:6px;overflow:hidden}
            figcaption{padding:6px 10px;font-size:13px;overflow-wrap:anywhere} .view{position:relative;line-height:0}
            img{width:100%;height:auto} svg{position:absolute;inset:0;width:100%;height:100%}
            rect{fill:none;stroke-width:2.5;vector-effect:non-scaling-stroke} .near{stroke-dasharray:6 5}
            b{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.3em;vertical-align:baseline}
            </style><h1>Labels</h1><p>{{_doubtful.Count}} of {{_count}} images, the most doubtful first: those in which a score is
            nearest to that from which on a detection is a label ({{Text(scores)}}). Labels are drawn whole; what nearly was one in
            broken lines.</p>
            <div class="all">
            """);
        foreach ((ShardRecord record, string path, _, _) in _doubtful.UnorderedItems.Select(item => item.Element)
            .OrderBy(item => item.Certainty).ThenBy(item => item.Number)) Append(page, record, Path.GetRelativePath(folder, path));
        page.Append("</div></html>\n");
        string file = Path.Combine(folder, FileName);
        AtomicFile.Write(file, Encoding.UTF8.GetBytes(page.ToString()));
        return file;
    }

    private void Append(StringBuilder page, ShardRecord record, string path)
    {
        string link = string.Join('/', path.Replace('\\', '/').Split('/').Select(Uri.EscapeDataString));
        page.Append(CultureInfo.InvariantCulture,
            $"<figure><div class=view><img loading=lazy src=\"{link}\" alt=\"\" width={record.Width} height={record.Height}>"
            + $"<svg viewBox=\"0 0 {record.Width} {record.Height}\" preserveAspectRatio=none>");
        int[] shown = [.. Enumerable.Range(0, record.Labels.Length).Where(i => record.Scores[i] >= Near * thresholds[record.Labels[i]])
            .OrderByDescending(i => record.Scores[i])];
        foreach (int i in shown)
        {
            float[] box = record.Boxes[(4 * i)..(4 * i + 4)];
            string near = record.Scores[i] >= thresholds[record.Labels[i]] ? "" : " class=near";
            page.Append(CultureInfo.InvariantCulture, $"<rect x={box[0]:0.#} y={box[1]:0.#} width={Math.Max(0, box[2] - box[0]):0.#} ");
            page.Append(CultureInfo.InvariantCulture,
                $"height={Math.Max(0, box[3] - box[1]):0.#} stroke=\"{ColourOf(record.Labels[i])}\"{near}>");
            page.Append(CultureInfo.InvariantCulture,
                $"<title>{Text(classNames[record.Labels[i]])} {record.Scores[i]:0.00}</title></rect>");
        }

        page.Append(CultureInfo.InvariantCulture, $"</svg></div><figcaption>{Text(record.File)}<br>");
        if (shown.Length == 0) page.Append("nothing");
        foreach (int i in shown)
        {
            string score = Say($"{record.Scores[i]:0.00}");
            page.Append(CultureInfo.InvariantCulture, $"<b style=\"background:{ColourOf(record.Labels[i])}\"></b>");
            page.Append(record.Scores[i] >= thresholds[record.Labels[i]] ? $"{Text(classNames[record.Labels[i]])} {score} &nbsp;"
                : $"<i>{Text(classNames[record.Labels[i]])} {score}?</i> &nbsp;");
        }

        page.Append("</figcaption></figure>\n");
    }

    private double Distance(ShardRecord record, int i) => Math.Abs(record.Scores[i] - Math.Min(1, thresholds[record.Labels[i]]));

    private static string ColourOf(int label) => Colours[label % Colours.Length];

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
