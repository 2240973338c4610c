"""What a policy is worth, against every set of witnesses and every pair of sets."""

from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people import policy_text

from wmproto.registry.exposure import enough, idle, liars, silencers
from wmproto.registry.policy import LogPolicy


@st.composite
def policies(draw):
    """Random trees of groups over up to six witnesses."""
    names, free, lines = "abcdef", list("abcdef"[: draw(st.integers(1, 6))]), []
    for number in range(draw(st.integers(0, 4))):
        if not free:
            break
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
        k = draw(st.integers(1, len(members)))
        lines.append(f"group g{number} {k} {' '.join(members)}")
        free = [name for name in free if name not in members] + [f"g{number}"]
    quorum = draw(st.sampled_from(free))
    return LogPolicy.parse(policy_text("; ".join([*lines, f"quorum {quorum}"]), names).encode())


def sets(policy):
    names = list(policy.witnesses)
    return [set(some) for some in chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))]


@settings(max_examples=60, deadline=None)
@given(policies())
def test_against_every_set_and_every_pair_of_sets(policy):
    every = set(policy.witnesses)
    quorums = [some for some in sets(policy) if policy.satisfied(policy.quorum, some)]
    assert set(enough(policy)) in quorums
    assert len(enough(policy)) == min(map(len, quorums))
    blocking = [some for some in sets(policy) if every - some not in quorums]
    assert set(silencers(policy)) in blocking
    assert len(silencers(policy)) == min(map(len, blocking))
    common = [one & other for one in quorums for other in quorums]
    assert set(liars(policy)) in common
    assert len(liars(policy)) == min(map(len, common))
    for name in idle(policy):
        assert all(some - {name} in quorums for some in quorums)
    for name in every - set(idle(policy)):
        assert any(some - {name} not in quorums for some in quorums)


def check(tail):
    policy = LogPolicy.parse(policy_text(tail).encode())
    return len(enough(policy)), len(silencers(policy)), len(liars(policy)), "".join(idle(policy))


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("quorum none", (0, 0, 0, "abcdef")),
        ("quorum a", (1, 1, 1, "bcdef")),
        ("group g 2 a b c; quorum g", (2, 2, 1, "def")),
        ("group g 3 a b c d e; quorum g", (3, 3, 1, "f")),
        ("group g all a b c d e f; quorum g", (6, 1, 6, "")),
        ("group g 2 a b c d; quorum g", (2, 3, 0, "ef")),  # two halves: the log alone can fork
        ("group A any a b; group B any c d; group g all A B; quorum g", (2, 2, 0, "ef")),  # and so here: a, c and b, d
        ("group A all a b; group B all c d; group g any A B; quorum g", (2, 2, 0, "ef")),
        ("group A all a b; group g 2 A c d; quorum g", (2, 2, 1, "ef")),
    ],
)
def test_policies_that_people_write(tail, expected):
    assert check(tail) == expected
