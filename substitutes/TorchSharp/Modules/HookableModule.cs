namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>A module that tells others of each call, before and after, in the order in which they asked.</summary>
        public class HookableModule<TPreHook, TPostHook> : Module
        {
            private protected readonly OrderedDictionary<string, TPreHook> _preHooks = [];
            private protected readonly OrderedDictionary<string, TPostHook> _postHooks = [];
            private protected readonly OrderedDictionary<string, Action<Module>> _modulePreHooks = [];
            private protected readonly OrderedDictionary<string, Action<Module>> _modulePostHooks = [];

            protected HookableModule(string name) : base(name) { }

            public HookRemover register_forward_hook(TPostHook hook) => Registered(_postHooks, hook);

            public HookRemover register_forward_hook(Action<Module> hook) => Registered(_modulePostHooks, hook);

            public HookRemover register_forward_pre_hook(TPreHook hook) => Registered(_preHooks, hook);

            public HookRemover register_forward_pre_hook(Action<Module> hook) => Registered(_modulePreHooks, hook);

            private HookRemover Registered<THook>(OrderedDictionary<string, THook> hooks, THook hook)
            {
                string key = Guid.NewGuid().ToString();
                hooks.Add(key, hook);
                return new HookRemover(this, key);
            }

            private protected void TellBefore()
            {
                foreach (Action<Module> hook in _modulePreHooks.Values) hook(this);
            }

            private protected void TellAfter()
            {
                foreach (Action<Module> hook in _modulePostHooks.Values) hook(this);
            }

            /// <summary>Takes a hook away again.</summary>
            public class HookRemover
            {
                private readonly HookableModule<TPreHook, TPostHook> _module;
                private readonly string _key;

                public HookRemover(HookableModule<TPreHook, TPostHook> module, string key)
                {
                    _module = module;
                    _key = key;
                }

                public void remove()
                {
                    _module._preHooks.Remove(_key);
                    _module._postHooks.Remove(_key);
                    _module._modulePreHooks.Remove(_key);
                    _module._modulePostHooks.Remove(_key);
                }
            }
        }
    }
}
