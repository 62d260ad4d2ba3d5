using System.Diagnostics;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Tests.Reports;

/// <summary>What headless Chromium makes of a page.</summary>
/// <param name="Console">What the page, and the browser about it, wrote to the console.</param>
/// <param name="Facts">What a script asked of the laid-out page.</param>
internal sealed record Browser(IReadOnlyList<string> Console, JsonElement Facts)
{
    // Pictures are decoded one by one: an <image> of SVG does not say whether it has loaded.
    private const string Script = """
        <script>
        window.pageErrors = [];
        addEventListener('error', e => pageErrors.push(String(e.message || e.target.outerHTML).slice(0, 200)), true);
        addEventListener('load', async () => {
          const sized = e => { const b = e.getBBox(); return b.width > 1 || b.height > 1; };
          const pictures = [...document.querySelectorAll('image')];
          let loaded = 0;
          for (const p of pictures) {
            const i = new Image(); i.src = p.getAttribute('href');
            try { await i.decode(); if (i.naturalWidth > 1) loaded++; } catch { }
          }
          const plots = [...document.querySelectorAll('.plot svg')];
          const facts = {
            errors: pageErrors,
            pictures: pictures.length, loaded,
            panels: document.querySelectorAll('.panel svg').length,
            plots: plots.length,
            emptyPlots: plots.filter(p => ![...p.querySelectorAll('.line,.area,.point circle')].some(sized))
                .map(p => p.getAttribute('aria-label')),
            outside: plots.filter(p => [...p.querySelectorAll('.line,.area,.point circle')].some(e => {
              const b = e.getBBox(), v = p.viewBox.baseVal;
              return b.x < -1 || b.y < -1 || b.x + b.width > v.width + 1 || b.y + b.height > v.height + 1;
            })).map(p => p.getAttribute('aria-label')),
            overprinted: [...document.querySelectorAll('svg')].filter(p => {
              const b = [...p.querySelectorAll('text')].map(e => e.getBBox()), c = [...p.querySelectorAll('circle')].map(e => e.getBBox());
              const on = (x, y) => x.x < y.x + y.width - .5 && y.x < x.x + x.width - .5
                && x.y < y.y + y.height * .7 && y.y < x.y + x.height * .7;
              return b.some((x, i) => b.some((y, k) => i < k && on(x, y)) || c.some(y => on(x, y)));
            }).map(p => p.getAttribute('aria-label')),
            notANumber: [...document.querySelectorAll('svg *')]
                .some(e => [...e.attributes].some(a => a.name !== 'href' && a.value.includes('NaN'))),
            width: document.documentElement.scrollWidth, window: innerWidth,
            background: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
            requests: performance.getEntriesByType('resource').map(r => r.name.slice(0, 60)).filter(n => !n.startsWith('data:')),
          };
          document.body.textContent = '';
          document.body.setAttribute('data-facts', JSON.stringify(facts));
        });
        </script>
        """;

    /// <summary>Opens a page.</summary>
    public static Browser Open(string html, int width = 1200, bool dark = false)
    {
        // On a busy machine the first start of the browser may run out of its own time: again, then.
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return OpenOnce(html, width, dark);
            }
            catch (InvalidOperationException) when (attempt < 6)
            {
            }
        }
    }

    private static Browser OpenOnce(string html, int width, bool dark)
    {
        string program = Chromium.Program();
        using var folder = new TemporaryFolder();
        string page = folder.Write("page.html", html.Replace("<body>", Script + "<body>", StringComparison.Ordinal));
        using var process = Process.Start(new ProcessStartInfo(program,
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            $"--user-data-dir={folder.Sub("profile/x")}", $"--window-size={width},900",
            $"--blink-settings=preferredColorScheme={(dark ? 0 : 1)}", "--enable-logging=stderr", "--virtual-time-budget=20000",
            "--dump-dom", new Uri(page).AbsoluteUri,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string dom = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        int at = dom.IndexOf("data-facts=\"", StringComparison.Ordinal);
        if (at < 0) throw new InvalidOperationException($"The page's script did not run. {errors.Result}");
        int start = at + "data-facts=\"".Length;
        string json = System.Net.WebUtility.HtmlDecode(dom[start..dom.IndexOf('"', start)]);
        using JsonDocument document = JsonDocument.Parse(json);
        return new Browser([.. errors.Result.Split('\n').Where(line => line.Contains("CONSOLE", StringComparison.Ordinal))],
            document.RootElement.Clone());
    }

    /// <summary>A number among the facts.</summary>
    public int Number(string name) => (int)Facts.GetProperty(name).GetDouble();

    /// <summary>A list among the facts.</summary>
    public string[] Words(string name) => [.. Facts.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];
}
