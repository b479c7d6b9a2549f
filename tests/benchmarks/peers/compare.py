"""Scores pairs with recordlinkage: `python -m … OFFERS.csv`; prints pairs a second.

Names, the rarest words, size and price, as the matcher compares them.
"""

import json
import sys
import time

import numpy as np
import pandas as pd
import recordlinkage

from tests.benchmarks.peers.preparing import prepared, read

PAIRS = 20_000


def main(source: str) -> None:
    """Score random pairs and print how many a CPU second takes."""
    table = prepared(read(source)).fillna("")
    left, right = np.random.default_rng(1).integers(len(table), size=(2, PAIRS))
    pairs = pd.MultiIndex.from_arrays([left, right])
    compare = recordlinkage.Compare()
    compare.string("name", "name", method="jarowinkler", label="name")
    compare.string("name", "name", method="levenshtein", label="spelling")
    compare.exact("rare_1", "rare_1", label="rarest")
    compare.exact("size", "size", label="size")
    compare.numeric("log_price", "log_price", method="exp", scale=0.15, label="price")
    spent = []
    for _ in range(3):
        began = time.process_time()
        compare.compute(pairs, table)
        spent.append(time.process_time() - began)
    sys.stdout.write(json.dumps({"pairs_a_second": PAIRS / min(spent)}))


if __name__ == "__main__":
    main(sys.argv[1])
