#!/usr/bin/env bash
# eng/hostcuda/test.sh [arguments of dotnet test]: runs the tests of the category Gpu without a GPU, on a device of the host's memory
# (hostcuda.cpp). Debian 12, whose libtorch it is for; builds this folder with substitutes/, so use a clone of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
UseSubstitutes=true ./build.sh build
library=$PWD/artifacts/hostcuda.so
if [ ! "$library" -nt eng/hostcuda/hostcuda.cpp ]; then
    "${CXX:-g++}" -std=c++17 -O1 -fPIC -shared eng/hostcuda/hostcuda.cpp -o "$library" -Wl,--no-as-needed -ltorch_cpu -lc10
fi
[ $# -gt 0 ] || set -- --filter TestCategory=Gpu
UseSubstitutes=true LD_PRELOAD=$library dotnet test --no-build -c "${CONFIGURATION:-Release}" "$@"
