"""The layout is the threat model: the torch line, the light audit, and its size."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from audit_size import COMMAND_LIMIT, LIMIT, audit_modules

PACKAGE = Path(__file__).parents[2] / "wmproto"
ABOVE = (
    "wire",
    "crypto",
    "triggers",
    "commitment",
    "verdict",
    "registry",
    "release",
    "suspects",
    "dispute",
    "owner",
    "report",
)
HEAVY = {"torch", "ray", "matplotlib", "scipy", "mlxtend"}


def _loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys; print(' '.join(sorted({{n.split('.')[0] for n in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(out.stdout.split())


def test_nothing_above_the_torch_line_loads_torch():
    names = [f"wmproto.{p.parent.name}.{p.stem}" for part in ABOVE for p in (PACKAGE / part).glob("*.py")]
    names = [n.removesuffix(".__init__") for n in names]
    assert len(names) > 40
    loaded = _loaded_after("\n".join(f"import {n}" for n in [*names, "wmproto.cli.main", "wmproto.cli.demo"]))
    assert not loaded & HEAVY


def test_an_audit_loads_no_numpy_no_database_no_cryptography():
    loaded = _loaded_after("import wmproto.cli.main, wmproto.cli.dispute_audit")
    assert not loaded & (HEAVY | {"numpy", "sqlalchemy", "cryptography", "rich", "safetensors", "PIL"})


@pytest.mark.parametrize(("command", "limit"), [(False, LIMIT), (True, COMMAND_LIMIT)], ids=["audit", "command"])
def test_an_audit_runs_little_code(command, limit):
    sizes = audit_modules(command=command)
    print(f"code that an audit runs{', with its command' if command else ''}: {sum(sizes.values())} lines")
    assert len(sizes) > 20
    assert sum(sizes.values()) <= limit


def test_an_audit_loads_nothing_that_makes_what_it_checks():
    loaded = {f"{path.parent.name}.{path.stem}" for path in audit_modules()}
    makers = {"wire.compose", "crypto.signer", "crypto.tree", "commitment.builder", "commitment.secrets"}
    assert loaded >= {"dispute.machine", "commitment.opening", "registry.note"}
    assert not loaded & (makers | {"release.payload", "dispute.sign", "dispute.roles", "registry.log"})


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_assert_checks_input_and_nothing_is_unpickled(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}: assert is no input check"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {a.name for a in node.names} | {getattr(node, "module", "") or ""}
            assert not names & {"pickle", "cloudpickle", "dill", "joblib", "random"}, f"{path}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) != ("torch", "load"), f"{path}:{node.lineno}"
