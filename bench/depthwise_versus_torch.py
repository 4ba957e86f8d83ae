"""Depthwise convolutions: limn and PyTorch (channels_last) in turn, on the same machine and threads.

Run by bench/run.sh after limn's programs are built. ratio is PyTorch over limn: above 1 limn is faster.
"""

import json
import os
import statistics
import subprocess
import sys
import time

try:
    import torch
except ImportError:
    for python in ("/usr/bin/python3",):  # Debian's own has the package python3-torch
        if sys.executable != python and os.path.exists(python) and "LIMN_BENCH_CHILD" not in os.environ:
            os.environ["LIMN_BENCH_CHILD"] = "1"
            os.execv(python, [python, *sys.argv])
    sys.exit(77)

PROGRAM = os.environ.get("LIMN_BENCH_DEPTHWISE", "build/bench/bench/bench_depthwise")
#         name              c   side stride kernel
LAYERS = [("dw3x3_64_56", 64, 56, 1, 3), ("dw3x3_256_14", 256, 14, 1, 3), ("dw3x3s2_64_56", 64, 56, 2, 3),
          ("dw3x3s2_256_14", 256, 14, 2, 3), ("dw5x5_64_56", 64, 56, 1, 5), ("dw7x7_256_14", 256, 14, 1, 7)]


def milliseconds(f, repeats):
    f()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def peers(batch, repeats):
    """Milliseconds of every case in PyTorch."""
    out = {}
    for name, c, side, stride, kernel in LAYERS:
        last, pad = torch.channels_last, kernel // 2
        x = torch.randn(batch, c, side, side).to(memory_format=last)
        w = torch.randn(c, 1, kernel, kernel).to(memory_format=last)
        forward = lambda: torch.nn.functional.conv2d(x, w, None, stride, pad, 1, c)
        up = torch.randn_like(forward())
        back = lambda mask: torch.ops.aten.convolution_backward(up, x, w, None, [stride] * 2, [pad] * 2, [1, 1], False,
                                                                [0, 0], c, mask)
        out[f"{name} forward"] = milliseconds(forward, repeats)
        out[f"{name} input"] = milliseconds(lambda: back([True, False, False]), repeats)
        out[f"{name} weight"] = milliseconds(lambda: back([False, True, False]), max(3, repeats // 4))
    return out


def main():
    quick = "--quick" in sys.argv
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
    rounds, repeats, batch = (1, 3, 2) if quick else (3, 41, 8)
    limn, torches = {}, {}
    with torch.no_grad():
        for _ in range(rounds):
            command = [PROGRAM] + (["--quick"] if quick else [])
            for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
                row = json.loads(line)
                limn.setdefault(row["case"], []).append((row["limn_ms"], row["share_of_peak"]))
            for case, value in peers(batch, repeats).items():
                torches.setdefault(case, []).append(value)
    for case, values in limn.items():
        ours, theirs = statistics.median(v[0] for v in values), statistics.median(torches[case])
        print(json.dumps({"bench": "depthwise_versus_torch", "case": case, "limn_ms": round(ours, 4),
                          "peer": f"PyTorch {torch.__version__} channels_last", "peer_ms": round(theirs, 4),
                          "ratio": round(theirs / ours, 2), "limn_mb": None, "peer_mb": None,
                          "share_of_peak": round(statistics.median(v[1] for v in values), 2)}))


main()
