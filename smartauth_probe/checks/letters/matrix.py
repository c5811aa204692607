"""Each interaction with each other letter."""

from smartauth_probe.checks.check import Check, Danger, Result, Run
from smartauth_probe.checks.judging import must_lack_scope
from smartauth_probe.checks.letters.interactions import FIX, INTERACTIONS, WORDS, Interaction
from smartauth_probe.checks.letters.section import KIND, SECTION, SOURCE
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.target.probe import Probe


def must_be_refused(interaction: Interaction, letters: str) -> Run:
    """With the right letter it is served, with these others alone it is not."""

    def run(probe: Probe) -> Result:
        if interaction.writes:
            return _refused_on_a_copy(probe, interaction, letters)
        if interaction.code:
            probe.need_interaction(KIND, interaction.code)
        record = probe.a.first(KIND)
        tokens = [probe.token(f"patient/{KIND}.{each}") for each in (interaction.letter, letters)]
        served, answer = (interaction.send(probe, record, token) for token in tokens)
        if not answer.is_ok:  # what comes out for a wrong letter comes out, whatever the right one gets
            probe.need(interaction.name, served)
        return must_lack_scope(answer, f"{interaction.name} with .{letters}")

    return run


def _refused_on_a_copy(probe: Probe, interaction: Interaction, letters: str) -> Result:
    """The same of a record that is made for it and deleted in the end."""
    with copies(probe) as made:
        record, token = made.of(probe.a), probe.token(f"patient/{KIND}.{letters}")
        with made.sending(KIND, record.content):
            answer = interaction.send(probe, record, token)
        if answer.is_ok:
            made.note(answer, KIND, record.content)
        return must_lack_scope(answer, f"{interaction.name} with .{letters}", Danger.WRITES)


def _check(interaction: Interaction, letter: str) -> Check:
    return Check(
        id=interaction.id,
        name=f"{interaction.name}-with-{letter}",
        section=SECTION.key,
        title=f"{interaction.name} is refused to a scope that only allows to {WORDS[letter]}",
        headline=f"{interaction.name} is done for a scope that only allows to {WORDS[letter]}",
        why=f"The person agreed that the app may {WORDS[letter]}, and the app does more. Nobody was asked about that.",
        fix=FIX,
        source=SOURCE,
        run=must_be_refused(interaction, letter),
        danger=Danger.WRITES if interaction.writes else Danger.RECORDS,
        writes=interaction.writes,
        since="STU3" if interaction.code == "patch" else "DSTU2",
    )


SECTION.checks.extend(
    _check(interaction, letter) for interaction in INTERACTIONS for letter in "cruds" if letter != interaction.letter
)
