"""What the report says, as HTML: the result and what to fix first, the sums, every check."""

from collections.abc import Iterator
from html import escape

from smartauth_probe.checks.check import Outcome, Section
from smartauth_probe.report.html_findings import accepted, finding, policies
from smartauth_probe.report.report import Report, lead

FIRST = 3
LEGEND = "red failed, amber policy, green passed, grey skipped"
ORDER = (Outcome.FAILED, Outcome.POLICY, Outcome.PASSED, Outcome.SKIPPED)
BARS = {Outcome.FAILED: "no", Outcome.POLICY: "note", Outcome.PASSED: "ok", Outcome.SKIPPED: "off"}
WORDS = {Outcome.FAILED: "Failed", Outcome.POLICY: "Policy", Outcome.SKIPPED: "Skipped", Outcome.PASSED: "Passed"}


def body(report: Report) -> str:
    head = [_slip(report), "<h2>By section</h2>", _sums(report), _filter(report)]
    return "\n".join([*head, *_parts(report), _next(report)])


def _slip(report: Report) -> str:
    facts = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _facts(report).items())
    first = "".join(
        f'<li><a href="#{each.check.name}"><strong>{escape(each.check.headline.rstrip("."))}.</strong></a> '
        f"{escape(each.check.why.partition('. ')[2])}</li>"
        for each in report.failed[:FIRST]
    )
    todo = f'<h2>What to fix first</h2><ol class="tight">{first}</ol>' if first else ""
    counts = {outcome: len(report.run.of(outcome)) for outcome in Outcome}
    rest = (
        f"{counts[Outcome.PASSED]} checks passed, {counts[Outcome.SKIPPED]} were skipped. Matters of policy: "
        f"{counts[Outcome.POLICY]}. No standard decides them, you should."
    )
    full = (
        '<p class="tag tag-bad">Holds answers as they came: for local use only</p>' if report.evidence.is_full else ""
    )
    return (
        f'<div class="slip"><aside class="stub" aria-label="What was probed"><h2 class="first">What was probed</h2>'
        f'<dl class="facts">{facts}</dl></aside><div class="sheet">{full}<h1>{escape(report.title)}</h1>'
        f'<p class="lead">{escape(lead(report))}</p>{_left_behind(report)}{todo}'
        f'<p class="soft">{rest}</p></div></div>'
    )


def _left_behind(report: Report) -> str:
    """What the probe made on the server and could not delete."""
    paths = "".join(f"<li><code>{escape(path)}</code></li>" for path in report.remains)
    told = "<p><strong>Made by the probe and still there.</strong> Delete these yourself:</p>"
    return f'<div class="notice notice-warn">{told}<ul class="tight">{paths}</ul></div>' if paths else ""


def _facts(report: Report) -> dict[str, str]:
    run = report.run
    patients = " and ".join(
        f"{letter} is <code>{escape(key)}</code>" for letter, key in zip("AB", report.patients, strict=False)
    )
    return {
        "FHIR server": f"<code>{escape(report.server)}</code>",
        "Says it is": escape(report.says_it_is),
        "When": f"{run.began:%d %B %Y, %H:%M} UTC, for {run.seconds:.0f} s",
        "Sent": f"{report.requests:,} requests, one at a time, {'writes too' if report.writes else 'reads only'}",
        "Tokens from": escape(report.tokens_from),
        "Patients": patients,
        "Probe": f"{escape(report.version)}, exit status {report.exit_status}",
        **({"Stopped": escape(run.stopped)} if run.stopped else {}),
    }


def _sums(report: Report) -> str:
    rows = "\n".join(_row(section, counts) for section, counts in report.by_section)
    totals = {outcome: sum(counts[outcome] for _, counts in report.by_section) for outcome in Outcome}
    share = '<span class="hidden-label">Share</span>'
    heads = "".join(f'<th scope="col">{word}</th>' for word in ("Section", share, *WORDS.values()))
    return (
        '<table class="stack sums"><caption class="hidden-label">Checks by section</caption><thead><tr>'
        f"{heads}</tr></thead><tbody>{rows}</tbody><tfoot><tr>"
        f'<th scope="row">All {sum(totals.values())}</th><td class="w soft">'
        f"{LEGEND}</td>{_cells(totals)}</tr></tfoot></table>"
    )


def _row(section: Section, counts: dict[Outcome, int]) -> str:
    total, place, bars = sum(counts.values()), 0.0, ""
    for outcome in ORDER:
        if share := counts[outcome] / total * 100:
            bars += f'<rect class="{BARS[outcome]}" x="{place:.1f}%" width="{max(share - 0.6, 0.8):.1f}%" height="12"/>'
            place += share
    label = ", ".join(f"{counts[outcome]} {WORDS[outcome].lower()}" for outcome in ORDER)
    return (
        f'<tr><th scope="row">{escape(section.title)}<span class="hint">{escape(section.about)}</span></th>'
        f'<td class="w"><svg class="bar" role="img" aria-label="{label}">{bars}</svg></td>{_cells(counts)}</tr>'
    )


def _cells(counts: dict[Outcome, int]) -> str:
    shown = {outcome: str(counts[outcome]) if counts[outcome] else '<span class="soft">0</span>' for outcome in WORDS}
    if counts[Outcome.FAILED]:
        shown[Outcome.FAILED] = f"<strong>{counts[Outcome.FAILED]}</strong>"
    return "".join(f'<td class="n" data-label="{WORDS[each]}">{text}</td>' for each, text in shown.items())


def _filter(report: Report) -> str:
    chips = "".join(
        f'<label class="chip"><input type="radio" name="show" id="f-{outcome.value}"> {word} '
        f'<span class="n">{len(report.failed if outcome is Outcome.FAILED else report.run.of(outcome))}</span></label>'
        for outcome, word in WORDS.items()
    )
    return (
        '<fieldset class="filter after"><legend>Show</legend><div class="chips"><label class="chip">'
        f'<input type="radio" name="show" id="f-all" checked> Everything</label>{chips}</div></fieldset>'
    )


def _parts(report: Report) -> Iterator[str]:
    found = report.failed
    yield _part("failed", f"Failed: {len(found)}", "".join(finding(report, each) for each in found) + accepted(report))
    policy = report.run.of(Outcome.POLICY)
    yield _part("policy", f"Policy: {len(policy)}", policies(policy))
    yield _part("skipped", f"Skipped: {len(report.run.of(Outcome.SKIPPED))}", _skipped(report))
    yield _part("passed", f"Passed: {len(report.run.of(Outcome.PASSED))}", _passed(report))


def _part(name: str, title: str, content: str) -> str:
    return (
        f'<section class="part p-{name}" aria-labelledby="h-{name}"><h2 id="h-{name}">{title}</h2>{content}</section>'
    )


def _skipped(report: Report) -> str:
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in report.run.of(Outcome.SKIPPED):
        reasons.setdefault((each.result.seen, each.result.to_run), []).append(each.check.name)
    rows = "".join(
        f'<tr><th scope="row">{len(names)}: <span class="hint">{escape(", ".join(names))}</span></th>'
        f'<td data-label="Why">{escape(why)}</td><td data-label="To run them">{escape(how)}</td></tr>'
        for (why, how), names in sorted(reasons.items(), key=lambda row: -len(row[1]))
    )
    heads = "".join(f'<th scope="col">{word}</th>' for word in ("Checks", "Why", "To run them"))
    caption = '<caption class="hidden-label">Skipped checks and why</caption>'
    return f'<table class="stack">{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>' if rows else ""


def _passed(report: Report) -> str:
    return "".join(_passed_of(report, section) for section, _ in report.by_section)


def _passed_of(report: Report, section: Section) -> str:
    names = [each.check.name for each in report.run.of(Outcome.PASSED) if each.check.section == section.key]
    count = f'<span class="hint">{len(names)} passed</span>'
    title = f"<h3>{escape(section.title)}</h3>"
    folded = f'<details class="group"><summary>{title} {count}</summary><p>{escape(", ".join(names))}</p></details>'
    return folded if names else ""


def _next(report: Report) -> str:
    name = report.failed[0].check.name if report.failed else "aud-longer"
    again = f"<code>{escape(report.again.probe)} --only {name}</code>"
    return (
        '<h2>Next</h2><ul class="tight">'
        f"<li>Fix one, then make its check alone: {again}</li>"
        "<li>Accept one for now: put it into a file for <code>--accept</code> with a reason and a date. It is then "
        "listed, and is no failure.</li>"
        "<li>In CI: exit status 0 is good, 1 is findings, 2 could not run. <code>--junit</code> and "
        "<code>--sarif</code> write files for your tools.</li></ul>"
    )
