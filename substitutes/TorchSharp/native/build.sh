#!/usr/bin/env bash
# build.sh OUTPUT_DIR: compiles torchshim.cpp to OUTPUT_DIR/libtorchshim.so against the libtorch that LIBTORCH names (a folder with
# include/ and lib/: a libtorch, or the torch folder of a PyTorch wheel), else Debian's libtorch-dev. Does nothing where that has been done.
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 OUTPUT_DIR" >&2; exit 2; }
source=$(cd "$(dirname "$0")" && pwd)/torchshim.cpp
output=$1/libtorchshim.so
compiler=${CXX:-g++}

if [ -n "${LIBTORCH:-}" ]; then
    include=$LIBTORCH/include
    lib=$(cd "$LIBTORCH/lib" && pwd)
else
    include=/usr/include
    lib=$(dirname "$("$compiler" -print-file-name=libtorch_cpu.so)")
    [ "$lib" = . ] || lib=$(cd "$lib" && pwd)
fi
if [ ! -e "$lib/libtorch_cpu.so" ] || [ ! -e "$include/ATen/core/dispatch/Dispatcher.h" ]; then
    echo "There is no libtorch with headers in '${LIBTORCH:-/usr}': install Debian's libtorch-dev, or let LIBTORCH name a folder with include/ and lib/." >&2
    exit 1
fi

# What the library was built for: the folder, and the libtorch that lay in it then.
target="$lib $(stat -L -c '%s %Y' "$lib/libtorch_cpu.so")"
if [ "$output" -nt "$source" ] && [ "$output" -nt "$0" ] && [ "$(cat "$output.target" 2>/dev/null)" = "$target" ]; then exit 0; fi

# PyTorch's wheels before 2.6 use the C++ library's older strings.
new_strings=0
if grep -q '_ZN3c105ErrorC[0-9A-Za-z_]*7__cxx11' "$lib/libc10.so"; then new_strings=1; fi
# A CUDA build registers its kernels when its library is loaded, which nothing here refers to by name.
libraries=(-Wl,--no-as-needed)
for name in torch_cuda torch_hip torch torch_cpu c10_cuda c10; do
    if [ -e "$lib/lib$name.so" ]; then libraries+=("-l$name"); fi
done

echo "Compiling the C face of libtorch for $lib"
mkdir -p "$1"
made=$(mktemp "$1/libtorchshim.XXXXXX")
trap 'rm -f "$made"' EXIT
"$compiler" -std=c++20 -O2 -fPIC -shared -fvisibility=hidden -D_GLIBCXX_USE_CXX11_ABI=$new_strings \
    -I"$include" -I"$include/torch/csrc/api/include" "$source" -o "$made" \
    -L"$lib" -Wl,-rpath,"$lib" "${libraries[@]}"
chmod 755 "$made"
mv "$made" "$output"
printf '%s' "$target" > "$output.target"
