"""mutmut with the operators of this project. Run as a script, in a working copy that `python -m tests.mutants` made.

mutmut's own operators that only make nonsense of a text or a type (upper case, None for an argument) are left out:
mypy and every run see those. Ours take away a decision: a condition, a call, a transaction.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import libcst as cst
from mutmut.mutation import file_mutation, mutators
from mutmut.runners.harness import PytestRunner
from mutmut.workers import isolation

# Arguments that only the page of an explained refusal shows, in development.
EXPLAINING = {"what", "rule", "case", "presented", "expected"}
_sentences: set[cst.Arg] = set()


def is_for_people(node: cst.CSTNode) -> bool:
    """The sentence of an error, what explains it in development, or a line of the log: these are left alone."""
    if isinstance(node, cst.Raise) and isinstance(node.exc, cst.Call):
        _sentences.update(each for each in node.exc.args if _is_sentence(each.value))
    if isinstance(node, cst.Arg):
        return node in _sentences or (node.keyword is not None and node.keyword.value in EXPLAINING)
    call = node.value if isinstance(node, cst.Expr) else node
    function = call.func if isinstance(call, cst.Call) else None
    if isinstance(function, cst.Attribute) and isinstance(function.value, cst.Name):
        return function.value.value in ("log", "logger")
    return isinstance(function, cst.Name) and function.value == "Explanation"


def _is_sentence(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.SimpleString):
        return " " in value.value
    return isinstance(value, (cst.FormattedString, cst.ConcatenatedString))


class Visitor(file_mutation.MutationVisitor):
    def on_visit(self, node: cst.CSTNode) -> bool:
        return not is_for_people(node) and super().on_visit(node)


def negate_condition(node: cst.If) -> Iterator[cst.If]:
    """`if x:` -> `if not x:`. What compares or says `not` is broken by mutmut itself."""
    if isinstance(node.test, (cst.Name, cst.Attribute, cst.Call, cst.Await, cst.NamedExpr, cst.Subscript)):
        inner = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(
            test=cst.UnaryOperation(cst.Not(), inner), whitespace_before_test=cst.SimpleWhitespace(" ")
        )


def drop_operand(node: cst.BooleanOperation) -> Iterator[cst.BaseExpression]:
    """`a and b` -> `a`, and -> `b`."""
    for kept in (node.left, node.right):
        yield kept.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def drop_call(node: cst.SimpleStatementLine) -> Iterator[cst.SimpleStatementLine]:
    """A call whose answer nobody reads is left out, and so is a `raise`."""
    if len(node.body) == 1 and isinstance(statement := node.body[0], (cst.Expr, cst.Raise)):
        value = statement.value if isinstance(statement, cst.Expr) else None
        value = value.expression if isinstance(value, cst.Await) else value
        if is_for_people(statement):
            return
        if value is None or isinstance(value, cst.Call):
            yield node.with_changes(body=[cst.Pass()])


def drop_with(node: cst.With) -> Iterator[cst.If]:
    """`with transaction.atomic():` -> nothing around its block."""
    if not any(item.asname for item in node.items):
        yield cst.If(test=cst.Name("True"), body=node.body, leading_lines=node.leading_lines)


def replace_word(node: cst.SimpleString) -> Iterator[cst.SimpleString]:
    """A word of a protocol, a key or a column; a text with blanks is for people."""
    if (" " not in node.value and not node.value.endswith(('""', "''"))) or node.value in ('""', "''"):
        mark = node.value[-1]
        yield node.with_changes(value=f"{node.value[:-1]}XX{mark}")


def drop_argument(node: cst.Call) -> Iterator[cst.Call]:
    """`f(a, b)` -> `f(b)`, `f(a)`."""
    if len(node.args) > 1:
        for index in (index for index, each in enumerate(node.args) if not is_for_people(each)):
            yield node.with_changes(args=[*node.args[:index], *node.args[index + 1 :]])


OURS: mutators.OPERATORS_TYPE = [
    (cst.If, negate_condition),
    (cst.BooleanOperation, drop_operand),
    (cst.SimpleStatementLine, drop_call),
    (cst.With, drop_with),
    (cst.SimpleString, replace_word),
    (cst.Call, drop_argument),
]
LEFT_OUT = {
    mutators.operator_string,
    mutators.operator_arg_removal,
    mutators.operator_assignment,
    mutators.operator_dict_arguments,
}


class WarmRunner(PytestRunner):
    """Collects once. The processes of the mutants are forked from there, so a mutant costs little but its tests."""

    _session: Any = None

    def warm_up(self) -> None:
        from tests.mutants import plugin  # of the mutated copy, which is first on the path by now

        os.chdir("mutants")
        options = ["--rootdir=.", "--tb=native", "-x", "-q", "-p", "no:randomly", "-p", "no:random-order"]
        self._session = plugin.warm_session(
            [*options, *self._pytest_add_cli_args_test_selection, *self._pytest_add_cli_args]
        )

    def run_forced_fail(self) -> int:
        return 1  # that mutants are switched on shows in the first that is killed

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        if self._session is None:
            self.warm_up()
        from tests.mutants import plugin

        return plugin.run_chosen(self._session, mutant_name or "", frozenset(tests))


class OnceMeasured(isolation.ForkServerRunner):
    """Tests that have just been measured have just passed, and are not run once more before the first mutant."""

    _measured = False

    def collect_stats(self, tests: Iterable[str] | None) -> int:
        self._measured = not tests
        return super().collect_stats(tests)

    def run_clean_tests(self, tests: Iterable[str]) -> int:
        return 0 if self._measured else super().run_clean_tests(tests)


def changes(mutants: list[str]) -> dict[str, str]:
    """What each of these mutants changed, as a diff without its head."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    found = {}
    for meta in sorted(Path("mutants").glob("**/*.meta")):
        path = meta.relative_to("mutants").with_suffix("")
        for mutant in json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"].keys() & set(mutants):
            diff = get_diff_for_mutant(mutant, path=path).splitlines()
            found[mutant] = "\n".join(line for line in diff if not line.startswith(("---", "+++", "@@", " ")))
    return found


if __name__ == "__main__":
    setattr(file_mutation, "MutationVisitor", Visitor)  # noqa: B010
    theirs = [each for each in mutators.mutation_operators if each[1] not in LEFT_OUT]
    setattr(file_mutation, "mutation_operators", [*theirs, *OURS])  # noqa: B010
    setattr(isolation, "PytestRunner", WarmRunner)  # noqa: B010
    setattr(isolation, "ForkServerRunner", OnceMeasured)  # noqa: B010
    from mutmut.__main__ import cli

    if sys.argv[1:] == ["changes"]:
        json.dump(changes(json.load(sys.stdin)), sys.stdout)
    else:
        cli()
