"""Mutants that mutmut's operators make, with those of ours: a sample that stays the same while its lines do."""

import difflib
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import libcst as cst
from mutmut import configuration
from mutmut.mutation import file_mutation, mutators

from tests.mutants.survivors import change_of
from tests.probe_mutants.mutants import Mutant
from tests.running import ROOT

SOURCES = (
    "fhir/token/*.py", "fhir/http/views.py", "fhir/http/enforcement.py", "fhir/http/reading.py", "fhir/search/*.py",
    "fhir/store/lookup.py", "fhir/store/visibility.py", "smart/decisions/*.py", "smart/search/*.py",
)  # fmt: skip
# what of the decisions only other doors ask for: gateways, AuthZEN, a page
WITHOUT = ("gateway.py", "authzen.py", "answer.py", "fhir_request.py", "refusal_reports.py")
SEED, ONE_OF = "2026", 16


def generated_mutants(one_of: int = ONE_OF, seed: str = SEED, root: Path = ROOT) -> Iterator[Mutant]:
    """One of so many. Whether one is taken depends on its function and its change, and on nothing else."""
    files = (file for pattern in SOURCES for file in sorted(root.glob(pattern)) if file.name not in WITHOUT)
    for file in files:
        for mutant in _of_file(file, file.relative_to(root).as_posix()):
            if int(sha256(f"{seed} {mutant.name}".encode()).hexdigest(), 16) % one_of == 0:
                yield mutant


def _of_file(file: Path, name: str) -> Iterator[Mutant]:
    text = file.read_text(encoding="utf-8")
    module, mutations = _mutations(name, text)
    met: dict[str, int] = {}
    for each in mutations:
        function = each.contained_by_top_level_function
        broken = _broken(module, text, function, each) if isinstance(function, cst.FunctionDef) else text
        if not isinstance(function, cst.FunctionDef) or broken == text:
            continue
        where = f"{name.removesuffix('.py').replace('/', '.')}.{function.name.value}"
        old, new = _differing(text, broken)
        change = change_of("\n".join([*(f"-{line}" for line in old), *(f"+{line}" for line in new)]))
        met[f"{where}: {change}"] = turn = met.get(f"{where}: {change}", 0) + 1
        title = f"{where}: {change}" + (f" ({turn})" if turn > 1 else "")
        yield Mutant(name=title, file=name, old="\n".join(old), new="\n".join(new), text=broken)


def _broken(module: cst.Module, text: str, function: cst.FunctionDef, mutation: file_mutation.Mutation) -> str:
    """The file with another function in place of this one."""
    nodes = mutation.original_node, mutation.mutated_node
    whole, changed = module.code_for_node(function), function.deep_replace(*nodes)
    if text.count(whole) == 1 and isinstance(changed, cst.FunctionDef):
        return text.replace(whole, module.code_for_node(changed))
    everything = module.deep_replace(*nodes)  # of a method, which is indented
    return everything.code if isinstance(everything, cst.Module) else text


def _mutations(name: str, text: str) -> tuple[cst.Module, list[file_mutation.Mutation]]:
    """With the operators of tests/mutants/mutmut_here.py, whose script sets them for a process of its own."""
    ours = _operators()
    visitor, operators = file_mutation.MutationVisitor, mutators.mutation_operators
    theirs = [each for each in operators if each[1] not in ours.LEFT_OUT]
    try:
        setattr(file_mutation, "MutationVisitor", ours.Visitor)  # noqa: B010
        setattr(file_mutation, "mutation_operators", [*theirs, *ours.OURS])  # noqa: B010
        module, mutations, _, _ = file_mutation.create_mutations(name, text)
    finally:
        setattr(file_mutation, "MutationVisitor", visitor)  # noqa: B010
        setattr(file_mutation, "mutation_operators", operators)  # noqa: B010
    return module, mutations


@cache
def _operators() -> ModuleType:
    """mutmut looks for its settings where it stands, once, and is content with a folder `lib`."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path("lib").mkdir()
        configuration.config()
    from tests.mutants import mutmut_here

    return mutmut_here


def _differing(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines of either that the other has not."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))[2:]
    taken = [line[1:] for line in lines if line.startswith("-")]
    return taken, [line[1:] for line in lines if line.startswith("+")]
