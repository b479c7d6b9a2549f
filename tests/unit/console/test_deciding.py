"""What the console sends for a decision on duplicates, and for taking it back."""

import json
import subprocess
from pathlib import Path
from typing import Any

CONSOLE = Path(__file__).resolve().parents[3] / "console"
# Runs a decision with the API's answers in the place of the network, and tells what was sent.
RUN = """
const [path, given] = process.argv.slice(1);
const { kind, products, pairs, ticked, answers, again } = JSON.parse(given);
const sent = [];
globalThis.fetch = async (path, { body }) => {
  const made = JSON.parse(body);
  sent.push([path.split('/').at(-1), made]);
  const found = answers.find((x) => JSON.stringify(x.body) === JSON.stringify(made));
  const { status = 200, answer = {} } = found ?? answers.find((x) => !x.body) ?? {};
  return new Response(JSON.stringify(answer), { status });
};
const deciding = await import(path);
const doing = deciding[kind]({ products, pairs }, new Set(ticked), ticked[0]);
let refused = null;
let back = null;
try {
  back = await doing.act(again);
} catch (error) {
  refused = { status: error.status, overrulable: error.overrulable };
}
const acted = sent.splice(0);
if (back) await back();
console.log(JSON.stringify({ acted, refused, undone: back ? sent : null }));
"""


def run(  # noqa: PLR0913 - what a decision rests on
    kind: str,
    ticked: str,
    offers: dict[str, str | None],
    *,
    same: str = "",
    answers: list[dict[str, Any]] | None = None,
    again: bool = False,
) -> dict[str, Any]:
    given = {
        "kind": kind,
        "products": [{"id": pid, "group_id": group_id} for pid, group_id in offers.items()],
        "pairs": [{"a": same[0], "b": same[1], "decision": "same"}] if same else [],
        "ticked": list(ticked),
        "answers": answers or [],
        "again": again,
    }
    module = (CONSOLE / "js/screens/duplicates_deciding.js").as_uri()
    command = ["node", "--experimental-default-type=module", "--input-type=module", "-e", RUN]
    done = subprocess.run(  # noqa: S603 - our own script
        [*command, module, json.dumps(given)], capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def said(calls: list[list[Any]]) -> set[tuple[str, str, bool]]:
    """The pairs that calls to decide are about, and whether they are the same."""
    found = set()
    for name, body in calls:
        assert name == "decide"
        same, different = body["same"], body["different"]
        found |= {(*sorted((a, b)), True) for i, a in enumerate(same) for b in same[i + 1 :]}
        found |= {(*sorted((a, b)), False) for a in same for b in different}
    return found


MERGED = {"a": "g", "b": "g", "c": None}


def test_undo_takes_out_what_its_own_merge_brought_in_and_nothing_else() -> None:
    answer = {"answer": {"group_id": "g", "added": ["c"]}}
    told = run("merge", "abc", dict.fromkeys("abc"), answers=[answer])
    assert told["acted"] == [["merge", {"primary_id": "a", "duplicate_ids": ["b", "c"]}]]
    assert told["undone"] == [["unmerge", {"group_id": "g", "product_ids": ["c"]}]]
    # It may have brought in nothing: others were quicker.
    answer = {"answer": {"group_id": "g", "added": []}}
    assert run("merge", "abc", MERGED, answers=[answer])["undone"] is None


def test_of_merged_offers_nothing_is_said_among_each_other() -> None:
    for kind, same in (("different", False), ("same", True)):
        told = run(kind, "abc", MERGED)
        assert said(told["acted"]) == {("a", "c", same), ("b", "c", same)}
        ((name, body),) = told["undone"]
        assert name == "reopen"
        assert {tuple(sorted(pair)) for pair in body["pairs"]} == {("a", "c"), ("b", "c")}
    two = MERGED | {"d": "h", "e": "h"}
    crossing = {(a, b, True) for a, b in ("ac", "bc", "ad", "ae", "bd", "be", "cd", "ce")}
    assert said(run("same", "abcde", two)["acted"]) == crossing
    apart = run("same", "abc", two)["acted"]
    assert said(apart) == {
        *((a, b, False) for a in "abc" for b in "de"),
        ("a", "c", True),
        ("b", "c", True),
    }


def test_an_opposite_word_is_overruled_when_said_again_and_comes_back() -> None:
    offers = dict.fromkeys("abc")
    refusal = {"status": 409, "answer": {"detail": "were said not to be the same"}}
    told = run("same", "abc", offers, answers=[refusal])
    assert (told["refused"], told["undone"]) == ({"status": 409, "overrulable": True}, None)

    refused = {"body": {"same": ["a", "b"], "different": []}, "status": 409}
    told = run("same", "abc", offers, same="bc", answers=[refused], again=True)
    overruling = [body for _, body in told["acted"] if body.get("overrule")]
    assert overruling == [{"same": ["a", "b"], "different": [], "overrule": True}]
    assert told["undone"] == [
        ["reopen", {"pairs": [["a", "c"]]}],
        ["decide", {"same": ["a"], "different": ["b"], "overrule": True}],
        ["decide", {"same": ["b", "c"], "different": [], "overrule": True}],
    ]
    # What overruling does not help with is asked no third time.
    told = run("same", "abc", offers, answers=[refusal], again=True)
    assert told["refused"] == {"status": 409, "overrulable": False}
