"""The class rule and the callable suspect."""

import json
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.errors import ConfigError
from wmproto.suspects import CallableSuspect, best_class


@pytest.mark.parametrize(
    ("scores", "answer"),
    [
        ([0.0, 1.0, 0.5], 1),
        ([1.0, 1.0, 1.0], 0),
        ([0.0, 2.0, 2.0], 1),
        ([-0.0, 0.0], 0),
        ([0.0, -0.0], 0),
        ([-inf, -inf], 0),
        ([1.0, inf, inf], 1),
        ([5.0, nan, 1.0], None),
        ([nan, 5.0, 9.0], None),
        ([nan, nan], None),
        ([1, 3, 2], 1),
    ],
)
def test_class_rule(scores, answer):
    assert best_class(scores) == answer


@given(st.lists(st.floats(width=32), min_size=2, max_size=9))
def test_class_rule_says_the_same_as_numpy(scores):
    got = best_class(scores)
    assert got == (None if np.isnan(scores).any() else int(np.argmax(scores)))


def _suspect(result, *, classes=3):
    return CallableSuspect(lambda x: result, classes=classes, shape=(2, 3, 1))


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (2, 2),
        (np.int64(1), 1),
        (np.array(0), 0),
        (3, None),
        (-1, None),
        (10**30, None),
        (None, None),
        ([0.1, 0.7, 0.2], 1),
        ((0.7, 0.1, 0.7), 0),
        (np.array([0.1, 0.2, 0.7], dtype=np.float16), 2),
        (np.array([1, 5, 5]), 1),
        (np.array([0.1, np.nan, 0.7]), None),
        ([np.float32(1), np.float32(2), np.float32(0)], 1),
        ([np.nan, 1.0, 2.0], None),
    ],
)
def test_answers(result, answer):
    got = _suspect(result).answer(bytes(6))
    assert got == answer
    assert got is None or type(got) is int


@pytest.mark.parametrize(
    "result",
    [
        1.0,
        True,
        np.bool_(True),
        "1",
        b"\x01",
        [],
        [0.1, 0.9],
        [0.1, 0.2, 0.3, 0.4],
        [[0.1, 0.2, 0.7]],
        np.zeros((1, 3)),
        [True, False, False],
        ["a", "b", "c"],
        [1.0, None, 2.0],
        {"class": 1},
    ],
    ids=str,
)
def test_a_wrong_adapter_is_no_silent_miss(result):
    with pytest.raises(ConfigError):
        _suspect(result).answer(bytes(6))


def test_the_function_sees_the_raw_bytes_and_may_write_into_its_copy():
    seen = []

    def fn(x):
        seen.append((x.dtype, x.shape, x.tobytes()))
        x[:] = 9
        return 0

    raw = bytes(range(6))
    suspect = CallableSuspect(fn, classes=2, shape=[2, 3, 1])
    assert suspect.answer(raw) == suspect.answer(raw) == 0
    assert seen == [(np.dtype("uint8"), (2, 3, 1), raw)] * 2
    assert suspect.shape == (2, 3, 1)


@pytest.mark.parametrize("size", [0, 5, 7, 12])
def test_wrong_length_is_said_before_asking(size):
    def fn(x):
        raise AssertionError

    with pytest.raises(ConfigError, match="2x3x1"):
        CallableSuspect(fn, classes=2, shape=(2, 3, 1)).answer(bytes(size))


def test_exceptions_pass_through():
    def fn(x):
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        CallableSuspect(fn, classes=2, shape=(1,)).answer(b"x")


@pytest.mark.parametrize(("classes", "shape"), [(1, (1,)), (0, (1,)), (65537, (1,)), (2, ()), (2, (0, 1))])
def test_nonsense_is_the_callers_bug(classes, shape):
    with pytest.raises(ValueError):
        CallableSuspect(lambda x: 0, classes=classes, shape=shape)


def test_settings_are_the_profiles_only_ones():
    settings = _suspect(0).settings
    assert json.loads(json.dumps(settings)) == settings
    assert settings == {"dtype": "float32", "batch": 1, "threads": 1, "libraries": []}
