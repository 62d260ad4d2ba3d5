#!/usr/bin/env bash
# install.sh OUTPUT_DIR: puts ONNX Runtime's native library into OUTPUT_DIR as libonnxruntime.so, from the npm package onnxruntime-node
# or from where ONNXRUNTIME says (the library, or a folder that holds it). Does nothing when it is there.
set -euo pipefail
output=$1
version=1.23.2
library=libonnxruntime.so
origin=${ONNXRUNTIME:-onnxruntime-node $version}
if [ -f "$output/$library" ] && [ "$(cat "$output/$library.origin" 2>/dev/null)" = "$origin" ]; then exit 0; fi

if [ -n "${ONNXRUNTIME:-}" ]; then
    source=$ONNXRUNTIME
    [ -d "$source" ] && source=$source/$library
    [ -f "$source" ] || { echo "ONNXRUNTIME names no library: $source" >&2; exit 1; }
else
    case $(uname -m) in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) echo "onnxruntime-node has no library for $(uname -m): set ONNXRUNTIME to the path of one." >&2; exit 1 ;;
    esac
    echo "Installing ONNX Runtime's native library into $output (npm package onnxruntime-node $version)."
    mkdir -p "$output/npm"
    # No scripts: the package's own would fetch CUDA's libraries too.
    npm install --prefix "$output/npm" --ignore-scripts --no-audit --no-fund --silent "onnxruntime-node@$version"
    source=$output/npm/node_modules/onnxruntime-node/bin/napi-v6/linux/$machine/$library.1
fi

mkdir -p "$output"
cp "$source" "$output/$library.part"
mv "$output/$library.part" "$output/$library"
printf '%s' "$origin" > "$output/$library.origin"
rm -rf "$output/npm"
