#!/usr/bin/env bash
# ./build.sh build|test|demo|bench|paper|accuracy|pack|pack-tools|docs [arguments]
# Builds and runs everything on Linux. Installs what is missing (Debian's apt, as root) and says so; on a machine that
# has everything it installs nothing.
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

# torchvision's side of the benchmark calls whatever BLAS there is, and Debian's reference BLAS takes many times as long as OpenBLAS.
prepare_blas() {
    local blas
    blas=$(ldconfig -p | awk '/libblas\.so\.3 / && !found { found = 1; print $NF }')
    case $(readlink -f "$blas") in
        */blas/libblas.so.3*) (apt_install "" libopenblas0-openmp) || say "Going on with the reference BLAS, which is slow." ;;
    esac
}

# The tests look at the HTML report in a browser; without one they say so and are skipped.
prepare_browser() {
    local name
    for name in chromium chromium-browser google-chrome; do if command -v "$name" >/dev/null; then return; fi; done
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then (apt_install chromium chromium) || true; fi
}

# Tests of several processes need MPI; without it they say so and are skipped.
prepare_mpi() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
    (apt_install mpirun.openmpi openmpi-bin) || true
    (apt_install mpirun.mpich mpich) || true
}

# The server sample's page runs the student in the browser: by onnxruntime-web from the npm registry. Without it the page's test is skipped.
prepare_web() {
    if [ -e artifacts/web/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs ] || ! command -v npm >/dev/null; then return; fi
    persist npm install --prefix artifacts/web --ignore-scripts --no-audit --no-fund --silent onnxruntime-web@1.30.0 || true
}

build() {
    command -v dotnet >/dev/null || { say "The .NET 10 SDK is missing: see https://dot.net" >&2; exit 1; }
    persist dotnet restore --verbosity quiet "$@"
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
        prepare_mpi
        prepare_web
        build
        rm -rf artifacts/test-results
        status=0
        # Test assemblies run side by side: threads of one that wait for work must not take the cores from the other.
        export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
        dotnet test --no-build -c "$configuration" --logger trx --results-directory artifacts/test-results "$@" || status=$?
        if compgen -G 'artifacts/test-results/*.trx' >/dev/null; then list_skipped artifacts/test-results/*.trx; fi
        exit "$status" ;;
    demo)
        build >&2
        dotnet run --no-build -c "$configuration" --project src/Samples/Demo -- "$@" ;;
    bench)
        # What a teacher is worth, one pair of each latency class: about two hours of two cores.
        if [ "${1:-}" = accuracy ]; then
            shift
            build >&2
            exec dotnet run --no-build -c "$configuration" --project research -- accuracy --list research/accuracy-small.txt \
                --data "${DISTILLATION_TEST_DATA:-../shared/data}" --models "${DISTILLATION_TEST_DATA:-../shared/data}/../models" \
                --work artifacts/accuracy --results artifacts/accuracy/results.txt "$@"
        fi
        apt_install /usr/lib/python3/dist-packages/torchvision python3-torchvision
        prepare_blas
        build >&2
        dotnet run --no-build -c "$configuration" --project benchmarks -- "$@" ;;
    paper)
        build >&2
        dotnet run --no-build -c "$configuration" --project research -- "$@" ;;
    accuracy)
        build >&2
        dotnet run --no-build -c "$configuration" --project research -- accuracy "$@" ;;
    pack)
        dotnet pack src/Microsoft.ML.Distillation.Runtime -c "$configuration" -o artifacts/packages --verbosity quiet "$@"
        dotnet pack src/Microsoft.ML.Distillation -c "$configuration" -o artifacts/packages --verbosity quiet "$@"
        dotnet pack templates -c "$configuration" -o artifacts/packages --artifacts-path artifacts/tool --verbosity quiet "$@"
        # The command is packed for this platform, with the libtorch that -p:TorchRuntime=... names (none: it cannot train); in folders of
        # its own, as the repository's other builds may have another.
        dotnet pack src/Microsoft.ML.Distillation.Tool -c "$configuration" -o artifacts/packages --artifacts-path artifacts/tool \
            --verbosity quiet "$@"
        ls artifacts/packages ;;
    pack-tools)
        # The command for all platforms under one id, for a feed: half a gigabyte, and minutes. Add -p:PublishReadyToRun=true where the
        # feed has crossgen2: a first prediction takes a quarter less.
        dotnet pack src/Microsoft.ML.Distillation.Tool -c "$configuration" -o artifacts/packages --artifacts-path artifacts/tools \
            -p:AllPlatforms=true --verbosity quiet "$@"
        ls -l artifacts/packages ;;
    docs)
        # The site of docs/ with the API reference, in artifacts/docs. A link that leads nowhere is an error.
        dotnet build src/Microsoft.ML.Distillation -c "$configuration" --verbosity quiet
        persist dotnet tool restore --verbosity quiet
        dotnet docfx eng/docfx.json --warningsAsErrors "$@"
        say "artifacts/docs/index.html" ;;
    *) say "usage: ./build.sh build|test|demo|bench|paper|accuracy|pack|pack-tools|docs [arguments]" >&2; exit 2 ;;
esac
