// The environment of an MLContext, the hosts registered with it, and their channels.
using System.Globalization;

namespace Microsoft.ML.Runtime;

/// <summary>The environment itself. Its public properties are read by name, as those of the real one are.</summary>
internal sealed class LocalEnvironment(int? seed) : Host(null, "", seed is { } s ? new Random(s) : new Random())
{
    public int? Seed { get; } = seed;

    public int? GpuDeviceId { get; set; }

    public bool FallbackToCpu { get; set; }

    public event Action<string, ChannelMessage> Message;

    internal void Send(string source, ChannelMessage message) => Message?.Invoke(source, message);
}

/// <summary>A named part of an environment.</summary>
internal class Host : IHost
{
    private readonly LocalEnvironment _environment;
    private readonly string _name;

    protected Host(LocalEnvironment environment, string name, Random rand)
    {
        _environment = environment ?? this as LocalEnvironment;
        (_name, Rand, ComponentCatalog) = (name, rand, environment?.ComponentCatalog ?? new ComponentCatalog());
    }

    public Random Rand { get; }

    public ComponentCatalog ComponentCatalog { get; }

    public string ContextDescription => "HostEnvironment";

    public TException Process<TException>(TException ex) where TException : Exception => ex;

    public IHost Register(string name, int? seed = null, bool? verbose = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        int drawn;
        // Hosts may be registered from several threads at once.
        lock (_environment) drawn = Rand.Next();
        return new Host(_environment, name, new Random(seed ?? drawn));
    }

    public IChannel Start(string name) => new Channel(_environment, _name.Length == 0 ? name : $"{_name}; {name}", this);

    public IPipe<TMessage> StartPipe<TMessage>(string name) => throw new NotSupportedException();

    public IProgressChannel StartProgressChannel(string name) => new ProgressChannel();

    /// <summary>A channel whose messages go to the context's log.</summary>
    private sealed class Channel(LocalEnvironment environment, string source, Host host) : IChannel
    {
        public string ContextDescription => host.ContextDescription;

        public TException Process<TException>(TException ex) where TException : Exception => ex;

        public void Send(ChannelMessage msg) => environment.Send(source, msg);

        public void Trace(MessageSensitivity sensitivity, string fmt) => Send(ChannelMessageKind.Trace, sensitivity, fmt);

        public void Trace(MessageSensitivity sensitivity, string fmt, params object[] args) => Send(ChannelMessageKind.Trace, sensitivity, Format(fmt, args));

        public void Error(MessageSensitivity sensitivity, string fmt) => Send(ChannelMessageKind.Error, sensitivity, fmt);

        public void Error(MessageSensitivity sensitivity, string fmt, params object[] args) => Send(ChannelMessageKind.Error, sensitivity, Format(fmt, args));

        public void Warning(MessageSensitivity sensitivity, string fmt) => Send(ChannelMessageKind.Warning, sensitivity, fmt);

        public void Warning(MessageSensitivity sensitivity, string fmt, params object[] args) => Send(ChannelMessageKind.Warning, sensitivity, Format(fmt, args));

        public void Info(MessageSensitivity sensitivity, string fmt) => Send(ChannelMessageKind.Info, sensitivity, fmt);

        public void Info(MessageSensitivity sensitivity, string fmt, params object[] args) => Send(ChannelMessageKind.Info, sensitivity, Format(fmt, args));

        public void Dispose()
        {
        }

        private void Send(ChannelMessageKind kind, MessageSensitivity sensitivity, string message) => Send(new ChannelMessage(kind, sensitivity, message));

        private static string Format(string format, object[] args) => string.Format(CultureInfo.CurrentCulture, format, args);
    }

    /// <summary>Progress, which reaches nobody: the log of a context never carries it.</summary>
    private sealed class ProgressChannel : IProgressChannel
    {
        public void SetHeader(ProgressHeader header, Action<IProgressEntry> fillAction)
        {
        }

        public void Checkpoint(params double?[] values)
        {
        }

        public IProgressChannel StartProgressChannel(string name) => new ProgressChannel();

        public void Dispose()
        {
        }
    }
}
