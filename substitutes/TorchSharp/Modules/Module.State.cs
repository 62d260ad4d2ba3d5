using TorchSharp.Modules;

namespace TorchSharp;

// State dictionaries and their files.
public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            /// <summary>The parameters and persistent buffers themselves, by name; what is shared lies under each of its names.</summary>
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= new Dictionary<string, Tensor>(StringComparer.Ordinal);
                string before = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach ((string name, Parameter parameter) in named_parameters()) destination.TryAdd(before + name, parameter);
                foreach ((string name, Tensor buffer) in named_buffers()) destination.TryAdd(before + name, buffer);
                foreach ((string name, Module child) in named_children()) child.state_dict(destination, before + name);
                return destination;
            }

            /// <summary>Copies values in. Gives the names that are missing from the source, and those that the module does not have.</summary>
            /// <exception cref="InvalidOperationException">The names differ, and <paramref name="strict"/> wants them equal.</exception>
            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                Dictionary<string, Tensor> own = state_dict();
                string[] missing = [.. own.Keys.Where(name => !source.ContainsKey(name) && skip?.Contains(name) != true)];
                string[] unexpected = [.. source.Keys.Where(name => !own.ContainsKey(name) && skip?.Contains(name) != true)];
                if (strict && missing.Length + unexpected.Length > 0)
                    throw new InvalidOperationException("The loaded state_dict is not identical to the target dictionary.");
                using IDisposable quiet = no_grad();
                foreach ((string name, Tensor value) in source)
                {
                    if (skip?.Contains(name) != true && own.TryGetValue(name, out Tensor? target)) target.copy_(value);
                }

                return (missing, unexpected);
            }

            public Module save(string location, IList<string>? skip = null)
            {
                using FileStream stream = File.Create(location);
                return save(stream, skip);
            }

            public Module save(Stream stream, IList<string>? skip = null)
            {
                using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
                return save(writer, skip);
            }

            public Module save(BinaryWriter writer, IList<string>? skip = null)
            {
                save_state_dict(writer, state_dict(), skip);
                return this;
            }

            public static void save_state_dict(BinaryWriter writer, Dictionary<string, Tensor> sd, IList<string>? skip = null)
                => StateFile.Write(writer, sd, skip);

            public virtual Module load(string location, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                if (!File.Exists(location)) throw new FileNotFoundException(location);
                using FileStream stream = File.OpenRead(location);
                return load(stream, strict, skip, loadedParameters);
            }

            public Module load(Stream stream, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
                return load(reader, strict, skip, loadedParameters);
            }

            /// <exception cref="ArgumentException">The names, types or shapes differ.</exception>
            public virtual Module load(BinaryReader reader, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                StateFile.ReadInto(reader, state_dict(), strict, skip, loadedParameters);
                return this;
            }
        }
    }
}
