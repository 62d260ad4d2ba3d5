namespace TorchSharp;

// Modules of one to three inputs. Each call tells the hooks, which may change what goes in and what comes out.
public static partial class torch
{
    public static partial class nn
    {
        public interface IModule<T, TResult>
        {
            TResult call(T input1);
        }

        public interface IModule<T1, T2, TResult>
        {
            TResult call(T1 input1, T2 input2);
        }

        public interface IModule<T1, T2, T3, TResult>
        {
            TResult call(T1 input1, T2 input2, T3 input3);
        }

        public abstract class Module<T, TResult> : HookableModule<Func<Module<T, TResult>, T, T>, Func<Module<T, TResult>, T, TResult, TResult>>, IModule<T, TResult>
        {
            protected Module(string name) : base(name) { }

            public abstract TResult forward(T input);

            public TResult call(T input)
            {
                TellBefore();
                foreach (var hook in _preHooks.Values)
                {
                    if (hook(this, input) is T changed) input = changed;
                }

                TResult result = forward(input);
                TellAfter();
                foreach (var hook in _postHooks.Values)
                {
                    if (hook(this, input, result) is TResult changed) result = changed;
                }

                return result;
            }
        }

        public abstract class Module<T1, T2, TResult> : HookableModule<Func<Module<T1, T2, TResult>, T1, T2, (T1, T2)?>, Func<Module<T1, T2, TResult>, T1, T2, TResult, TResult>>, IModule<T1, T2, TResult>
        {
            protected Module(string name) : base(name) { }

            public abstract TResult forward(T1 input1, T2 input2);

            public TResult call(T1 input1, T2 input2)
            {
                TellBefore();
                foreach (var hook in _preHooks.Values)
                {
                    if (hook(this, input1, input2) is (T1 changed1, T2 changed2)) (input1, input2) = (changed1, changed2);
                }

                TResult result = forward(input1, input2);
                TellAfter();
                foreach (var hook in _postHooks.Values)
                {
                    if (hook(this, input1, input2, result) is TResult changed) result = changed;
                }

                return result;
            }
        }

        public abstract class Module<T1, T2, T3, TResult> : HookableModule<Func<Module<T1, T2, T3, TResult>, T1, T2, T3, (T1, T2, T3)?>, Func<Module<T1, T2, T3, TResult>, T1, T2, T3, TResult, TResult>>, IModule<T1, T2, T3, TResult>
        {
            protected Module(string name) : base(name) { }

            public abstract TResult forward(T1 input1, T2 input2, T3 input3);

            public TResult call(T1 input1, T2 input2, T3 input3)
            {
                TellBefore();
                foreach (var hook in _preHooks.Values)
                {
                    if (hook(this, input1, input2, input3) is (T1 changed1, T2 changed2, T3 changed3)) (input1, input2, input3) = (changed1, changed2, changed3);
                }

                TResult result = forward(input1, input2, input3);
                TellAfter();
                foreach (var hook in _postHooks.Values)
                {
                    if (hook(this, input1, input2, input3, result) is TResult changed) result = changed;
                }

                return result;
            }
        }
    }
}
