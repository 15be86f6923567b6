from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mtl_helpers.gates import GateLevel, GateRecord
from mtl_helpers.plots.style import task_colour
from mtl_helpers.widgets import CourseWidget, FusionDesk, GateExplorer
from mtl_helpers.widgets.base import FOLDER, STATE, pack
from mtl_helpers.widgets.fusion_desk import choose_colours
from mtl_helpers.widgets.gate_picture import expert_order, gate_colours, gate_order

HOSTILE = "</script><img src=x onerror=alert(1)>"


def make_record(model: str = "MMoE", tasks: tuple[str, ...] = ("click", "like"), seeds: int = 2) -> GateRecord:
    random = np.random.default_rng(1)
    logits = random.normal(size=(seeds, 3, len(tasks), 2, 4))
    weights = (np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)).astype(np.float32)
    level = GateLevel(tasks, tuple(f"expert {i + 1}" for i in range(4)), weights)
    scores = {task: random.random((seeds, 3)).astype(np.float32) for task in tasks}
    ablation = {task: (random.normal(size=(seeds, 4)).astype(np.float32) / 100,) for task in tasks}
    names = dict.fromkeys(tasks, "auc")
    return GateRecord(
        model, tasks, ("new", "old"), (0, 1, 2), tuple(range(seeds)), (level,), scores, names, ablation=ablation
    )


def unpack(packed: dict) -> np.ndarray:
    """Does what unpack of base.js does."""
    halves = np.frombuffer(zlib.decompress(base64.b64decode(packed["bytes"])), np.uint8).astype(int)
    low, high = np.split(halves, 2)
    steps = low + 256 * high
    steps = np.where(steps % 2 == 1, -(steps + 1) // 2, steps // 2).reshape(packed["shape"])
    return packed["low"] + packed["step"] * np.cumsum(steps, axis=-1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 4), st.integers(1, 20), st.floats(1e-3, 1e6))
def test_packing_keeps_numbers_to_half_a_step(seed: int, rows: int, columns: int, scale: float) -> None:
    values = np.random.default_rng(seed).normal(size=(rows, columns)) * scale
    packed = pack(values)
    np.testing.assert_allclose(unpack(packed), values, atol=packed["step"] * 0.51)
    assert packed["step"] <= max(np.ptp(values) / 30_000, 0) or np.ptp(values) == 0


def test_steps_are_kept_and_json_holds_them() -> None:
    packed = json.loads(json.dumps(pack(np.array([[0.0, 1.0, 0.25]]), step=0.001)))
    np.testing.assert_allclose(unpack(packed), [[0, 1, 0.25]], atol=1e-9)


def test_the_explorer_holds_the_recorded_weights_scores_and_ablation() -> None:
    record = make_record()
    data = GateExplorer(record).data
    level = data["models"][0]["levels"][0]
    weights = unpack(level["weights"])  # seeds, places, gates, experts, epochs
    wanted = record.levels[0].weights.transpose(0, 3, 2, 4, 1)
    np.testing.assert_allclose(weights[:, :2], wanted, atol=6e-4)
    np.testing.assert_allclose(weights[:, 2], wanted.mean(axis=1), atol=6e-4)
    assert data["groups"] == ["new", "old", "all segments (mean)"]
    np.testing.assert_allclose(unpack(level["ablation"])[1], record.ablation["like"][0], atol=1e-4)
    np.testing.assert_allclose(unpack(data["models"][0]["scores"])[0], record.scores["click"], atol=1e-4)


def test_records_come_as_study_record_list_or_dict() -> None:
    mmoe, ple = make_record(), make_record("PLE")
    for given_ in (SimpleNamespace(gates={"MMoE": mmoe, "PLE": ple}), [mmoe, ple], {"MMoE": mmoe, "PLE": ple}):
        assert list(GateExplorer(given_).records) == ["MMoE", "PLE"]
    assert list(GateExplorer(mmoe).records) == ["MMoE"]
    assert list(GateExplorer([mmoe, ple], models=["PLE"]).records) == ["PLE"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (({},), ValueError, "records is empty; run study"),
        ((SimpleNamespace(gates={}),), ValueError, "records is empty"),
        (([],), ValueError, "records is empty"),
        ((3,), TypeError, "records=<int> holds no GateRecords"),
        ((["MMoE"],), TypeError, "records=<list of str> is not a list of GateRecords"),
        (({"MMoE": 3},), TypeError, "holds no GateRecords"),
        (([make_record(), make_record()],), ValueError, "two are named alike"),
        ((make_record(tasks=("click",)),), ValueError, "has the single task 'click'"),
        (([make_record(), make_record("PLE", seeds=3)],), ValueError, r"records\['PLE'\].seeds=\(0, 1, 2\) but 'MMoE'"),
        (([make_record(), make_record("PLE", ("click", "pay"))],), ValueError, r"\.tasks="),
        ((make_record(), ["PLE"]), ValueError, r"models=\['PLE'\]: unknown \['PLE'\]"),
        ((make_record(), "PLE"), ValueError, r"models=\['PLE'\]: unknown \['PLE'\]"),
        ((make_record(), None, 3), ValueError, "epoch=3 is not one of the 3 recorded"),
        ((make_record(), None, 0, 2), ValueError, "group=2 is not one of the 2"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(arguments: tuple, error: type, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        GateExplorer(*arguments)
    assert "\n" not in str(caught.value)


def test_saved_files_are_whole_small_and_hold_no_label_as_markup(tmp_path: Path) -> None:
    record = dataclasses.replace(make_record(HOSTILE), groups=(HOSTILE, "old"))
    path = GateExplorer({HOSTILE: record}).save_html(tmp_path / "gates.html")
    text = path.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["gates.html"]
    assert "<img" not in text
    assert text.count("</script>") == 2
    assert "%%" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    state = re.search(r'id="state">(.*?)</script>', text, re.DOTALL)[1]
    assert json.loads(state)["data"]["groups"][0] == HOSTILE
    assert json.loads(state)["live"] is False
    assert not re.search(r"(src|href)=|https?://(?!www\.w3\.org)", text.replace(state, ""))


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gates.html"
    path.write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        GateExplorer(make_record()).save_html(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_large_record_of_the_course_is_small_enough(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def walk(gates: int, experts: int, places: int) -> np.ndarray:
        logits = np.cumsum(random.normal(size=(10, 21, gates, places, experts)) * 0.15, axis=1)
        return (np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)).astype(np.float32)

    tasks, groups = ("click", "finish"), tuple(f"segment {i}" for i in range(8))

    def record(name: str, gates: tuple[tuple[str, ...], ...]) -> GateRecord:
        experts = tuple(f"expert {i}" for i in range(8))
        levels = tuple(GateLevel(each, experts, walk(len(each), 8, 8)) for each in gates)
        scores = {task: random.random((10, 21)).astype(np.float32) for task in tasks}
        examples = tuple(walk(len(each), 8, 8) for each in gates)
        names, seeds = tuple(f"row {i}" for i in range(8)), tuple(range(10))
        metrics = dict.fromkeys(tasks, "auc")
        return GateRecord(name, tasks, groups, tuple(range(21)), seeds, levels, scores, metrics, examples, names)

    shared = (*tasks, "shared")
    records = [record("MMoE", (tasks,)), record("CGC", (tasks,)), record("PLE", (shared, tasks))]
    assert GateExplorer(records).save_html(tmp_path / "gates.html").stat().st_size < 400_000


def test_where_nothing_moves_there_is_a_picture_with_words() -> None:
    data, metadata = GateExplorer([make_record(), make_record("PLE")])._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).width > 500
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert data[STATE]["widget"] == "GateExplorer"
    assert json.loads(json.dumps(data[STATE]["data"]))["tasks"] == ["click", "like"]
    best = make_record().levels[0].weights[0, 2, 0, 0]
    assert f"the gate of click to expert {best.argmax() + 1} ({best.max():.2f})" in data["text/plain"]


def test_every_gate_has_a_colour_of_its_own() -> None:
    tasks = ("click", "finish", "like", "share", "follow", "comment", "pay", "return")
    colours = gate_colours([make_record(tasks=tasks)])
    assert len(set(colours.values())) == len(tasks)
    assert gate_colours([make_record(tasks=("shared", "click"))])["shared"] == "#767676"


def test_private_experts_stand_beside_their_gate_and_shared_ones_between() -> None:
    level = GateLevel(("click", "like", "shared"), ("click 1", "like 1", "like 2", "shared 1"), np.empty(0))
    assert gate_order(level) == [0, 2, 1]
    assert expert_order(level) == [0, 3, 1, 2]


def messages_of(widget: CourseWidget, content: dict) -> list[dict]:
    sent: list[dict] = []
    widget.send = sent.append
    widget._answer(None, content, None)
    return sent


def test_a_callback_computes_what_was_not_recorded() -> None:
    asked = []

    def ablate(model: str, seed: int, level: int, expert: int) -> dict[str, float]:
        asked.append((model, seed, level, expert))
        return {"click": np.float32(-0.5), "like": 0.25}

    explorer = GateExplorer(dataclasses.replace(make_record(), ablation=None), ablate=ablate)
    assert explorer.live
    question = {"request": "a-1", "kind": "ablate", "model": "MMoE", "seed": 1, "level": 0, "expert": 2}
    progress, answer = messages_of(explorer, question)
    assert asked == [("MMoE", 1, 0, 2)]
    assert progress == {"request": "a-1", "progress": 0.0, "text": "switching off expert 3"}
    assert answer == {"request": "a-1", "answer": {"click": -0.5, "like": 0.25}}


def test_errors_of_a_callback_reach_the_browser_as_one_line() -> None:
    def ablate(*_: object) -> dict[str, float]:
        raise RuntimeError("first\nsecond")

    explorer = GateExplorer(make_record(), ablate=ablate)
    question = {"request": 1, "kind": "ablate", "model": "MMoE", "seed": 0, "level": 0, "expert": 0}
    assert messages_of(explorer, question)[-1] == {"request": 1, "error": "RuntimeError: first"}
    assert "kind='dance' is not a request" in messages_of(explorer, {"request": 2, "kind": "dance"})[0]["error"]
    assert not GateExplorer(make_record()).live


def test_widgets_do_not_import_tensorflow() -> None:
    code = "import sys, mtl_helpers.widgets; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_modules_need_nothing_from_outside() -> None:
    for path in FOLDER.glob("*.js"):
        found = re.findall(r'from "([^"]+)"', path.read_text(encoding="utf-8"))
        assert all((FOLDER / name).is_file() for name in found), path.name
    assert "import " not in re.sub(r"//.*", "", str(GateExplorer._esm))
    assert str(GateExplorer._esm).count("export") == str(FusionDesk._esm).count("export") == 1


SCORES = {"click": [0.5, 0.2, 0.4, 0.9], "finish": [0.1, 0.6, 0.3, 0.9]}
OUTCOMES = {"click": [1, 0, 0, 1], "minutes": [0.0, 2.0, 1.0, 4.0]}


def test_the_desk_ranks_by_the_product_or_the_sum() -> None:
    desk = FusionDesk(SCORES, OUTCOMES)
    assert desk.ranking([1, 0]).tolist() == [3, 0, 2, 1]
    assert desk.ranking([0, 1]).tolist() == [3, 1, 2, 0]
    assert desk.ranking([1, 1]).tolist() == [3, 1, 2, 0]  # .81, .12, .12, .05; equal ones keep their order
    assert desk.ranking([1, 0.2], mode="sum").tolist() == [3, 0, 2, 1]
    np.testing.assert_allclose(desk.outcome_curves([1, 0])["minutes"], [4, 2, 5 / 3, 7 / 4])


def test_requests_are_ranked_apart_and_averaged() -> None:
    desk = FusionDesk(SCORES, OUTCOMES, requests=["a", "a", "b", "b"])
    assert desk.ranking([1, 0], request=1).tolist() == [3, 2]
    np.testing.assert_allclose(desk.outcome_curves([1, 0])["click"], [1, 0.5])
    assert desk.data["requestNames"] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": {}}, r"scores=\{\} is empty"),
        ({"outcomes": {}}, r"outcomes=\{\} is empty"),
        ({"outcomes": {"click": [1, 0]}}, "lengths differ"),
        ({"scores": {"click": [0.1, 0.2, np.nan, 1]}}, r"scores\['click'\] holds NaN"),
        ({"scores": {"click": [0.1, 0.2, 0.0, 1]}}, r"scores\['click'\] holds 0; a product needs scores above 0"),
        ({"items": ["a"]}, "lengths differ"),
        ({"requests": [0, 0, 0, 1]}, "requests='1' has a single item"),
        ({"start": [1.0]}, "give 2 exponents"),
        ({"start": [1.0, 9.0]}, "from 0 to most=3"),
    ],
)
def test_the_desk_refuses_in_one_line(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        FusionDesk(**{"scores": SCORES, "outcomes": OUTCOMES, **change})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"weights": [1.0]}, {"mode": "max"}, {"request": 1}])
def test_a_ranking_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="give 2 weights, 'product' or 'sum', and a request below 1"):
        FusionDesk(SCORES, OUTCOMES).ranking(**{"weights": [1.0, 1.0], **wrong})


@pytest.mark.parametrize(("values", "step"), [([0.0, np.nan], None), ([0.0, np.inf], 1.0), ([0.0, 1e6], 0.001)])
def test_numbers_that_two_bytes_cannot_hold_are_refused(values: list, step: float | None) -> None:
    with pytest.raises(ValueError, match="give finite ones, a larger step"):
        pack(np.array(values), step)


def test_no_colour_of_the_desk_means_two_things() -> None:
    colours = choose_colours(["ctr", "cvr", "price", "click", "pay", "revenue"])
    assert len(set(colours)) == 6
    assert colours[3:5] == [task_colour("click"), task_colour("pay")]


def test_the_desk_has_a_picture_and_a_file(tmp_path: Path) -> None:
    desk = FusionDesk(SCORES, OUTCOMES, items=[HOSTILE, "b", "c", "d"], start=[1, 0.5])
    data, _ = desk._repr_mimebundle_()
    assert "click^1 · finish^0.5" in data["text/plain"]
    assert "<img" not in desk.save_html(tmp_path / "desk.html").read_text(encoding="utf-8")
