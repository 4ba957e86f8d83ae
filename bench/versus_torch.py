"""ResNet-18 training step: limn and PyTorch in turn, on the same machine, threads, batch and size.

Run by bench/run.sh after limn's programs are built. PyTorch runs as it comes (contiguous) and channels_last.
Ratios are limn over PyTorch: below 1 limn is faster.
"""

import json
import os
import statistics
import subprocess
import sys
import time

try:
    import torch
    import torchvision
except ImportError:
    for python in ("/usr/bin/python3",):  # Debian's own has the packages python3-torch and python3-torchvision
        if sys.executable != python and os.path.exists(python) and "LIMN_BENCH_CHILD" not in os.environ:
            os.environ["LIMN_BENCH_CHILD"] = "1"
            os.execv(python, [python, *sys.argv])
    sys.exit(77)

PROGRAM = "build/bench/bench/bench_training_step"


def torch_step(batch, size, channels_last, repeats):
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    net = torchvision.models.resnet18(weights=None, num_classes=2).to(memory_format=layout)
    optimizer = torch.optim.Adam(net.parameters(), 1e-4)
    x = torch.randn(batch, 3, size, size).to(memory_format=layout)
    y = torch.arange(batch) % 2
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def main():
    quick = "--quick" in sys.argv
    threads = os.cpu_count()
    torch.set_num_threads(threads)
    rounds, repeats = (1, 2) if quick else (3, 5)
    limn, peers = {}, {}
    for _ in range(rounds):
        arguments = [PROGRAM] + (["--quick"] if quick else [])
        for line in subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.splitlines():
            row = json.loads(line)
            limn.setdefault((row["case"], row["batch"], row["size"]), []).append(row["limn_ms"])
        for _, batch, size in sorted({key for key in limn if key[0] == "resnet18"}):
            for last in (False, True):
                peers.setdefault((batch, size, last), []).append(torch_step(batch, size, last, repeats))
    print(f"PyTorch {torch.__version__}, {threads} threads, medians of {rounds} rounds")
    for (case, batch, size), values in limn.items():
        for last in (False, True):
            ours, theirs = statistics.median(values), statistics.median(peers[batch, size, last])
            print(json.dumps({"bench": "versus_torch", "case": f"{case}_b{batch}_{size}", "limn_ms": round(ours, 1),
                              "peer": "torch channels_last" if last else "torch", "peer_ms": round(theirs, 1),
                              "limn_over_peer": round(ours / theirs, 2)}))


main()
