"""Budgets: costs are exact, were counted and not claimed, and nothing goes beyond."""

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from attack_samples import AMPLE, ATTACKS, Linear, black, noise_data, tiny, view_for, white
from torch import nn

from wmproto.attacks.attack import EvasionAttack, ExtractionAttack, RemovalAttack
from wmproto.attacks.budget import Budget, Cost
from wmproto.attacks.extraction.hard import HardLabels
from wmproto.attacks.extraction.soft import SoftLabels
from wmproto.attacks.removal.overwrite import Overwrite
from wmproto.errors import BudgetError
from wmproto.models.network import AffineTable

pytestmark = pytest.mark.torch

N = 40  # pictures of the thief: three batches of 16, the last one smaller
EPOCHS = 2

_TUNING = Cost(EPOCHS * N, EPOCHS * N, 0)
_OWN = EPOCHS * (N + 3 * 4)  # four rows of the pirate's own in each of three batches
COSTS = {
    **dict.fromkeys(("ftll", "ftal", "rtll", "rtal"), _TUNING),
    **dict.fromkeys(("prune", "quantise", "noise", "blur", "jpeg"), Cost()),
    "overwrite": Cost(_OWN + 10, _OWN, 0),
    **dict.fromkeys(("overwrite-ftal", "overwrite-rtal"), Cost(_OWN + EPOCHS * N + 20, _OWN + EPOCHS * N, 0)),
    **dict.fromkeys(("extract-hard", "extract-soft", "extract-hard-wide"), Cost(EPOCHS * N, EPOCHS * N, N)),
}


@dataclass
class Seen:
    """What really was computed, counted where it happens and not where the meter counts."""

    forward: int = 0
    backward: int = 0
    queries: int = 0
    asked: list = field(default_factory=list)

    def cost(self):
        return Cost(self.forward, self.backward, self.queries)


@pytest.fixture
def seen(monkeypatch):
    """Rows that go through a first layer, rows whose loss is differentiated, pictures that an interface answers."""
    seen, look, loss = Seen(), AffineTable.forward, nn.functional.cross_entropy

    def counted_look(self, x):
        seen.forward += len(x)
        return look(self, x)

    def counted_loss(scores, targets, **options):
        found = loss(scores, targets, **options)
        found.register_hook(lambda _: setattr(seen, "backward", seen.backward + len(targets)))
        return found

    monkeypatch.setattr(AffineTable, "forward", counted_look)
    monkeypatch.setattr(nn.functional, "cross_entropy", counted_loss)
    return seen


def _view(attack, seen):
    data = noise_data(N)
    if not isinstance(attack, ExtractionAttack):
        return white(tiny(), data)

    def answer(x):  # no network, so that all rows that are seen going forward are the student's
        seen.queries += len(x)
        seen.asked.append(x.copy())
        return torch.from_numpy(np.stack([x.sum((1, 2, 3)) % (k + 2) for k in range(4)], 1).astype(np.float32))

    return black(answer, data.x, 4, soft=attack.soft)


@pytest.mark.parametrize("name", ATTACKS)
def test_costs_are_exact(name, seen):
    attack = ATTACKS[name]
    outcome = attack.attack(_view(attack, seen), AMPLE, 3)
    assert outcome.cost == COSTS[name] == seen.cost()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_exact_budget_is_enough_and_changes_nothing(name, seen):
    attack, cost = ATTACKS[name], COSTS[name]
    rich = attack.attack(_view(attack, seen), AMPLE, 3)
    exact = attack.attack(_view(attack, seen), Budget(cost.forward, cost.backward, cost.queries), 3)
    assert exact.cost == cost
    assert exact.log == rich.log


@pytest.mark.parametrize("name", [name for name, cost in COSTS.items() if cost != Cost()])
@pytest.mark.parametrize("kind", ["forward", "backward", "queries"])
def test_a_small_budget_is_kept_or_refused(name, kind, seen):
    attack, cost = ATTACKS[name], COSTS[name]
    whole = getattr(cost, kind)
    refused = False
    for limit in sorted({0, 1, 9, N - 1, N, N + 1, whole // 2, max(0, whole - 1)}):
        seen.__init__()
        budget = Budget(**{**{k: getattr(cost, k) for k in ("forward", "backward", "queries")}, kind: limit})
        try:
            outcome = attack.attack(_view(attack, seen), budget, 3)
        except BudgetError:
            refused = True
        else:
            assert outcome.cost == seen.cost()
            assert whole == 0 or getattr(outcome.cost, kind) <= limit
        for each in ("forward", "backward", "queries"):
            assert getattr(seen, each) <= getattr(budget, each)
    assert refused == (whole > 0)  # with nothing of what it needs, no attack runs


@pytest.mark.parametrize("name", ATTACKS)
def test_with_no_budget_only_what_is_free_runs(name, seen):
    attack, free = ATTACKS[name], COSTS[name] == Cost()
    if free:
        assert attack.attack(_view(attack, seen), Budget(0, 0, 0), 3).cost == Cost()
    else:
        with pytest.raises(BudgetError):
            attack.attack(_view(attack, seen), Budget(0, 0, 0), 3)
    assert seen.cost() == Cost()


@pytest.mark.parametrize("cls", [HardLabels, SoftLabels])
def test_fewer_queries_than_pictures_ask_that_many_of_them_once(cls, seen):
    attack = cls(epochs=1, batch=16, lr=0.01)
    view = _view(attack, seen)
    asked = {}
    for queries, seed in ((25, 3), (25, 4), (40, 3)):
        seen.__init__()
        outcome = attack.attack(view, Budget(1000, 1000, queries), seed)
        assert outcome.cost == Cost(queries, queries, queries)
        pictures = [one.tobytes() for part in seen.asked for one in part]
        assert len(pictures) == len(set(pictures)) == queries
        assert set(pictures) <= {one.tobytes() for one in view.pictures}
        asked[queries, seed] = pictures
    assert set(asked[25, 3]) != set(asked[25, 4])
    assert asked[25, 3] == asked[40, 3][:25]
    assert asked[40, 3] != [one.tobytes() for one in view.pictures]


def test_nothing_is_asked_if_the_answers_cannot_be_learnt(seen):
    for name in ("extract-hard", "extract-soft"):
        with pytest.raises(BudgetError):
            ATTACKS[name].attack(_view(ATTACKS[name], seen), Budget(N - 1, 1000, 1000), 3)
    assert seen.queries == 0


def test_soft_answers_are_not_given_by_a_hard_interface(seen):
    view = black(lambda x: torch.zeros(len(x), 4), noise_data(4).x, 4, soft=False)
    with pytest.raises(ValueError, match="class indices alone"):
        SoftLabels(epochs=1).attack(view, AMPLE, 1)
    HardLabels(epochs=1).attack(view, AMPLE, 1)


def test_both_parts_of_overwriting_get_the_same_epochs():
    attack = Overwrite(epochs=9, batch=16, triggers=10, rows=4, then="ftal")
    one = 2 * N + 3 * 4
    outcome = attack.attack(white(tiny(), noise_data(N)), Budget(3 * one + 20, 4 * one, 0), 1)
    assert outcome.log[0] == {"epochs": 3}
    assert outcome.cost == Cost(3 * one + 20, 3 * one, 0)
    fewer = attack.attack(white(tiny(), noise_data(N)), Budget(3 * one + 19, 4 * one, 0), 1)
    assert fewer.log[0] == {"epochs": 2}
    with pytest.raises(BudgetError, match="looks at triggers"):
        attack.attack(white(tiny(), noise_data(N)), Budget(19, 4 * one, 0), 1)


def test_a_wrapped_network_counts_once():
    for name in ("blur", "jpeg"):
        outer = ATTACKS[name].attack(white(tiny(), noise_data(4)), AMPLE, 1).model
        assert len(list(outer.parameters())) == len(list(tiny().parameters()))  # or nobody finds device and weights

        @dataclass(frozen=True)
        class Asks(EvasionAttack):
            name = "asks"

            def run(self, view, run, outer=outer):
                with torch.no_grad():
                    outer(torch.from_numpy(view.data.x))
                return outer

        assert Asks().attack(white(tiny(), noise_data(7)), AMPLE, 1).cost == Cost(7, 0, 0)


# --- cheats: attacks that do not keep to the house's helpers ------------------------------------------------------


@dataclass(frozen=True)
class OwnModule(RemovalAttack):
    """Trains a module of its own by a loop of its own."""

    name = "own-module"
    steps: int = 3
    goes_on: bool = False
    done: list = field(default_factory=list, compare=False)

    def run(self, view, run):
        own = Linear(192, view.classes)
        x, y = torch.from_numpy(view.data.x), torch.from_numpy(view.data.y)
        optimiser = torch.optim.SGD(own.parameters(), lr=0.1)
        for _ in range(self.steps):
            try:
                optimiser.zero_grad()
                scores = own(x)
                self.done.append("forward")
                nn.functional.cross_entropy(scores, y).backward()
                self.done.append("backward")
                optimiser.step()
            except BudgetError:
                if not self.goes_on:
                    raise
        return own


def test_a_module_of_the_attackers_own_is_counted():
    outcome = OwnModule().attack(white(tiny(), noise_data(N)), AMPLE, 1)
    assert outcome.cost == Cost(3 * N, 3 * N, 0)
    with pytest.raises(BudgetError, match="samples forward"):
        OwnModule().attack(white(tiny(), noise_data(N)), Budget(3 * N - 1, 1000, 0), 1)
    with pytest.raises(BudgetError, match="samples backward"):
        OwnModule().attack(white(tiny(), noise_data(N)), Budget(1000, 3 * N - 1, 0), 1)


@pytest.mark.parametrize(
    ("budget", "forward", "backward"),
    [
        (Budget(0, 1000, 0), 0, 0),
        (Budget(N - 1, 1000, 0), 0, 0),
        (Budget(2 * N + 5, 1000, 0), 2, 2),
        (Budget(1000, 0, 0), 20, 0),
        (Budget(1000, N + 39, 0), 20, 1),
    ],
    ids=str,
)
def test_who_catches_the_refusal_and_goes_on_gets_nothing_more(budget, forward, backward):
    attack = OwnModule(steps=20, goes_on=True)
    outcome = attack.attack(white(tiny(), noise_data(N)), budget, 1)
    assert (attack.done.count("forward"), attack.done.count("backward")) == (forward, backward)
    assert outcome.cost == Cost(forward * N, backward * N, 0)


def test_a_refused_step_trains_nothing():
    """The gradient is refused before it reaches a parameter, so that there is nothing to step along."""

    @dataclass(frozen=True)
    class Steps(RemovalAttack):
        name = "steps"

        def run(self, view, run):
            own = Linear(192, view.classes)
            loss = nn.functional.cross_entropy(own(torch.from_numpy(view.data.x)), torch.from_numpy(view.data.y))
            with pytest.raises(BudgetError):
                loss.backward()
            assert all(p.grad is None for p in own.parameters())
            return own

    Steps().attack(white(tiny(), noise_data(N)), Budget(1000, N - 1, 0), 1)


def test_who_goes_on_asking_gets_no_more_answers(seen):
    @dataclass(frozen=True)
    class Asks(ExtractionAttack):
        name = "asks"
        got: list = field(default_factory=list, compare=False)

        def run(self, view, run):
            for start in range(0, N, 4):
                try:
                    self.got.extend(view.api.labels(view.pictures[start : start + 4]))
                except BudgetError:
                    continue
            return Linear(192, view.classes)

    attack = Asks()
    outcome = attack.attack(_view(attack, seen), Budget(0, 0, 10), 1)
    assert outcome.cost == Cost(0, 0, 8)
    assert len(attack.got) == seen.queries == 8


def test_what_the_interface_computes_is_not_the_attackers():
    """A real network behind the interface costs queries, no samples forward."""
    data, attack = noise_data(N), ATTACKS["extract-hard"]
    assert attack.attack(view_for(attack, tiny(), data), AMPLE, 1).cost == COSTS["extract-hard"]


class _Wrapped(nn.Module):
    """A module of the attacker's around a network, that does what its function says."""

    def __init__(self, network, does):
        super().__init__()
        self.network, self._does = network, does

    def forward(self, *args):
        return self._does(self.network, *args)


def _loss(scores, y):
    return nn.functional.cross_entropy(scores, y)


def _in_a_thread(network, x, y):
    thread = threading.Thread(target=lambda: _loss(network(x), y).backward())
    thread.start()
    thread.join()


def _steps_inside(network, x, y):
    def loop(inner, pictures):
        for _ in range(100):
            _loss(inner(pictures), y).backward()
        return torch.zeros(1)

    _Wrapped(network, loop)(x)


WAYS = {
    "plainly": (lambda n, x, y: _loss(n(x), y).backward(), 1),
    "by name": (lambda n, x, y: _loss(n(input=x), y).backward(), 1),
    "by autograd.grad": (lambda n, x, y: torch.autograd.grad(_loss(n(x), y), list(n.parameters())), 1),
    "in a thread": (_in_a_thread, 1),
    "in a tuple": (lambda n, x, y: _loss(_Wrapped(n, lambda m, z: (m(z),))(x)[0], y).backward(), 1),
    "behind a dummy": (lambda n, x, y: _loss(_Wrapped(n, lambda m, _, z: m(z))(torch.zeros(1), x), y).backward(), 1),
    "in a list": (lambda n, x, y: _loss(_Wrapped(n, lambda m, z: m(z[0]))([x]), y).backward(), 1),
    "a hundred steps inside one call": (_steps_inside, 100),
}


@pytest.mark.parametrize("way", WAYS)
def test_there_is_no_way_around_the_meter(way):
    does, steps = WAYS[way]

    class Cheats(RemovalAttack):
        name, source = "cheats", "a test"

        def run(self, view, run):
            network = view.network()
            does(network, torch.from_numpy(view.data.x), torch.from_numpy(view.data.y))
            return network

    assert Cheats().attack(white(tiny(), noise_data(N)), AMPLE, 1).cost == Cost(steps * N, steps * N, 0)
    if way != "in a thread":  # there the error ends the thread, with nothing computed
        with pytest.raises(BudgetError):
            Cheats().attack(white(tiny(), noise_data(N)), Budget(10**9, steps * N - 1, 0), 1)
