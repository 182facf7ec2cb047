"""Times an epoch of implicit's iALS beside BenchmarkEpoch of this package.

    implicit_bench.py FILE FACTORS ...

FILE has a viewer and an item (two int32, little endian) for each act. Prints a
JSON object a line: factors, cg, wall_s and cpu_s of an epoch, after two to warm up.
"""

import json
import os
import sys
import time

import numpy
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

WARM, EPOCHS = 2, 9

acts = numpy.fromfile(sys.argv[1], dtype="<i4").reshape(-1, 2)
log = csr_matrix((numpy.ones(len(acts), numpy.float32), (acts[:, 0], acts[:, 1])))
log.data[:] = 1  # an item that was met twice counts once
for factors in map(int, sys.argv[2:]):
    for cg in (False, True):
        at = []
        model = AlternatingLeastSquares(
            factors=factors, regularization=0.01, alpha=10, use_cg=cg, iterations=EPOCHS,
            num_threads=os.cpu_count(), random_state=1)
        model.fit(log, show_progress=False, callback=lambda *_: at.append((time.perf_counter(), time.process_time())))
        n = len(at) - WARM
        wall, cpu = ((at[-1][k] - at[WARM - 1][k]) / n for k in (0, 1))
        print(json.dumps({"factors": factors, "cg": cg, "wall_s": wall, "cpu_s": cpu}), flush=True)
