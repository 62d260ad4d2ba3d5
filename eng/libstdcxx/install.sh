#!/usr/bin/env bash
# install.sh LIBRARY OUTPUT_DIR: makes TorchSharp's native library load on a Linux whose C++ runtime is older than
# GCC 13 (Debian 12, Ubuntu 22.04).
#
# libLibTorchSharp.so is built with GCC 13 and asks libstdc++.so.6 for the version GLIBCXX_3.4.32, of which it uses one
# function, an empty one for our purposes. This script writes to OUTPUT_DIR a copy of LIBRARY in which that version is
# optional, and a library of one function beside it. Nothing else of the package is touched. Needs g++ and patchelf.
set -euo pipefail
library=$1 out=$2 here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
g++ -O1 -shared -fPIC -Wl,-soname,libstdcxx_ios_init.so -o "$work/libstdcxx_ios_init.so" "$here/ios_init.cpp"
g++ -O1 -o "$work/weaken" "$here/weaken.cpp"
cp "$library" "$work/libLibTorchSharp.so"
chmod u+w "$work/libLibTorchSharp.so"
patchelf --add-needed libstdcxx_ios_init.so "$work/libLibTorchSharp.so"
"$work/weaken" "$work/libLibTorchSharp.so" GLIBCXX_3.4.32
mkdir -p "$out"
mv "$work/libstdcxx_ios_init.so" "$work/libLibTorchSharp.so" "$out/"
