"""hnswlib on the load that BenchmarkEngines wrote: one JSON object a line.

usage: hnswlib_bench.py FOLDER DIM CASES
"""

import json
import pathlib
import sys
import time

import hnswlib
import numpy as np


def main(folder: pathlib.Path, dim: int, cases: int) -> None:
    vectors = np.fromfile(folder / "vectors.f32", dtype="<f4").reshape(-1, dim)
    queries = np.fromfile(folder / "queries.f32", dtype="<f4").reshape(-1, dim)
    index = hnswlib.Index(space="ip", dim=dim)
    index.init_index(max_elements=len(vectors), M=16, ef_construction=200, random_seed=1)
    started = time.process_time()
    index.add_items(vectors)
    print(json.dumps({"build_cpu_s": time.process_time() - started}), flush=True)
    for case in range(cases):
        passes = np.fromfile(folder / f"passes-{case}.u8", dtype=np.uint8)
        truth = np.fromfile(folder / f"truth-{case}.u32", dtype="<u4").reshape(len(queries), -1)
        everything = bool(passes.all())
        # A filter is a call into Python for each candidate: few queries will do.
        asked = queries if everything else queries[:50]
        for ef in (100, 200, 400) if everything else (200, 400):
            index.set_ef(ef)
            rounds = 10 if everything else 1
            started = time.process_time()
            for _ in range(rounds):
                found = [ask(index, q, passes, everything) for q in asked]
            seconds = time.process_time() - started
            wanted = [set(t[t != 0xFFFFFFFF]) for t in truth]
            recall = np.mean([len(w & set(f)) / max(len(w), 1) for w, f in zip(wanted, found)])
            print(json.dumps({"case": case, "ef": ef, "recall": recall, "queries_per_cpu_s": rounds * len(asked) / seconds}), flush=True)


def ask(index, query, passes, everything):
    if everything:
        labels, _ = index.knn_query(query, k=10, num_threads=1)
        return labels[0]
    try:
        labels, _ = index.knn_query(query, k=10, num_threads=1, filter=lambda label: passes[label])
        return labels[0]
    except RuntimeError:  # it fails where it finds fewer than k
        return []


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
