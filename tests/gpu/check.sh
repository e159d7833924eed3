#!/usr/bin/env bash
# Checks this package on a machine with a GPU, in about 8 minutes:
#
#   tests/gpu/check.sh [--dry-run] [FOLDER]
#
# The machine needs Python, g++ and NVIDIA's driver. A virtual environment gets the package with CuPy for the
# driver's version of CUDA; what the system's Python has already is used, and with WHEELS=FOLDER packages come
# from there, not from the network. Then the tests run that need a GPU, networks are compared bit for bit
# between GPU and CPU, and the benchmarks of docs/performance.md are timed on both.
#
# Each phase has a time limit. Its output is FOLDER/PHASE.log, and a line of FOLDER/results.txt is written
# when it ends, so that one that fails leaves the others. FOLDER is $OUT or gpu-check where it is not
# given. The exit status is 0 if all phases passed. With --dry-run, what needs a GPU is left out, and
# the other phases run, in the environment that PYTHON names.
set -u
cd "$(dirname "$0")/../.."
dry=
if [ "${1:-}" = --dry-run ]; then dry=1; shift; fi
mkdir -p "${1:-${OUT:-gpu-check}}"
out=$(cd "${1:-${OUT:-gpu-check}}" && pwd)
python=${PYTHON:-python3}
failed=0
MOST=470  # s, for all phases together
: >"$out/results.txt"

note() { printf '%s\n' "$*" | tee -a "$out/results.txt"; }

# phase NAME SECONDS COMMAND...
phase() {
  local name=$1 limit=$2 began=$SECONDS status=0 word=passed
  shift 2
  limit=$((limit < MOST - SECONDS ? limit : MOST - SECONDS))
  if [ "$limit" -lt 5 ]; then
    failed=1
    note "$name: not begun, since $MOST s are over"
    return
  fi
  timeout --kill-after=10 "$limit" "$@" >"$out/$name.log" 2>&1 </dev/null || status=$?
  case $status in
    0) ;;
    124 | 137) word="stopped at its limit of $limit s" ;;
    *) word="failed with status $status" ;;
  esac
  [ "$status" = 0 ] || failed=1
  note "$name: $word, $((SECONDS - began)) s"
  [ "$status" = 0 ] || tail -n 20 "$out/$name.log"
}

# The same, for what needs a GPU.
on_gpu() {
  if [ -n "$dry" ]; then note "$1: skipped, since this is a dry run: it needs a GPU"; else phase "$@"; fi
}

install() {
  local cuda extra source=()
  cuda=$(nvidia-smi | sed -n 's/.*CUDA[^0-9]*Version: *\([0-9]*\).*/\1/p' | head -n 1)
  extra=cuda$([ "${cuda:-12}" -ge 13 ] && echo 13 || echo 12)
  if [ -n "${WHEELS:-}" ]; then source=(--no-index --find-links "$WHEELS"); fi
  "$1" -m venv --system-site-packages "$out/venv" &&
    "$out/venv/bin/pip" install "${source[@]}" ".[$extra]" pytest hypothesis
}

one() {  # network, device, duration
  PYNN_SPARSE_DEVICE=$2 "$python" -m pynn_sparse.bench.one_run "$1" sparse --rng native \
    --threads "$(nproc)" --duration "$3"
}

export -f install one
export out
on_gpu machine 20 nvidia-smi
if [ -z "$dry" ]; then
  phase install 150 bash -c "install $python"
  python=$out/venv/bin/python
fi
export python
phase info 60 "$python" -m pynn_sparse.cli info
on_gpu found 30 "$python" -c 'from pynn_sparse.engine import require_cuda; require_cuda()'
phase bits 120 "$python" tests/gpu/same_bits.py ${dry:+--devices cpu cpu --duration 20}
on_gpu device-tests 100 "$python" -m pytest -q -m "gpu and not slow" \
  tests/unit/test_gpu_device.py tests/unit/test_gpu_build.py
on_gpu cupy-options 30 "$python" -m pytest -q \
  tests/unit/test_cuda_compiles.py::test_options_are_what_cupy_passes_on

for network in microcircuit1.0-poisson brunel cuba4000; do
  duration=500
  if [ -n "$dry" ]; then network=cuba4000 duration=10; fi
  on_gpu "$network-cuda" 60 bash -c "one $network cuda $duration"
  phase "$network-cpu" 60 bash -c "one $network cpu $duration"
  if [ -n "$dry" ]; then break; fi
done
for file in "$out"/*-cuda.log "$out"/*-cpu.log; do
  [ -f "$file" ] && printf '%s %s\n' "$(basename "$file" .log)" "$(tail -n 1 "$file")"
done >"$out/figures.txt"
note "$([ "$failed" = 0 ] && echo 'all phases passed' || echo 'there were failures'), $SECONDS s"
exit "$failed"
