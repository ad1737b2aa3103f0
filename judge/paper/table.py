"""The one table of items: ours, then those of the rooms above and of other packages (``lorarar.paper_items``)."""

from __future__ import annotations

from judge.paper.errors import PaperError
from judge.paper.item import PaperItem
from lorarar.util.registry import Registry
from lorarar.util.suggestion import did_you_mean

_HOME = "judge.paper.items"
ALL = "all"  # in place of names: all of the paper
GRID = "the test grid"

ITEMS = Registry(
    "lorarar.paper_items",
    PaperItem,
    (
        PaperItem(
            "table-1",
            "MARS2 by method, average and best case",
            "Table 1",
            GRID,
            minutes=28,
            module=f"{_HOME}.table_1",
            order=1,
            any_base=True,
        ),
        PaperItem(
            "table-2",
            "time, parameters, attempts and memory of a merge",
            "Table 2",
            f"{GRID}; each method once more in a process of its own",
            minutes=31,
            module=f"{_HOME}.table_2",
            order=2,
            any_base=True,
            seconds=150,
        ),
        PaperItem(
            "table-3",
            "another base: its columns with LoRAs of one's own, its size without",
            "Table 3",
            "LoRAs of random weights at true size; for MARS2 another --base with LoRAs",
            minutes=1,
            module=f"{_HOME}.table_3",
            order=3,
            any_base=True,
            seconds=60,
        ),
        PaperItem(
            "table-a2",
            "CLIP-I, DINO and CLIP-T by method",
            "Table A2",
            GRID,
            minutes=28,
            module=f"{_HOME}.table_a2",
            order=22,
            any_base=True,
        ),
        PaperItem(
            "table-a3",
            "which parts of attention are predicted, all fifteen choices",
            "Table A3",
            "fifteen small networks, which --train trains in some 13 minutes, and the validation cells",
            minutes=10,
            module=f"{_HOME}.table_a3",
            order=23,
        ),
        PaperItem(
            "figure-a7",
            "MARS2 by subject and by style",
            "Figure A7",
            GRID,
            minutes=28,
            module=f"{_HOME}.figure_a7",
            order=27,
            any_base=True,
        ),
        PaperItem(
            "new-concepts",
            "new subjects in new styles, of a single picture each",
            "A2.5",
            "five LoRAs, trained of what is drawn for them, and a grid of their own",
            minutes=7,
            module=f"{_HOME}.new_concepts",
            order=35,
        ),
        PaperItem(
            "new-splits",
            "a network trained on some kinds of subjects and styles, on others",
            "A2.6",
            "two small networks, which --train trains in some 2 minutes, and two grids of their own",
            minutes=9,
            module=f"{_HOME}.new_splits",
            order=36,
        ),
        PaperItem(
            "recontextualisation",
            "the merge under prompts of new scenes and actions",
            "A2.7",
            "a grid of two subjects with nine prompts",
            minutes=5,
            module=f"{_HOME}.recontextualisation",
            order=37,
        ),
        PaperItem(
            "figure-3-8",
            "coefficients of the same columns by ZipLoRA and LoRA.rar",
            "Figures 3 and 8",
            GRID,
            minutes=28,
            module=f"{_HOME}.figure_3_8",
            order=13,
            any_base=True,
            seconds=20,
        ),
        PaperItem(
            "question-4",
            "how robust the judge is to wording, order and settings",
            "Open question 4",
            f"{GRID}, and some 3,000 questions to the judge",
            minutes=30,
            module=f"{_HOME}.question_4",
            order=44,
            any_base=True,
            seconds=120,
        ),
        PaperItem(
            "check-3",
            "does it help that a column sees the others? heads compared",
            "Next check 3",
            "networks trained alike with other heads, which --train trains, else the record of some; nothing is drawn",
            minutes=5,
            module=f"{_HOME}.check_3",
            order=53,
            seconds=300,
        ),
        PaperItem(
            "check-1",
            "the diversity of the training set, and how near held-out concepts lie",
            "Next check 1",
            "Pocket's LoRAs and their pictures; nothing is drawn",
            minutes=0.5,
            module=f"{_HOME}.check_1",
            order=51,
            seconds=30,
        ),
        PaperItem(
            "figure-5",
            "what the metrics find best, and what the judge says of it",
            "Figure 5",
            GRID,
            minutes=28,
            module=f"{_HOME}.figure_5",
            order=15,
            any_base=True,
        ),
        PaperItem(
            "figure-9",
            "sheets of pictures: pairs by methods, and every pair",
            "Figures 9 and 10",
            GRID,
            minutes=28,
            module=f"{_HOME}.figure_9",
            order=19,
            any_base=True,
        ),
        PaperItem(
            "question-1",
            "performance against number and diversity of training LoRAs",
            "Open question 1",
            "networks of a zoo, which --train trains, else the record of some; nothing is drawn",
            minutes=6,
            module=f"{_HOME}.question_1",
            order=41,
            seconds=350,
        ),
        PaperItem(
            "question-2",
            "where it fails: distance from the training set against success",
            "Open question 2",
            "a grid of held-out subjects and styles, by two methods",
            minutes=6,
            module=f"{_HOME}.question_2",
            order=42,
            seconds=20,
        ),
        PaperItem(
            "methods",
            "every method by one judge, with pairs, the truth, seconds and memory",
            "Beyond the paper",
            "the test grid with all methods; each once more in a process of its own",
            minutes=54,
            module=f"{_HOME}.methods",
            order=61,
            any_base=True,
            seconds=600,
            in_all=False,
        ),
        PaperItem(
            "tuning",
            "a setting searched for each pair, beside the best single method",
            "Beyond the paper",
            "the test grid with all methods, and a search of 40 pictures for each pair",
            minutes=65,
            module=f"{_HOME}.tuning",
            order=62,
            any_base=True,
            seconds=1200,
            in_all=False,
        ),
        PaperItem(
            "question-3",
            "coefficients by block and part, over pairs and within one",
            "Open question 3",
            "a hypernetwork and LoRAs; nothing is drawn",
            minutes=0.5,
            module=f"{_HOME}.question_3",
            order=43,
            any_base=True,
            any_network=True,
            seconds=30,
        ),
    ),
    order=lambda item: item.order,
)


def items_named(names: list[str]) -> list[PaperItem]:
    """Items by name, each once, in the order of the table; ``all`` stands for all of the paper.

    Raises:
        PaperError: there is none of a name; the message lists all.
    """
    unknown = [name for name in names if name not in (ALL, *ITEMS)]
    if unknown:
        near = did_you_mean(unknown[0], (*ITEMS, ALL))
        raise PaperError(f"no item {unknown[0][:60]!r}; there are {', '.join(ITEMS)}, and {ALL}{near}")
    return [item for name, item in ITEMS.items() if name in names or (ALL in names and item.in_all)]
