"""How much code an audit runs: the wmproto modules it loads, without blanks, comments and docstrings."""

import ast
import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path

LIMIT = 1500
_LOAD = """
import json, sys
from wmproto.cli.main import cli
import wmproto.cli.dispute_audit
print(json.dumps(sorted(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'wmproto' and m.__file__)))
"""


def code_lines(path: Path) -> int:
    """Lines of a file that hold code: no blanks, comments or docstrings."""
    text = path.read_text(encoding="utf-8")
    lines = set()
    skip = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skip:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            first = node.body[0]
            lines -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(lines)


def audit_modules() -> dict[Path, int]:
    """Every file of the package that an audit loads, in a fresh interpreter, and its lines of code."""
    out = subprocess.run([sys.executable, "-c", _LOAD], check=True, capture_output=True, text=True).stdout
    return {Path(name): code_lines(Path(name)) for name in json.loads(out)}


if __name__ == "__main__":
    sizes = audit_modules()
    for path, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{size:5d}  {path.relative_to(Path(__file__).parents[2])}")
    print(f"{sum(sizes.values()):5d}  in all, at most {LIMIT} allowed")
    sys.exit(sum(sizes.values()) > LIMIT)
