"""The example runs and convinces an auditor, and what README shows of the library is what the example does."""

import ast
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own_loop.py"


def example():
    spec = importlib.util.spec_from_file_location("own_loop", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.torch
@pytest.mark.slow
def test_the_example_convinces_an_auditor(tmp_path, capsys):
    assert example().main(tmp_path) == "DEPENDENT"
    assert re.fullmatch(r"DEPENDENT: 16\d bits after \d+ leaves\n", capsys.readouterr().out)


def calls(tree):
    """(dotted name, number of positional arguments, names of keyword arguments) of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), len(node.args), {k.arg for k in node.keywords}


@pytest.mark.torch
def test_what_readme_shows_is_what_the_example_does():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    if block.strip() == "EXAMPLE":
        pytest.skip("README does not show the example yet")
    shown, module = list(calls(ast.parse(block))), example()
    done = {name for name, _, _ in calls(ast.parse(EXAMPLE.read_text(encoding="utf-8")))}
    assert len(shown) > 10
    for name, positional, keywords in shown:
        if name == "signer.envelope":  # the example says owner.signer().envelope
            name = "owner.signer().envelope"
        assert name in done, f"README calls {name}, the example does not"
        first, *rest = name.split(".")
        found = getattr(module, first, None)
        for part in rest:
            found = getattr(found, part, None)
        if found is None or not getattr(found, "__module__", "").startswith("wmproto"):
            continue
        inspect.signature(found).bind(*[None] * positional, **dict.fromkeys(keywords))  # TypeError: no such argument
