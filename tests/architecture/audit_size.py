"""How much code an audit runs: the wmproto modules it loads, without blanks, comments and docstrings."""

import ast
import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path

#: What must be right for a verdict to be right: the audit and all that it loads. Log policies and cosignatures, which came
#: when witnesses did, are 165 of these lines: whoever judges a fork must be able to read what judges it.
LIMIT = 1670
#: The same with the command around it: arguments, reading files, wording and printing the result.
COMMAND_LIMIT = 2040
_LIBRARY = "import wmproto.dispute.audit"
_COMMAND = "import wmproto.cli.main, wmproto.cli.dispute_audit"
_LOADED = """
import json, sys
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


def audit_modules(*, command: bool = False) -> dict[Path, int]:
    """Every file of the package that an audit loads, in a fresh interpreter, and its lines of code."""
    code = (_COMMAND if command else _LIBRARY) + _LOADED
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return {Path(name): code_lines(Path(name)) for name in json.loads(out)}


if __name__ == "__main__":
    audit, around = audit_modules(), audit_modules(command=True)
    for path, size in sorted(around.items(), key=lambda item: (item[0] not in audit, -item[1])):
        print(f"{size:5d}  {'audit  ' if path in audit else 'command'}  {path.relative_to(Path(__file__).parents[2])}")
    total, with_command = sum(audit.values()), sum(around.values())
    print(f"{total:5d}  the audit and all that it loads, at most {LIMIT}")
    print(f"{with_command:5d}  with the command around it, at most {COMMAND_LIMIT}")
    sys.exit(total > LIMIT or with_command > COMMAND_LIMIT)
