using System.CommandLine;
using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill weights</c>: the parameters that are published for backbones, and the cache that they lie in.</summary>
internal sealed class WeightsCommand : System.CommandLine.Command
{
    private readonly Argument<string[]> _names = new("NAME")
    {
        Description = $"The backbone. One of {string.Join(", ", Names())}.",
        Arity = ArgumentArity.OneOrMore,
    };

    public WeightsCommand()
        : base("weights", "Lists, downloads and finds the pre-trained parameters that --weights imagenet starts from.")
    {
        var list = new System.CommandLine.Command(
            "list", "Says which there are, where from, under which license, and whether they are here.");
        list.SetAction(parsed => List(parsed.InvocationConfiguration.Output));
        var get = new System.CommandLine.Command("get", "Downloads into the cache what is not there yet.") { _names };
        _names.Validators.Add(result =>
        {
            foreach (string name in result.Tokens.Select(token => token.Value).Except(Names()))
                result.AddError($"NAME must be one of {string.Join(", ", Names())}, not '{name}'.");
        });
        _names.CompletionSources.Add([.. Names()]);
        get.SetAction(parsed => Get(parsed.GetRequiredValue(_names), parsed.InvocationConfiguration));
        var path = new System.CommandLine.Command("path", "Says the folder of the cache.");
        path.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine(PublishedWeights.CacheDirectory));
        foreach (System.CommandLine.Command command in (System.CommandLine.Command[])[list, get, path]) Subcommands.Add(command);
    }

    private static IEnumerable<string> Names() => PublishedWeights.All.Select(one => BackboneNames.NameOf(one.Backbone));

    private static void List(TextWriter output)
    {
        foreach (PublishedWeights one in PublishedWeights.All)
        {
            string? problem = one.FindCacheProblem();
            string place = problem is not null ? $"damaged: {problem}" : one.IsCached ? "in the cache" : "not here";
            output.WriteLine($"{BackboneNames.NameOf(one.Backbone),-16}{Size(one.Bytes),8} MB  {place}");
            output.WriteLine($"    address  {one.Address}");
            output.WriteLine($"    source   {one.Source}");
            output.WriteLine($"    license  {one.License}");
            output.WriteLine($"    sha-256  {one.Sha256}");
        }

        output.WriteLine($"The cache is {PublishedWeights.CacheDirectory}");
    }

    private static void Get(string[] names, InvocationConfiguration configuration)
    {
        using var interruption = new Interruption(configuration.Error, "what has come is kept, and continued the next time");
        foreach (PublishedWeights one in PublishedWeights.All.Where(one => names.Contains(BackboneNames.NameOf(one.Backbone))))
        {
            bool wasHere = one.IsCached;
            if (wasHere && one.FindCacheProblem() is { } problem) configuration.Error.WriteLine($"warning: {problem}; it is fetched anew.");
            var progress = new Tenths(configuration.Error, one.FileName);
            string path = one.DownloadAsync(progress, interruption.Token).GetAwaiter().GetResult();
            configuration.Output.WriteLine(wasHere && !progress.Moved ? $"in the cache already: {path}" : $"saved {path}");
            configuration.Output.WriteLine($"license: {one.License}");
        }
    }

    private static string Size(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>Writes a line for each tenth of a download.</summary>
    private sealed class Tenths(TextWriter error, string name) : IProgress<DownloadProgress>
    {
        private long _tenths = -1;

        /// <summary>Whether anything came.</summary>
        public bool Moved => _tenths >= 0;

        /// <inheritdoc/>
        public void Report(DownloadProgress value)
        {
            long tenths = value.Total > 0 ? 10 * value.Received / value.Total : 0;
            if (tenths == _tenths) return;
            _tenths = tenths;
            error.WriteLine($"{name}: {Size(value.Received)} of {Size(value.Total)} MB");
        }
    }
}
