#!/usr/bin/env bash
# ./build.sh build|test|demo|bench|pack [arguments]
# Builds and runs everything on Linux. Installs what is missing (Debian's apt, as root) and says so; on a machine that
# has everything it installs nothing. Keeps its own state in artifacts/ only.
set -euo pipefail
cd "$(dirname "$0")"
configuration=${CONFIGURATION:-Release}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '%s\n' "$*"; }

# persist COMMAND...: tries a command that needs the network three times; feeds and mirrors have bad moments.
persist() {
    local attempt
    for attempt in 1 2 3; do
        if "$@"; then return 0; fi
        [ "$attempt" = 3 ] || { say "Failed: $*. Trying again in ${attempt}0 seconds." >&2; sleep "${attempt}0"; }
    done
    return 1
}

# Restores the packages: from the feeds, or, where they do not answer, from what this machine has of them already; where neither has
# Microsoft.ML and TorchSharp, substitutes/ takes their place. UseSubstitutes=true or false decides it. What was decided is written to
# artifacts/dependencies.props, which 'dotnet build', 'dotnet test' and an IDE heed too.
restore() {
    local wanted=${UseSubstitutes:-}
    if [ "$wanted" != true ]; then
        decide false
        if persist dotnet restore --verbosity quiet -p:UseSubstitutes=false || restore_offline; then return 0; fi
        [ "$wanted" != false ] || return 1
        say "The packages cannot be had: building with substitutes/ in their place."
    fi
    [ "$(uname -s)" = Linux ] || { say "substitutes/ is for Linux." >&2; return 1; }
    apt_install g++ g++
    apt_install npm npm
    apt_install "${LIBTORCH:-/usr/include/ATen}" libtorch-dev
    [ -n "${LIBTORCH:-}" ] || prepare_blas
    ldconfig -p | grep libgdk_pixbuf-2.0.so.0 >/dev/null || apt_install libgdk-pixbuf libgdk-pixbuf-2.0-0
    substitutes/TorchSharp/native/build.sh artifacts/substitutes
    substitutes/Microsoft.ML.OnnxRuntime/native/install.sh artifacts/substitutes
    decide true
    persist dotnet restore --verbosity quiet -p:UseSubstitutes=true
}

restore_offline() {
    local cache
    cache=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
    say "The feeds do not answer: trying the packages that this machine has." >&2
    dotnet restore --verbosity quiet --source "$cache" -p:UseSubstitutes=false
}

decide() {
    mkdir -p artifacts
    printf '<Project>\n  <PropertyGroup>\n    <UseSubstitutes>%s</UseSubstitutes>\n  </PropertyGroup>\n</Project>\n' "$1" > artifacts/dependencies.props
    export UseSubstitutes=$1
}

# apt_install COMMAND_OR_FILE PACKAGE...: installs the packages unless the command or file is there.
apt_install() {
    local wanted=$1; shift
    if command -v "$wanted" >/dev/null 2>&1 || [ -e "$wanted" ]; then return; fi
    say "Installing from Debian's packages: $*"
    if ! { persist apt-get update -qq && DEBIAN_FRONTEND=noninteractive persist apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }; then
        say "Could not install $*. Run this as root, or install them yourself." >&2
        exit 1
    fi
}

# Debian's libtorch calls whatever BLAS there is, and Debian's reference BLAS takes many times as long as OpenBLAS.
prepare_blas() {
    local blas
    blas=$(ldconfig -p | awk '/libblas\.so\.3 / && !found { found = 1; print $NF }')
    case $(readlink -f "$blas") in
        */blas/libblas.so.3*) (apt_install "" libopenblas0-openmp) || say "Going on with the reference BLAS, which is slow." ;;
    esac
}

# TorchSharp's native library wants GCC 13's C++ runtime; eng/libstdcxx makes a copy that loads on older ones.
prepare_native() {
    [ "$(uname -s)" = Linux ] && [ "$UseSubstitutes" = false ] || return 0
    local runtime
    # Read to the end: leaving early breaks ldconfig's pipe, which counts as a failure.
    runtime=$(ldconfig -p | awk '/libstdc\+\+\.so\.6 / && !found { print $NF; found = 1 }')
    if [ -z "$runtime" ] || grep -q GLIBCXX_3.4.32 "$runtime"; then rm -rf artifacts/native; return 0; fi
    local package library
    package=$(dotnet msbuild src/Microsoft.ML.Distillation -getProperty:PkgTorchSharp)
    library=$package/runtimes/linux-x64/native/libLibTorchSharp.so
    if [ ! -f "$library" ] || [ "$(cat artifacts/native/source 2>/dev/null)" = "$library" ]; then return 0; fi
    apt_install g++ g++
    apt_install patchelf patchelf
    say "This machine's C++ runtime is older than GCC 13: making TorchSharp's native library load with it (eng/libstdcxx)."
    eng/libstdcxx/install.sh "$library" artifacts/native
    printf '%s' "$library" > artifacts/native/source
}

# The tests look at the HTML report in a browser; without one they say so and are skipped.
prepare_browser() {
    local name
    for name in chromium chromium-browser google-chrome; do if command -v "$name" >/dev/null; then return; fi; done
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then (apt_install chromium chromium) || true; fi
}

build() {
    command -v dotnet >/dev/null || { say "The .NET 10 SDK is missing: see https://dot.net" >&2; exit 1; }
    restore
    prepare_native
    dotnet build --no-restore -c "$configuration" --verbosity quiet -clp:Summary "$@"
}

# Why tests were skipped: dotnet test names them without.
list_skipped() {
    awk '
        function text(s) { gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s); gsub(/&quot;/, "\"", s); gsub(/&amp;/, "\\&", s); return s }
        /<UnitTestResult / { name = $0; sub(/.* testName="/, "", name); sub(/" .*/, "", name); skipped = /outcome="NotExecuted"/ }
        skipped && /<Message>/ {
            reason = $0; sub(/.*<Message>/, "", reason); sub(/<\/Message>.*/, "", reason)
            if (!count++) print "\nSkipped, and why:"
            print "  " text(name) ": " text(reason)
        }' "$@"
}

verb=${1:-}
[ $# -gt 0 ] && shift
case $verb in
    build) build "$@" ;;
    test)
        prepare_browser
        build
        rm -rf artifacts/test-results
        status=0
        dotnet test --no-build -c "$configuration" --logger trx --results-directory artifacts/test-results "$@" || status=$?
        if compgen -G 'artifacts/test-results/*.trx' >/dev/null; then list_skipped artifacts/test-results/*.trx; fi
        exit "$status" ;;
    demo)
        build >&2
        dotnet run --no-build -c "$configuration" --project src/Samples/Demo -- "$@" ;;
    bench)
        apt_install /usr/lib/python3/dist-packages/torchvision python3-torchvision
        prepare_blas
        build >&2
        dotnet run --no-build -c "$configuration" --project benchmarks -- "$@" ;;
    pack)
        export UseSubstitutes=false
        restore
        dotnet pack src/Microsoft.ML.Distillation -c "$configuration" -o artifacts/packages --verbosity quiet "$@"
        # The command is packed for this platform, with the libtorch that -p:TorchRuntime=... names (none: it cannot train); in folders of
        # its own, as the repository's other builds may have another.
        case "$*" in *TorchRuntime=none*) ;; *) prepare_native ;; esac
        dotnet pack src/Microsoft.ML.Distillation.Tool -c "$configuration" -o artifacts/packages --artifacts-path artifacts/tool \
            --verbosity quiet "$@"
        ls artifacts/packages ;;
    *) say "usage: ./build.sh build|test|demo|bench|pack [arguments]" >&2; exit 2 ;;
esac
