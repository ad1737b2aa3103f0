"""Options: what is accepted of each type, and how it is said."""

import math

import pytest

from lorarar.util.options import Option, OptionError, check_values, merge_options

SHARE = Option("share", "A share.", default=0.5, above=0, most=1)
FORCE = Option("force", "A force.", default=1.0, least=0)
PAIR = Option("pair_of", "Two numbers.", "numbers", default=(1.0, 1.0), length=2)
COUNT = Option("count", "A count.", "integer", least=1)
SIDE = Option("side", "A side.", "choice", choices=("left", "right"))
LOUD = Option("loud", "Loud or not.", "switch", default=False)


@pytest.mark.parametrize(
    ("option", "given", "wanted"),
    [
        (SHARE, "0.25", 0.25),
        (SHARE, 1, 1.0),
        (FORCE, "inf", math.inf),
        (PAIR, "1,0.5", (1.0, 0.5)),
        (PAIR, [0, -2], (0.0, -2.0)),
        (COUNT, "3", 3),
        (COUNT, 3.0, 3),
        (SIDE, "left", "left"),
        (LOUD, True, True),
    ],
)
def test_values_become_what_the_option_is(option, given, wanted):
    value = option.check(given)
    assert (value, type(value)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("option", "given", "words"),
    [
        (SHARE, 0, "a number above 0 and up to 1"),
        (SHARE, math.nan, "a number above 0 and up to 1"),
        (SHARE, True, "a number"),
        (FORCE, -1, "a number from 0 to inf"),
        (PAIR, "1", "2 finite numbers like 1,1"),
        (PAIR, "1,2,3", "2 finite numbers"),
        (PAIR, [True, 1.0], "2 finite numbers"),
        (PAIR, "nan,1", "2 finite numbers"),
        (PAIR, "", "2 finite numbers"),
        (COUNT, 2.7, "an integer of 1 or more"),
        (COUNT, "2.7", "an integer of 1 or more"),
        (COUNT, math.inf, "an integer of 1 or more"),
        (COUNT, None, "an integer"),
        (SIDE, ["left"], "left, right"),
        (LOUD, "yes", "true and false"),
    ],
)
def test_other_values_are_refused_with_what_is_accepted(option, given, words):
    with pytest.raises(OptionError, match=words):
        option.check(given)


def test_a_misspelt_option_is_answered_in_the_same_spelling():
    options = {option.name: option for option in (FORCE, PAIR)}
    with pytest.raises(OptionError, match=r"^it takes no --forc; it takes --force, --pair-of; did you mean --force\?$"):
        check_values("it", options, {"forc": 1})
    with pytest.raises(OptionError, match=r"^it takes no x; it takes force, pair_of$"):
        check_values("it", options, {"x": 1}, "key")
    with pytest.raises(OptionError, match=r"^pair_of is 3; accepted"):
        check_values("it", options, {"pair_of": 3}, "key")


def test_one_name_means_one_thing():
    assert list(merge_options([FORCE, SHARE, FORCE])) == ["force", "share"]
    with pytest.raises(OptionError, match="--force means something else elsewhere"):
        merge_options([FORCE, Option("force", "A force.", default=2.0, least=0)])
