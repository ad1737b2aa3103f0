"""What crosses machines: a packet's manifest and lines of votes; checked to the last field before anything is used."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lorarar.util.errors import reason
from studies.errors import PacketError, StudyError
from studies.rater.design import Design, VoteAnswer
from studies.rater.names import SIMULATED
from studies.rater.patterns import CODE, DIGEST, RENDERER, VOTE_ID, is_day, matches
from studies.rater.votes import MOST_COLOURS, MOST_PIXELS, MOST_SECONDS, Screen, Vote

FORMAT = "lorarar-study-1"


def _day(text: str) -> str:
    if not is_day(text):
        raise ValueError("not a day; accepted is YYYY-MM-DD")
    return text


Digest = Annotated[str, Field(pattern=f"^{DIGEST}$")]
VoteId = Annotated[str, Field(pattern=f"^{VOTE_ID}$")]
Day = Annotated[str, AfterValidator(_day)]
Code = Annotated[str, Field(pattern=f"^{CODE}$")]
Size = Annotated[int, Field(ge=0, le=MOST_PIXELS)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class PacketWording(_Model):
    """The words of a study."""

    instruction: str
    consent: str
    tie: str


class Manifest(_Model):
    """A design in a packet."""

    format: Literal["lorarar-study-1"]
    kind: Literal["ab", "absolute"]
    wording: PacketWording
    repeats: Annotated[int, Field(ge=0, le=100_000)]
    items: Annotated[list[list[str]], Field(max_length=100_000)]

    def design(self) -> Design:
        """The design that the manifest describes.

        Raises:
            PacketError: an item is not a purpose and digests, or the design is not whole.
        """
        for row in self.items:
            if (
                len(row) not in (4, 5)
                or row[0] not in ("practice", "plain", "attention")
                or not all(matches(DIGEST, digest) for digest in row[1:])
            ):
                raise PacketError("the manifest has an item that is not [PURPOSE, SUBJECT, STYLE, PICTURE…] by digests")
        try:
            return Design.of_record(self.model_dump(exclude={"format"}))
        except StudyError as error:
            raise PacketError(f"the manifest is not that of a study: {error}") from None


class PacketScreen(_Model):
    """How pictures were shown."""

    renderer: Annotated[str, Field(pattern=f"^{RENDERER}$")]
    columns: Size
    rows: Size
    cell_width: Size
    cell_height: Size
    picture_width: Size
    picture_height: Size
    colours: Annotated[int, Field(ge=0, le=MOST_COLOURS)] = 0


class VoteLine(_Model):
    """A line of a file of votes: a rater's consent, or a vote."""

    study: Digest
    rater: Code
    consented: Day | None = None
    id: VoteId | None = None
    trial: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    answer: Literal["left", "similar", "right", "both", "subject", "style", "neither"] | None = None
    seconds: Annotated[float, Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)] | None = None
    screen: PacketScreen | None = None
    supersedes: VoteId | None = None
    day: Day | None = None

    @classmethod
    def of_vote(cls, study: str, rater: str, vote: Vote) -> Self:
        """The line of a vote."""
        return cls.model_validate({"study": study, "rater": rater, **vars(vote), "screen": vote.screen.record()})

    def text(self) -> str:
        """The line as JSON, with its end."""
        return self.model_dump_json(exclude_none=True) + "\n"

    def vote(self) -> Vote | None:
        """The vote of the line; None where it is the rater's consent.

        Raises:
            PacketError: the line is neither a consent nor a whole vote.
        """
        needed = (self.id, self.trial, self.answer, self.seconds, self.screen, self.day)
        if self.consented is not None and needed == (None,) * 6 and self.supersedes is None:
            return None
        if self.consented is not None or None in needed:
            raise PacketError("a line of votes is a consent or a whole vote")
        values: dict[str, Any] = self.model_dump(include=set(Vote.__dataclass_fields__))
        return Vote(**{**values, "answer": cast(VoteAnswer, self.answer), "screen": Screen(**values["screen"])})


def read_line(text: bytes) -> VoteLine:
    """Read a line of a file of votes.

    Raises:
        PacketError: it is neither a consent nor a person's vote.
    """
    try:
        line = VoteLine.model_validate_json(text)
    except ValidationError as error:
        raise PacketError(first_complaint(error)) from None
    if line.rater.startswith(SIMULATED):
        raise PacketError(f"the rater {line.rater} is simulated; only people's votes are taken in")
    line.vote()
    return line


def read_manifest(text: bytes) -> Design:
    """Read the design in a manifest.

    Raises:
        PacketError: the text is not the manifest of a study.
    """
    try:
        return Manifest.model_validate_json(text).design()
    except ValidationError as error:
        raise PacketError(f"manifest.json is not that of a study: {first_complaint(error)}") from None


def write_manifest(design: Design) -> bytes:
    """Write the manifest of a design."""
    return Manifest.model_validate({"format": FORMAT, **design.record()}).model_dump_json(indent=1).encode()


def first_complaint(error: ValidationError) -> str:
    """The first complaint of a validation, in one line."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))[:80]
    return f"{where}: {first['msg']}" if where else reason(ValueError(first["msg"]))
