"""A study gives what ``model.fit`` gives, for all seeds at once, and refuses what it cannot do."""

import dataclasses
import gc

import keras
import numpy as np
import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from mtl_helpers.datasets.base import MultiTaskData, Numeric, Rows, Task
from mtl_helpers.losses import task_losses
from mtl_helpers.study import batches, claim, study
from mtl_helpers.study.plan import make_plan, weight_sweep
from mtl_helpers.study.stacked import StackedModel
from mtl_helpers.study.training import Settings, make_trainer


def make_data(seed=0, rows=200, missing=0.0, groups=False):
    """Two tasks on four numbers: one linear probability, one linear value."""
    random = np.random.default_rng(seed)

    def split(count):
        x = random.normal(size=(count, 4)).astype("float32")
        logit = (x @ [1.0, -2.0, 0.5, 0.0]).astype("float32")
        chance = 1 / (1 + np.exp(-logit))
        click = (random.random(count) < chance).astype("float32")
        mean = x[:, 0] + x[:, 1]
        watch = (mean + 0.3 * random.normal(size=count)).astype("float32")
        weights = {}
        if missing:
            weights = {"watch": (random.random(count) > missing).astype("float32")}
            watch[weights["watch"] == 0] = np.nan
        segment = (x[:, 2] > 0).astype("int32") if groups else None
        truth = {"click": chance.astype("float32")}
        return Rows({"numeric": x}, {"click": click, "watch": watch}, weights, truth, segment)

    tasks = {"click": Task("binary"), "watch": Task("regression")}
    inputs = {"numeric": Numeric(("a", "b", "c", "d"))}
    names = ("low", "high") if groups else ()
    return MultiTaskData("toy", tasks, inputs, split(rows), split(100), split(100), names)


def shared(data, units=5, dropout=0.0, normalise=False, regularizer=None):
    x = keras.Input((4,), name="numeric")
    hidden = keras.layers.Dense(units, activation="relu", kernel_regularizer=regularizer)(x)
    if normalise:
        hidden = keras.layers.BatchNormalization()(hidden)
    if dropout:
        hidden = keras.layers.Dropout(dropout)(hidden)
    click = keras.layers.Dense(1, activation="sigmoid", name="click")(hidden)
    watch = keras.layers.Dense(1, name="watch")(hidden)
    return keras.Model({"numeric": x}, {"click": click, "watch": watch})


def fit_alone(builder, data, seed, epochs, optimizer, weights=None, batch_size=32, compiled=False):
    """The losses of ``model.fit`` on the same batches, one list an epoch, and the trained model."""
    keras.utils.set_random_seed(seed)
    model = builder(data)
    how = {"jit_compile": True} if compiled else {"run_eagerly": True}  # a graph takes longer to make than a few steps
    model.compile(optimizer, loss=task_losses(data), loss_weights=weights, **how)
    losses = []
    for epoch in range(1, epochs + 1):
        rows = data.train.take(batches(len(data.train), batch_size, seed, epoch).ravel())
        present = {task: rows.weights.get(task, np.ones(len(rows), "float32")) for task in data.tasks}
        history = model.fit(
            rows.inputs, rows.labels, sample_weight=present if rows.weights else None,
            batch_size=batch_size, shuffle=False, verbose=0,
        ).history  # fmt: skip
        losses.append([history["click_loss"][0], history["watch_loss"][0]])
    return np.array(losses), model


def trained_losses(found, seed):
    rows = found.frame.query("split == 'train' and metric == 'loss' and seed == @seed")
    return rows.pivot(index="epoch", columns="task", values="value")[["click", "watch"]].to_numpy()


@pytest.mark.parametrize(
    ("optimizer", "jit_compile"),
    [
        (keras.optimizers.Adam(1e-2), True),
        (keras.optimizers.AdamW(1e-2, weight_decay=0.1, clipvalue=0.5), True),
        (keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 6, 0.5), momentum=0.9), False),
    ],
    ids=["Adam, XLA", "AdamW, XLA", "SGD with a schedule, graph"],
)
def test_same_losses_and_predictions_as_fit(optimizer, jit_compile):
    data = make_data()
    weights = {"click": 0.3, "watch": 1.7}
    found = study({"shared": shared}, data, seeds=[3, 8], epochs=3, batch_size=32, optimizer=optimizer,
                  loss_weights=weights, jit_compile=jit_compile, progress=False)  # fmt: skip
    for run, seed in enumerate((3, 8)):
        fresh = type(optimizer).from_config(optimizer.get_config())
        losses, model = fit_alone(shared, data, seed, 3, fresh, weights)
        np.testing.assert_allclose(trained_losses(found, seed), losses, atol=1e-4)
        alone = model.predict(data.test.inputs, verbose=0)
        stacked = found.model("shared", run).predict(data.test.inputs, verbose=0)
        for task in data.tasks:
            np.testing.assert_allclose(stacked[task], alone[task], atol=1e-4)


@pytest.mark.parametrize(
    "settings", [{"dropout": 0.4}, {"normalise": True}, {"regularizer": "l2"}], ids=["dropout", "batch norm", "penalty"]
)
def test_layers_with_a_state_and_penalties_equal_fit(settings):
    data = make_data()

    def builder(data):
        return shared(data, **settings)

    found = study({"shared": builder}, data, seeds=[5, 6], epochs=2, batch_size=32, jit_compile=True,
                  optimizer=keras.optimizers.Adam(1e-2), progress=False)  # fmt: skip
    # Dropout's random numbers are those of a compiled fit; TensorFlow draws others when it does not compile.
    losses, model = fit_alone(builder, data, 5, 2, keras.optimizers.Adam(1e-2), compiled=True)
    np.testing.assert_allclose(trained_losses(found, 5), losses, atol=1e-4)
    alone = model.predict(data.test.inputs, verbose=0)["click"]
    np.testing.assert_allclose(found.model("shared", 0).predict(data.test.inputs, verbose=0)["click"], alone, atol=1e-3)


def test_missing_labels_equal_fit_and_divide_by_the_valid_count():
    data = make_data(missing=0.6)
    found = study({"shared": shared}, data, seeds=[1, 2], epochs=2, batch_size=32,
                  optimizer=keras.optimizers.Adam(1e-2), progress=False)  # fmt: skip
    losses, _ = fit_alone(shared, data, 2, 2, keras.optimizers.Adam(1e-2))
    np.testing.assert_allclose(trained_losses(found, 2), losses, atol=1e-4)
    assert np.isfinite(found.frame["value"]).all()


def test_a_sweep_of_loss_weights_equals_its_parts():
    data = make_data()
    sweep = {"mostly click": {"click": 0.9, "watch": 0.1}, "mostly watch": {"click": 0.1, "watch": 0.9}}
    settings = dict(seeds=[4, 9], epochs=2, batch_size=32, progress=False)
    together = study({"shared": shared}, data, loss_weights=sweep, **settings)
    for label, weights in sweep.items():  # noqa: B007 (the query reads it)
        alone = study({"shared": shared}, data, loss_weights=weights, **settings).scores()
        part = together.scores().query("loss_weight == @label")
        np.testing.assert_allclose(part["value"].to_numpy(), alone["value"].to_numpy(), atol=1e-5)


def test_several_data_sets_equal_each_alone():
    settings = dict(seeds=[4, 9], epochs=2, batch_size=32, progress=False)
    together = study({"shared": shared}, {"drawn anew": make_data, "fixed": make_data(77)}, **settings)
    anew = study({"shared": shared}, make_data, **settings)
    fixed = study({"shared": shared}, make_data(77), **settings)
    for label, alone in (("drawn anew", anew), ("fixed", fixed)):  # noqa: B007 (the query reads it)
        part = together.scores().query("data == @label")
        np.testing.assert_allclose(part["value"].to_numpy(), alone.scores()["value"].to_numpy(), atol=1e-5)
    assert not np.allclose(anew.best["value"], fixed.best["value"])


def test_early_stopping_keeps_the_weights_of_the_best_epoch():
    data = make_data(rows=40)

    def large(data):
        return shared(data, units=64)

    found = study({"large": large}, data, seeds=3, epochs=30, batch_size=20, early_stopping=3,
                  optimizer=keras.optimizers.Adam(3e-2), progress=False)  # fmt: skip
    for run, seed in enumerate(run.seed for run in found.plan.runs):  # noqa: B007 (the query reads it)
        rows = found.frame.query("seed == @seed and split == 'validation' and metric == 'loss' and epoch > 0")
        total = rows.groupby("epoch")["value"].sum()
        waited = total[: total.idxmin() + 3]
        best = found.frame.query("seed == @seed and split == 'test'")["epoch"].unique()
        assert list(best) == [waited.idxmin()]
        assert set(found.scores("validation").query("seed == @seed")["epoch"]) == set(best)
        predicted = found.model("large", run).predict(data.validation.inputs, verbose=0)
        losses = task_losses(data)
        now = sum(float(losses[task](data.validation.labels[task][:, None], predicted[task])) for task in data.tasks)
        np.testing.assert_allclose(now, total[best[0]], rtol=1e-3)


def test_runs_do_not_depend_on_their_company():
    data = make_data()
    settings = dict(epochs=2, batch_size=32, progress=False)
    three = study({"shared": shared}, data, seeds=[1, 2, 3], **settings).scores().query("seed == 2")["value"]
    one = study({"shared": shared}, data, seeds=[2], **settings).scores()["value"]
    np.testing.assert_allclose(three.to_numpy(), one.to_numpy(), atol=1e-5)


def test_course_seed_shifts_every_run(monkeypatch):
    monkeypatch.setenv("MTL_SEED", "100")
    assert [run.seed for run in make_plan(make_data(), 3, None).runs] == [100, 101, 102]
    monkeypatch.setenv("MTL_SEED", "many")
    with pytest.raises(ValueError, match="MTL_SEED='many'"):
        make_plan(make_data(), 3, None)


def test_compare_pairs_the_seeds_and_says_who_is_better():
    data = make_data(rows=400)

    def untrainable(data):
        model = shared(data)
        for layer in model.layers:
            layer.trainable = layer.name == "watch"
        return model

    found = study({"shared": shared, "frozen": untrainable}, data, seeds=5, epochs=5, batch_size=32,
                  optimizer=keras.optimizers.Adam(2e-2), progress=False)  # fmt: skip
    table = found.compare("shared", "frozen").set_index("task")
    assert table.loc["click", "verdict"] == "better"
    assert table.loc["click", "low"] > 0
    scores = found.scores().query("task == 'click'").pivot(index="seed", columns="model", values="value")
    assert table.loc["click", "difference"] == pytest.approx((scores["shared"] - scores["frozen"]).mean())
    assert found.compare("frozen", "shared").set_index("task").loc["click", "verdict"] == "worse"
    same = found.compare("shared", "shared")
    assert set(same["verdict"]) == {"tie"}
    assert found.parameters == {"shared": 37, "frozen": 6}
    assert 0.5 < found.best["value"][0] < 1
    with pytest.raises(ValueError, match="model='other' is not in the study"):
        found.compare("other", "shared")
    with pytest.raises(ValueError, match="split='exam'"):
        found.scores("exam")


def test_recurrent_models_fall_back_to_fit_with_a_word(capsys):
    data = make_data()

    def recurrent(data):
        x = keras.Input((4,), name="numeric")
        hidden = keras.layers.SimpleRNN(3)(keras.layers.Reshape((4, 1))(x))
        outputs = {"click": keras.layers.Dense(1, activation="sigmoid")(hidden), "watch": keras.layers.Dense(1)(hidden)}
        return keras.Model({"numeric": x}, outputs)

    found = study({"RNN": recurrent, "shared": shared}, data, seeds=2, epochs=2, batch_size=32, progress=False)
    said = capsys.readouterr()
    assert "RNN: layer 'simple_rnn" in said.out + said.err
    assert "model.fit" in said.out + said.err
    assert set(found.scores()["model"]) == {"RNN", "shared"}


def test_both_roads_give_the_same():
    data = make_data(missing=0.3)
    plan = make_plan(data, [1, 2], None)
    from mtl_helpers.study.fitted import FittedModels

    outcome = []
    for road in (StackedModel, FittedModels):
        models = []
        for run in plan.runs:
            keras.utils.set_random_seed(run.seed)
            models.append(shared(data))
        trainer = road(models, plan, task_losses(data), keras.optimizers.Adam(1e-2), 32)
        losses = [trainer.train_epoch(epoch) for epoch in (1, 2)]
        kept = trainer.get_weights()
        outcome.append((losses, trainer.predict("test")["watch"], kept))
        trainer.set_weights([np.zeros_like(value) for value in kept])
        assert np.all(trainer.predict("test")["watch"] == 0)
    np.testing.assert_allclose(outcome[0][0], outcome[1][0], atol=1e-4)
    np.testing.assert_allclose(outcome[0][1], outcome[1][1], atol=1e-4)
    for stacked, fitted in zip(outcome[0][2], outcome[1][2], strict=True):
        np.testing.assert_allclose(stacked, fitted, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(seeds=0), "seeds=0"),
        (dict(seeds=[1, 1]), "each once"),
        (dict(seeds=[-1]), "none below 0"),
        (dict(seeds="3"), "seeds='3' is not a count"),
        (dict(builders={}), "builders={} names no model"),
        (dict(builders=shared), "names no model; give at least one, for instance {'MMoE': mmoe}"),
        (dict(epochs=0), "epochs=0"),
        (dict(batch_size=32.0), "batch_size=32.0 is not a whole number"),
        (dict(early_stopping=0), "early_stopping=0 is not a whole number of at least 1"),
        (dict(loss_weights=[1, 1]), "loss_weights=.*is no dict"),
        (dict(loss_weights={"a": {"click": 1.0}, "watch": 2.0}), "mixes weights and labels"),
        (dict(loss_weights={"click": float("nan")}), "negative weight"),
        (dict(optimizer="adam"), "optimizer='adam' is not an optimizer; give an object"),
        (dict(executor="process"), "executor='process' cannot submit jobs"),
        (dict(data=[make_data()]), "data: a list; give a MultiTaskData"),
        (dict(losses={"click": "mse"}), "loss='mse' is not a loss"),
        (dict(loss_weights={"like": 1.0}), "loss_weights=.*'like'.*'click', 'watch'"),
        (dict(loss_weights={"click": -1.0}), "negative weight"),
        (dict(losses={"like": "mse"}), "losses=.*'like'"),
        (dict(optimizer=keras.optimizers.Adam(clipnorm=1.0)), "clipnorm=1.0.*use clipvalue"),
        (dict(optimizer=keras.optimizers.SGD(global_clipnorm=1.0)), "global_clipnorm"),
        (dict(optimizer=keras.optimizers.Adam(use_ema=True)), "use_ema"),
        (dict(optimizer=keras.optimizers.Lamb()), "Lamb does not act element by element"),
        (dict(data={}), "data={} is empty"),
        (dict(data={"a": make_data(), "b": make_data(rows=100)}), "rows differ"),
        (dict(builders={"one": lambda data: keras.Sequential([keras.layers.Dense(1)])}), "outputs are"),
    ],
)  # fmt: skip
def test_bad_requests_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        study(
            **{
                "builders": {"shared": shared},
                "data": make_data(),
                "seeds": 2,
                "epochs": 1,
                "progress": False,
                **change,
            }
        )


def test_labels_of_one_class_or_none_are_refused():
    data = make_data()
    labels = {**data.train.labels, "click": np.zeros(len(data.train), "float32")}
    single = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=labels))
    with pytest.raises(ValueError, match="task 'click' has only the label 0"):
        make_plan(single, 1, None)
    none = dataclasses.replace(data.train, weights={"watch": np.zeros(len(data.train), "float32")})
    with pytest.raises(ValueError, match="task 'watch' has no training label"):
        make_plan(dataclasses.replace(data, train=none), 1, None)
    with pytest.raises(ValueError, match="task 'click' has only the label 0 in validation"):
        make_plan(dataclasses.replace(data, validation=single.train), 1, None)
    with pytest.raises(ValueError, match="task 'click' has no test label"):
        make_plan(dataclasses.replace(data, test=data.test.take(slice(0))), 1, None)


def test_weights_left_out_are_one():
    assert weight_sweep({"click": 0.5}, make_data()) == {"given": {"click": 0.5, "watch": 1.0}}


def test_batches_visit_every_row_once_and_depend_on_seed_and_epoch():
    order = batches(rows=103, batch_size=10, seed=1, epoch=1)
    assert order.shape == (10, 10)
    assert len(set(order.ravel())) == 100
    assert not np.array_equal(order, batches(103, 10, 1, 2))
    assert not np.array_equal(order, batches(103, 10, 2, 1))


def test_claim_raises_only_when_strict(monkeypatch, capsys):
    monkeypatch.delenv("MTL_STRICT", raising=False)
    claim("Water is dry.", False, "see for yourself")
    assert "Claim does not hold: Water is dry. (see for yourself)" in capsys.readouterr().out
    monkeypatch.setenv("MTL_STRICT", "1")
    claim("Water is wet.", True)
    with pytest.raises(AssertionError, match=r"Water is dry\."):
        claim("Water is dry.", False)
    with pytest.raises(TypeError, match="condition=-0.1 is a number; compare it"):
        claim("Sharing helps.", -0.1)


def test_weights_that_keras_would_constrain_take_the_other_road(capsys):
    def constrained(data):
        x = keras.Input((4,), name="numeric")
        watch = keras.layers.Dense(1, kernel_constraint="non_neg")(x)
        return keras.Model({"numeric": x}, {"click": keras.layers.Dense(1, activation="sigmoid")(x), "watch": watch})

    plan = make_plan(make_data(), 1, None)
    settings = Settings(task_losses(plan.data), keras.optimizers.Adam(), 1, 32, None)
    trainer = make_trainer("bounded", constrained, plan, settings, print)
    assert not isinstance(trainer, StackedModel)
    assert "has a constraint" in capsys.readouterr().out


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_finished_study_leaves_no_program_behind(jit_compile):
    def programs():
        gc.collect()
        return sum(isinstance(each, FuncGraph) and "_train_epoch" in each.name for each in gc.get_objects())

    before = programs()
    study({"shared": shared}, make_data(), seeds=2, epochs=1, jit_compile=jit_compile, progress=False)
    assert programs() == before
