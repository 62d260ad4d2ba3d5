using System.ComponentModel;
using System.Diagnostics;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>The frames of a video as images in a folder of their own, which goes with it. They are made by <c>ffmpeg</c>.</summary>
internal sealed class VideoFrames : IDisposable
{
    private static readonly string[] Endings = [".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"];

    private readonly string _folder = Directory.CreateTempSubdirectory("ml-distillation-frames-").FullName;

    /// <param name="path">The video.</param>
    /// <param name="program">What makes frames of it.</param>
    /// <exception cref="FileNotFoundException"><c>ffmpeg</c> is not installed.</exception>
    /// <exception cref="FormatException">It cannot read the video.</exception>
    public VideoFrames(string path, string program = "ffmpeg")
    {
        try
        {
            var start = new ProcessStartInfo(program, ["-nostdin", "-loglevel", "error", "-i", Path.GetFullPath(path), "-fps_mode",
                "passthrough", "-qscale:v", "2", Path.Combine(_folder, "frame_%06d.jpg")])
            {
                RedirectStandardError = true,
            };
            using Process process = Process.Start(start)!;
            string problem = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Files = ImageLoader.FilesIn(_folder);
            if (process.ExitCode != 0 || Files.Count == 0)
                throw new FormatException($"ffmpeg cannot read the video '{path}': {ShortText.Of(problem.Trim())}");
        }
        catch (Win32Exception error)
        {
            Dispose();
            throw new FileNotFoundException(
                $"'{path}' is a video, whose frames 'ffmpeg' makes, and that is not installed: install it, or give a folder of "
                + "frames.", error);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The frames, in their order: frame_000001.jpg and so on.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Whether a file's name is one of a video.</summary>
    public static bool IsVideo(string path) => Endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
