namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Makes items on worker threads and hands them out in their order. At most <paramref name="depth"/> items are being made or
/// wait, whatever the number of workers.
/// </summary>
/// <param name="count">The number of items.</param>
/// <param name="make">Makes the item of an index; called from several threads at once.</param>
internal sealed class PrefetchQueue<T>(int count, int depth, int workers, Func<int, T> make) where T : IDisposable
{
    /// <summary>
    /// The items in order; each belongs to the caller. An error in <c>make</c> is thrown when its item's turn comes. When the
    /// enumeration ends, early or not, the workers have stopped and items that were not taken are disposed.
    /// </summary>
    public IEnumerable<T> Read(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var free = new SemaphoreSlim(depth);
        var items = new TaskCompletionSource<T>[count];
        for (int i = 0; i < count; i++) items[i] = new TaskCompletionSource<T>();
        int next = -1;
        var threads = new Thread[Math.Min(Math.Min(workers, depth), count)];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Work) { IsBackground = true, Name = "ML.Distillation loader" };
            threads[i].Start();
        }

        int taken = 0;
        try
        {
            while (taken < count)
            {
                T item = items[taken].Task.WaitAsync(cancellation).GetAwaiter().GetResult();

                // Nobody else keeps what belongs to the caller.
                items[taken++] = null!;
                free.Release();
                yield return item;
            }
        }
        finally
        {
            stop.Cancel();
            foreach (Thread thread in threads) thread.Join();
            for (int i = taken; i < count; i++)
            {
                if (items[i].Task.IsCompletedSuccessfully) items[i].Task.Result.Dispose();
            }
        }

        void Work()
        {
            try
            {
                while (true)
                {
                    // A place is free before an index is taken, so the places always belong to the items that are due first.
                    free.Wait(stop.Token);
                    int index = Interlocked.Increment(ref next);
                    if (index >= count) return;
                    Make(index);
                }
            }
            catch (OperationCanceledException)
            {
            }
        }

        void Make(int index)
        {
            try
            {
                items[index].SetResult(make(index));
            }
            catch (Exception exception)
            {
                items[index].SetException(exception);
            }
        }
    }
}
