"""Records made by hand: no game is played for them."""

from hashlib import sha256
from html.parser import HTMLParser
from random import Random

from wmproto.games.interval import rate
from wmproto.games.record import Accuracy, Evidence, Finding, Limits, Named, Record, Retention, Spent

HOSTILE = "<script>alert(1)</script>\u202e\x00\" onload='x'"
ACCURACY = ("victim", "twin", "independent", "result", "control")
RETENTION = (*ACCURACY, "original_head")
BUDGET = Limits(forward=1_000_000, backward=1_000_000, queries=0)


class Tree(HTMLParser):
    """Tags with attributes, in order, and the words between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(page)
        self.words = " ".join(" ".join(self.text).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def scheme(name="adi-from-scratch", **settings):
    return Named(kind="scheme", name=name, settings={"rows": 8} | settings)


def attack(name="ftal", kind="removal", **settings):
    return Named(kind=kind, name=name, settings=settings)


def alone(name):
    return Named(kind=name, name=name, settings={})


def rates(names, given, total):
    return {name: rate(given[name], total) if given.get(name) is not None else None for name in names}


def evidence(accepted, bits, *, profile="adi2018", total=100):
    word = {"adi2018": ("REFUSED", "ACCEPTED"), "wmproto/1": ("NOT SHOWN", "DEPENDENT")}[profile][accepted]
    ghosts = 60 if profile == "wmproto/1" else None
    return Evidence(
        verdict=word,
        accepted=accepted,
        bits=bits,
        asked=total,
        leaves=total if accepted else None,
        ghost_hits=6 if ghosts else None,
        ghosts=ghosts,
    )


def record(
    game="unremovability",
    adversary=None,
    *,
    right=None,
    hits=None,
    test=1000,
    marks=100,
    won=None,
    bits=100,
    accepted=None,
    **changed,
):
    """One record; ``right`` of ``test`` pictures and ``hits`` of ``marks`` by model."""
    profile = changed.get("profile", "adi2018")
    fields = {
        "format": "wmproto/game-record@v1",
        "cell": "",
        "grid": "sample",
        "game": game,
        "profile": profile,
        "data": "cifar10",
        "model": "small-cnn",
        "scheme": scheme(),
        "adversary": adversary,
        "budget": BUDGET if adversary and adversary.kind not in ("no-op", "cheater") else None,
        "seed": 1,
        "config": {"classes": 10, "training": {"recipe": {"epochs": 60, "lr": 0.05}}},
        "versions": {"wmproto": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6", "python": "3.11.7"},
        "device": "cpu",
        "state": "played",
        "error": None,
        "won": won,
        "used": None,
        "accuracy": Accuracy(**rates(ACCURACY, right or {}, test)),
        "retention": Retention(**rates(RETENTION, hits or {}, marks)),
        "evidence": evidence((not won) if accepted is None else accepted, bits, profile=profile),
        "log": (),
        "findings": (),
        "cost": Spent(seconds=12.5, work_seconds=12.0),
    } | changed
    if not fields["cell"]:
        told = [fields[name] for name in ("game", "profile", "data", "model", "scheme", "adversary", "budget", "seed")]
        fields["cell"] = sha256(repr((told, fields["config"])).encode()).hexdigest()[:16]
    return Record(**fields)


def removal(name="ftal", *, lost=0, left=50, victim=900, seed=1, won=None, test=1000, **settings):
    """A cell of unremovability: pictures lost of ``test``, marks left of 100."""
    right = {
        "victim": victim,
        "twin": victim + 3,
        "independent": victim - 2,
        "result": victim - lost,
        "control": victim - 20,
    }
    hits = {
        "victim": 100,
        "twin": 9,
        "independent": 11,
        "result": left,
        "control": 10,
        "original_head": min(100, left + 4),
    }
    won = (left < 90 and 20 * lost <= test) if won is None else won
    return record(
        "unremovability", attack(name, **settings), right=right, hits=hits, test=test, won=won, bits=3 * left, seed=seed
    )


def failed(error="OutOfMemoryError: no room", **changed):
    nothing = {
        "accuracy": None,
        "retention": None,
        "evidence": None,
        "cost": None,
        "config": {"training": {"recipe": {"epochs": 60, "lr": 0.05}}},
    }
    return record(
        "unremovability", attack("rtal", lr=0.1), **(nothing | {"state": "failed", "error": error, "seed": 9} | changed)
    )


def void(**changed):
    found = Finding(code="mark-did-not-take", text="the claim does not stand over the marked model itself")
    rights, hits = {"victim": 900, "twin": 905, "result": 890}, {"victim": 40, "twin": 9, "result": 12}
    given = {"state": "void", "findings": (found,), "accepted": False, "right": rights, "hits": hits, "seed": 8}
    return record("unremovability", attack("noise", sigma=0.1), **(given | changed))


def rich(seeds=(1, 2, 3)):
    """Everything that a page can show, by a fixed law of numbers."""
    found = []
    for profile, data in (("adi2018", "cifar10"), ("wmproto/1", "cifar10"), ("adi2018", "mnist-5000")):
        for seed in seeds:
            found += _setup(profile, data, seed, Random(f"{profile} {data} {seed}"))
    piracy = [
        {"epochs": 60},
        {"part": "overwrite", "own_hits": 99, "own_triggers": 100},
        {"part": "rtal", "own_hits": 31, "own_total": 100},
    ]
    for seed in seeds:
        one = removal("overwrite", lost=6, left=97, seed=seed, lr=0.0005, epochs=60, then="rtal")
        found.append(one.model_copy(update={"log": (*piracy, {"own_hits": "many"}, {"own_hits": 5, "own_total": 0})}))
    return [*found, failed(), failed(HOSTILE, seed=10), void()]


def _setup(profile, data, seed, random):
    base = 990 if data == "mnist-5000" else 880
    marks = 100 if profile == "adi2018" else 190
    common = {"profile": profile, "data": data, "seed": seed, "test": 1000, "marks": marks}
    made = []

    def bits(left):
        return int(3.3 * left) - 10

    right = {"victim": base, "twin": base + 6, "independent": base - 4}
    hits = {name: sum(random.random() < 0.1 for _ in range(marks)) for name in ("twin", "independent", "control")}
    for each in (scheme(rows=8), scheme(rows=2), scheme("adi-pretrained", rows=8, epochs=30, lr=0.01)):
        weak = each.name == "adi-pretrained"
        full = marks - (seed % 2) * weak
        ours = common | {"scheme": each}
        theirs = right | {"victim": base - random.randrange(8)}
        made.append(
            record("functionality", right=theirs, hits=hits | {"victim": full}, accepted=True, bits=bits(full), **ours)
        )

        def cell(adversary, lost, left, ours=ours, theirs=theirs, full=full):
            left = max(0, min(marks, round(left * marks)))
            stands = left > (0.9 if profile == "adi2018" else 0.45) * marks
            return record(
                "unremovability",
                adversary,
                right=theirs | {"result": theirs["victim"] - lost, "control": base - lost},
                hits=hits | {"victim": full, "result": left, "original_head": min(marks, left + 5)},
                won=not stands and 20 * lost <= 1000,
                accepted=stands,
                bits=bits(left),
                **ours,
            )

        made += [cell(alone("no-op"), 0, 1.0), cell(alone("cheater"), 2, 0.09)]
        for name, strength in (("ftll", 0.05), ("ftal", 0.6), ("rtll", 0.1), ("rtal", 0.8)):
            made.append(
                cell(attack(name, lr=0.0005, epochs=60), random.randrange(6), 1 - strength * (0.25 + 0.3 * weak))
            )
        for name in ("ftal", "rtal"):
            for step, lr in enumerate((0.0001, 0.001, 0.01, 0.05, 0.1)):
                lost = (0, 2, 15, 48, 120)[step] + random.randrange(5) - 2
                left = (1, 0.97, 0.6, 0.3, 0.12)[step] - 0.15 * weak - 0.05 * (name == "rtal") + random.random() / 25
                made.append(cell(attack(name, lr=lr, epochs=10), lost, left))
        for amount in (0.3, 0.5, 0.7, 0.9):
            made.append(cell(attack("prune", share=amount), int(100 * amount**4), 1 - amount**5))
        made.append(cell(attack("extract-hard", "extraction", lr=0.05, epochs=30), 210, 0.13))
        made.append(cell(attack("jpeg", "evasion", quality=40), 20, 0.82))
    for game in ("non-trivial-ownership", "unforgeability", "false-claim"):
        made += _claims(game, profile, marks, common, right, random)
    return made


def _claims(game, profile, marks, common, right, random):
    ours = common | ({"scheme": None} if game == "false-claim" else {})
    adi, luck = profile == "adi2018", sum(random.random() < 0.1 for _ in range(marks))
    attacks = [(alone("no-op"), luck, False), (alone("cheater"), marks, True)]
    if game == "unforgeability":
        attacks.append((attack("guessed-opening", "forgery"), 0, False))
    else:
        pictures = attack("transferable-pictures", "claim", surrogates=5, epochs=8, steps=60)
        attacks.append((pictures, 97 if adi else sum(random.random() < 0.1 for _ in range(marks)), adi))
        if not adi:
            attacks.append((attack("root-grinding", "claim", tries=1000), luck + 22, False))
    accuracy = {"independent": right["independent"]} if game == "false-claim" else {"victim": right["victim"]}
    return [
        record(game, who, right=accuracy, hits={"result": hits}, won=won, accepted=won, bits=3 * hits - 60, **ours)
        for who, hits, won in attacks
    ]
