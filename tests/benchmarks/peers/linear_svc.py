"""Classifies texts with a LinearSVC over TF-IDF: `python linear_svc.py TASKS.json`.

Run in the peers' own environment. A task has `told`, pairs of text and category, and `asked`, such
pairs too; what is printed is the share of right answers of each task, in percent.
"""

import json
import sys
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC


def accuracy(told: list[list[str]], asked: list[list[str]]) -> float:
    """By words alone and in pairs, and by parts of words of two to five letters."""
    model = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        ),
        LinearSVC(),
    )
    model.fit(*zip(*told, strict=True))
    texts, categories = zip(*asked, strict=True)
    return 100 * float(model.score(texts, categories))


if __name__ == "__main__":
    tasks = json.loads(Path(sys.argv[1]).read_text())
    sys.stdout.write(json.dumps([accuracy(**task) for task in tasks]))
