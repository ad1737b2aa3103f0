"""Options of each training, and what users are told of them: flags of ``lorarar train`` and keys of a plan's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, get_args

from lorarar.lora.axis import Axis
from lorarar.merging.heads.table import HEADS, HeadName
from lorarar.merging.methods.table import KEY_VALUE, OTHERS
from lorarar.util.options import Option, Spelling, check_values
from lorarar.util.seeds import LARGEST

if TYPE_CHECKING:
    from lorarar.lora.adapter import Part
    from lorarar.merging.head import ConstantRule, OthersRule

Fidelity = Literal["l2", "mse"]
Regulariser = Literal["mean-dot", "dot", "cosine"]
Optimiser = Literal["adamw", "adamw8bit"]
HypernetObjective = Literal["paper", "truth", "accepted"]
Values_co = TypeVar("Values_co", covariant=True)


@dataclass(frozen=True)
class LoraOptions:
    """Options of a LoRA's training; the defaults are the paper's (Section A1.3)."""

    rank: int = 64
    steps: int = 1000
    rate: float = 5e-5
    batch: int = 1
    seed: int = 0
    mirrored: bool = False  # also mirror images, half of the time
    # Not of the paper's:
    decay: float = 0.0  # share of the steps, at the end, over which the rate falls to zero
    feed_forward: bool = False  # also layers of the feed-forward parts, beside those of attention
    optimiser: Optimiser = "adamw"


@dataclass(frozen=True)
class HypernetOptions:
    """Options of a hypernetwork's training; the defaults are the paper's (Sections 3.3, 3.4, A1.3) but the regulariser.

    Eq. 3's plain dot product grows with a base's columns. At SDXL's size it starts a hundred times above both fidelity
    terms at the paper's lambda, and drives every coefficient to one side; see ``lorarar.training.regularisers``.
    """

    hidden: int = 128
    parts: tuple[Part, ...] = ()  # the head's own, which are the paper's query and output of columns
    key_value: ConstantRule = "mean"
    fidelity: Fidelity = "l2"
    regulariser: Regulariser = "mean-dot"
    strength: float = 0.01  # lambda of Eq. 3
    steps: int = 5000
    rate: float = 0.01
    batch: int = 1  # noisy latents of content, and as many of style, a step
    seed: int = 0
    optimiser: Optimiser = "adamw"
    # Not of the paper's, whose LoRAs have layers of attention alone, and whose steps are of one pair:
    others: OthersRule = "key-value"
    objective: HypernetObjective = "paper"
    pairs: int = 1  # a step
    decay: float = 1.0  # share of the steps, at the end, over which the rate falls to zero
    average: float = 0.0  # decay of the moving average of weights, which is then the result
    head: HeadName = "columns"

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", self.parts or HEADS[self.head].parts)


@dataclass(frozen=True)
class PairOptions:
    """Options of any optimisation of one pair's coefficients: what these are of, and what ZipLoRA's paper says.

    What a kind adds is its axis and the term of its loss beside fidelity (``lorarar.training.regularisers.term_of``).
    """

    axis: ClassVar[Axis]
    attention_alone: ClassVar[bool] = False  # whether layers outside attention are summed instead

    steps: int = 100
    rate: float = 0.01
    batch: int = 1  # noisy latents of content, and as many of style, a step
    fidelity: Fidelity = "l2"
    seed: int = 0
    optimiser: Optimiser = "adamw"


@dataclass(frozen=True)
class ZipOptions(PairOptions):
    """Options of ZipLoRA's optimisation; steps, rate and lambda are the paper's (Section A1.3).

    The regulariser is the cosine, not Eq. 3's plain dot product: over a thousand columns that starts near a
    thousand, outweighs the fidelity terms at any lambda of this size, and in 100 steps pulls all coefficients
    alike to a fraction of themselves. The cosine is one a layer at most, so it starts below the fidelity terms on
    every base (5.6 at SDXL's 560 layers, beside some 26). It stays, although the hypernetwork's default is another:
    coefficients and pictures are found again by these options, and a new default would make them all anew.
    """

    axis: ClassVar[Axis] = "column"
    attention_alone: ClassVar[bool] = True

    regulariser: Regulariser = "cosine"
    strength: float = 0.01  # lambda


@dataclass(frozen=True)
class RankOptions(PairOptions):
    """Options of ZipRank's optimisation; both weights of its layer priors are those of DuoLoRA's code."""

    axis: ClassVar[Axis] = "rank"

    nuclear: float = 0.01  # lambda_n
    sparsity: float = 0.01  # lambda_s


@dataclass(frozen=True)
class SoupsOptions(PairOptions):
    """Options of LoRA Soups' optimisation, whose loss is fidelity alone."""

    axis: ClassVar[Axis] = "layer"


def options_facts(options: LoraOptions | HypernetOptions | PairOptions) -> dict[str, Any]:
    """The options by name, as keys and headers have them.

    Those that 0.1 did not have are left out where they are as 0.1 was, so that what it made is found again.
    """
    defaults = type(options)()
    later = {row.name for kind in (*OF_PAIRS.values(), HYPERNET) for row in kind.rows if row.later}
    return {
        name: value for name, value in asdict(options).items() if name not in later or value != getattr(defaults, name)
    }


@dataclass(frozen=True)
class Training(Generic[Values_co]):
    """A kind of training: the class of its options, which has their defaults, and a row for each of them."""

    values: type[Values_co]
    rows: tuple[Option, ...]

    @property
    def options(self) -> dict[str, Option]:
        """The options by name, with their defaults."""
        defaults = {row.name: getattr(self.values, row.name) for row in self.rows}
        return {
            row.name: replace(row, default=None if (value := defaults[row.name]) == () else value) for row in self.rows
        }

    def read(self, what: str, given: Mapping[str, Any], spelling: Spelling = "flag") -> Values_co:
        """The options with these values, and defaults for the others.

        Raises:
            OptionError: ``what`` does not take one of them, or a value is not accepted.
        """
        return self.values(**check_values(what, self.options, given, spelling))


_COMMON = (
    Option("steps", "Training steps.", "integer", least=1),
    Option("rate", "Learning rate.", above=0, most=1000),
    Option("seed", "Seed.", "integer", least=0, most=LARGEST),
    Option(
        "optimiser",
        "adamw, or with bitsandbytes adamw8bit, whose state takes a quarter of the memory.",
        "choice",
        choices=get_args(Optimiser),
        later=True,
    ),
)
_DECAY = Option(
    "decay", "Share of the steps, at the end, over which the rate falls to zero.", least=0, most=1, later=True
)
_OF_FIDELITY = (
    Option("batch", "Noisy latents of each side a step.", "integer", least=1),
    Option(
        "fidelity",
        "Fidelity terms: l2 (paper) or mse (authors' code).",
        "choice",
        choices=get_args(Fidelity),
        own_flag="--loss",
    ),
)
_OF_LOSS = (
    *_OF_FIDELITY,
    Option("strength", "Weight of the regulariser in Eq. 3.", finite=True, own_flag="--lambda"),
    Option(
        "regulariser",
        "How much m_c and m_s overlap. mean-dot: abs(m_c . m_s) as a mean over columns and layers, in the unit of "
        "the fidelity terms; with l2 it starts below them on every base. dot: Eq. 3 as printed, a sum, which at "
        "SDXL's size starts 100 times above them and leaves one side nothing. cosine: the authors' code, a sum over "
        "layers, with l2 below them on SDXL (2.8 beside some 26).",
        "choice",
        choices=get_args(Regulariser),
    ),
)

LORA = Training(
    LoraOptions,
    (
        Option("rank", "Rank of the LoRA.", "integer", least=1),
        *_COMMON,
        Option("batch", "Pictures a step.", "integer", least=1),
        Option("mirrored", "Also mirror the pictures.", "switch"),
        _DECAY,
        Option(
            "feed_forward", "Also layers of the feed-forward parts, beside those of attention.", "switch", later=True
        ),
    ),
)
ZIPLORA = Training(ZipOptions, (*_COMMON, *_OF_LOSS))
ZIPRANK = Training(
    RankOptions,
    (
        *_COMMON,
        *_OF_FIDELITY,
        Option("nuclear", "Weight of the nuclear norms in ZipRank's layer priors.", least=0, finite=True),
        Option("sparsity", "Weight of the sums of absolute values in them.", least=0, finite=True),
    ),
)
SOUPS = Training(SoupsOptions, (*_COMMON, *_OF_FIDELITY))
HYPERNET = Training(
    HypernetOptions,
    (
        *_COMMON,
        *_OF_LOSS,
        Option(
            "key_value",
            "Parts of attention that are not predicted: mean, half of each side (paper), or sum (authors' code).",
            "choice",
            choices=KEY_VALUE.choices,
        ),
        Option(
            "others",
            "Layers outside attention that are not predicted: as --key-value, or mean or sum.",
            "choice",
            choices=OTHERS.choices,
            later=True,
        ),
        Option(
            "parts",
            "Parts predicted: any of query, key, value, output and feed-forward.",
            "choices",
            choices=("query", "key", "value", "output", "feed-forward"),
            words="PARTS",
            default_words="query,output; of ranks and balance all",
        ),
        Option(
            "head",
            "The network's form. " + " ".join(f"{name}: {row.words}." for name, row in HEADS.items()),
            "choice",
            choices=tuple(HEADS),
            later=True,
        ),
        Option("hidden", "Width of the hidden layer.", "integer", least=1),
        Option(
            "objective",
            "paper: Eq. 3. truth: the pairs' true pictures, which Pocket's have and other bases' do not: a ceiling. "
            "accepted: the pictures of --accepted that their judge accepts, on any base.",
            "choice",
            choices=get_args(HypernetObjective),
            later=True,
        ),
        Option("pairs", "Pairs a step.", "integer", least=1, later=True),
        _DECAY,
        Option(
            "average",
            "Decay of a moving average of the weights, which is then the result, like 0.98; 0: the last weights are.",
            least=0,
            most=0.99999,
            later=True,
        ),
    ),
)

#: Optimisations of a pair's coefficients, by the name of their method.
OF_COEFFICIENTS: Mapping[str, Training[PairOptions]] = {"ziplora": ZIPLORA, "ziprank": ZIPRANK, "soups": SOUPS}

#: Of the rows of a plan that train for each pair before they merge, by their method's name.
OF_PAIRS: Mapping[str, Training[LoraOptions | PairOptions]] = {"joint": LORA, **OF_COEFFICIENTS}
