"""What was registered of a study as a page of Markdown: the same bytes for the same registration."""

from __future__ import annotations

from lorarar.util.formatting import bounds, count, in_words
from lorarar.util.tables import Table, as_markdown
from studies.figures import metric_title
from studies.power import ASSUMED, effect_in_words
from studies.rules import StudyRules
from studies.store.preregistration import Preregistration

PRIMARIES = {
    "": "none was named",
    "preference": "preference: wins minus losses of the method named first, as shares of the votes",
    "comparable": "the share of votes in which the method named first is comparable or better",
    "shown": "the share of votes that see both subject and style in a picture",
}


def as_page(registered: Preregistration) -> str:
    """The page, which ends with the registration's digest."""
    when = "before anybody voted"
    if registered.votes:
        when = f"AFTER people had given {count(registered.votes, 'vote')}: this is no preregistration"
    lead = [
        f"Registered on {registered.day}, {when}, with lorarar {registered.version}.",
        "This page is the database's row in words: the digest at its end is over all of it, and reports on the study "
        "name it and say what did not keep to it.",
    ]
    tables = [_study(registered), _hypotheses(registered), _evaluation(registered), _size(registered)]
    end = f"Digest of this registration: `{registered.digest}`\n"
    return f"# Preregistration of the study {registered.study}\n\n{as_markdown(tables, lead)}\n{end}"


def _study(registered: Preregistration) -> Table:
    drawing = registered.drawing
    kinds = {"ab": "A/B: which of two pictures is better", "absolute": "absolute: what one picture shows"}
    rows = [
        ["digest", registered.study_digest],
        ["kind", kinds[registered.kind]],
        ["methods", ", ".join(registered.methods)],
        ["pictures", registered.collection or "of a collection that is not known"],
        ["scenario", registered.scenario],
        ["seed", str(registered.seed)],
        ["items", f"{registered.items} of {count(registered.pairs, 'subject-style pair')}"],
        ["shown again", str(registered.repeats)],
        ["attention checks", str(registered.checks)],
    ]
    if registered.kind == "ab":
        rows.append(["left out", f"{count(drawing.get('identical', 0), 'comparison')} of identical pictures"])
    return Table("The study", ["what", "as registered"], rows)


def _hypotheses(registered: Preregistration) -> Table:
    rows = [[str(number), sentence] for number, sentence in enumerate(registered.hypotheses, start=1)]
    return Table("Hypotheses", ["number", "hypothesis"], rows)


def _evaluation(registered: Preregistration) -> Table:
    rules = StudyRules(**registered.rules)
    primary = PRIMARIES.get(rules.primary) or f"Pearson's r of people's answers with {metric_title(rules.primary)}"
    rows = [["primary figure", primary], ["left out", in_words(rules.exclusions) or "nobody"]]
    if registered.kind == "ab":
        equivalent = f"each comparable or better in more than {rules.margin:.0%} of the votes" if rules.margin else ""
        pairing = "of one seed where both methods have it" if rules.pairing == "seed" else "drawn independently"
        rows += [["equivalent", equivalent or "no margin was fixed"], ["two pictures", pairing]]
    several = registered.kind == "ab" and len(registered.methods) > 2
    return Table(
        "Evaluation",
        ["what", "as registered"],
        rows,
        ["p values of all comparisons of two methods are adjusted by Holm's method."] if several else [],
    )


def _size(registered: Preregistration) -> Table:
    power = registered.power
    if registered.kind == "ab":
        power_words = (
            f"a preference of {effect_in_words(power['effect'])} is found in {power['share']:.0%} of such studies"
        )
    elif power["interval"] is None:
        power_words = "too few pairs for a correlation"
    else:
        power_words = f"a correlation of {power['r']:g} has an interval of {bounds(*power['interval'])}"
    rows = [["raters planned", str(registered.raters)], ["power", power_words]]
    return Table("Size", ["what", "as registered"], rows, [f"Simulated; {ASSUMED}."] if registered.kind == "ab" else [])
