"""Links two retailers' offers with Splink: `python -m … OFFERS.csv FOUND.csv`.

Run in the peers' own environment. It is timed from rows as shops write them: its own preparation
(`preparing.py`), training and prediction, each told apart.
"""

import csv
import json
import logging
import sys
import time
from pathlib import Path

from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_level_library as cll
from splink import comparison_library as cl

from tests.benchmarks.peers.preparing import prepared, read

RULES = [
    block_on("rare_1", "rare_2"),
    block_on("rare_1", "rare_3"),
    block_on("rare_2", "rare_3"),
    "l.rare_1 = r.rare_2 and l.rare_2 = r.rare_3",
    "l.rare_2 = r.rare_1 and l.rare_3 = r.rare_2",
    "l.rare_1 = r.rare_2 and l.rare_3 = r.rare_3",
    "l.rare_2 = r.rare_1 and l.rare_3 = r.rare_3",
    block_on("rare_1", "price_band"),
    block_on("rare_2", "price_band"),
    block_on("rare_1", "size"),
]


def settings() -> SettingsCreator:
    """Words in common, the rarest word and the size with their frequencies, and the price."""
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="offer",
        blocking_rules_to_generate_predictions=RULES,
        comparisons=[
            cl.ArrayIntersectAtSizes("words", [5, 4, 3, 2]),
            cl.ExactMatch("rare_1").configure(term_frequency_adjustments=True),
            cl.ExactMatch("size").configure(term_frequency_adjustments=True),
            cl.CustomComparison(
                output_column_name="log_price",
                comparison_levels=[
                    cll.NullLevel("log_price"),
                    cll.AbsoluteDifferenceLevel("log_price", 0.02),
                    cll.AbsoluteDifferenceLevel("log_price", 0.1),
                    cll.AbsoluteDifferenceLevel("log_price", 0.25),
                    cll.ElseLevel(),
                ],
            ),
        ],
    )


def main(source: str, target: str) -> None:
    """Write the best partner of each offer, and print CPU seconds and the peak in megabytes."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    rows = read(source)
    # DuckDB's threads, one for each core, are counted together: the clock on the wall tells more.
    began, started = time.process_time(), time.perf_counter()
    table = prepared(rows)
    prepared_seconds = time.process_time() - began
    sides = [part.reset_index(drop=True) for _, part in table.groupby("retailer")]
    api = DuckDBAPI()
    linker = Linker(
        [api.register(side, dataset_display_name=f"side_{n}") for n, side in enumerate(sides)],
        settings(),
    )
    linker.training.estimate_probability_two_random_records_match(
        [block_on("name", "size")], recall=0.3
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for rule in (block_on("rare_1", "rare_2"), block_on("rare_2", "rare_3")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    trained = time.process_time()
    found = linker.inference.predict(threshold_match_probability=0.1)
    pairs = found.as_pandas_dataframe()[["offer_l", "offer_r", "match_weight"]]
    seconds, after = time.process_time() - began, time.process_time() - trained
    wall = time.perf_counter() - started
    pairs.to_csv(target, index=False, quoting=csv.QUOTE_MINIMAL)
    # `ru_maxrss` would hold what the process had that started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1000
    told = {
        "seconds": seconds,
        "wall_seconds": wall,
        "prepared_seconds": prepared_seconds,
        "prediction_seconds": after,
        "megabytes": peak,
        "pairs": len(pairs),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
