"""From the soft bits of all modules to a message that can be trusted.

`decode_modules` tries the likeliest format information words; for each it searches the blocks' code words
(`block_search`), learns the padding as soon as the message's length is known, and accepts only what
`acceptance` bounds and `bitstream` parses. docs/reader.md, section "Decode and accept", has the reasons.
"""

import time
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.decoding.soft import acceptance, bitstream, codewords, padding
from service.decoding.soft import symbol_layout as layout
from service.decoding.soft.block_search import BlockSearch
from service.decoding.soft.characters import BitStreamError
from service.decoding.soft.codewords import Level
from service.decoding.soft.effort import Effort
from service.decoding.soft.format_information import FormatHypothesis, format_hypotheses

DEFAULT_WORK: Final = 200.0
"""Nominal milliseconds (see `effort`)."""
DEFAULT_SECONDS: Final = 2.0
"""A limit for safety, in case the work is not counted."""
_MOST_FORMATS: Final = 4
"""Format words tried; all that are tried count against the misread bound."""
_FORMAT_RANGE: Final = 10.0
"""Nats below the likeliest within which a format word is tried."""
_LEAST_FORMAT: Final = -25.0
"""Below this log-likelihood of the likeliest format word there is no symbol; one whole copy may be lost."""
_HOPELESS: Final = 0.1
"""Blocks whose bits leave more in doubt than (1 + this) times the redundancy are given up. With calibrated
reliabilities, 0 is the limit of any decoder."""
_BEYOND_MATCHING: Final = -0.1
"""The same for the most expensive stage, which rarely succeeds beyond it."""
_PROMISING: Final = 1 / 3
"""Share of the blocks that must be solved before the most expensive stages are tried on the rest."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A symbol's message and how it was found."""

    payload: bytes
    """Bytes of all segments in their order."""
    message: bitstream.Message
    """Segments with mode and encoding, structured append, FNC1."""
    version: int
    level: Level
    mask: int
    """Data mask pattern, 0 to 7."""
    modules_corrected: int
    """Data and format modules whose hard decision was corrected."""
    codewords_corrected: int
    """Codewords with at least one such module."""
    blocks: NDArray[np.uint8]
    """`(blocks, n)` code words, as `codewords.interleaving` has them."""
    stage: str
    """The last stage that was needed: `hard decisions`, `order 2`, `erasures`, `order 4` or `prior`."""
    log10_misread_bound: float
    """Decimal logarithm of `misread_bound`, which may be too small for a float."""
    prior: bool = False
    """Whether the payload model was needed (see `prior.joint`)."""

    @property
    def misread_bound(self) -> float:
        """Bound on the probability that the payload is not the printed one."""
        return float(10.0**self.log10_misread_bound)

    @property
    def segments(self) -> tuple[bitstream.Segment, ...]:
        return self.message.segments


def decode_modules(
    llr: NDArray[np.float32],
    version: int,
    effort: Effort | None = None,
    *,
    hypotheses: int = 1,
    limit: float = acceptance.DEFAULT_LIMIT,
) -> Decoded | None:
    """Decode one symbol; None if that is impossible or the result cannot be trusted.

    `llr` `(n, n)`: natural logarithm of P(dark) / P(light) of every module of the upright, unmirrored symbol,
    finite; 0 for what is not known. Magnitudes should be calibrated, but a wrong scale costs reads, not
    misreads. `effort`: when it is exhausted the search is given up, to within some 20 ms; `DEFAULT_WORK` within
    `DEFAULT_SECONDS` by default. `hypotheses`: how many geometries the caller tries for one symbol; the
    misread bound holds for all of them together. `limit`: the largest misread bound to accept.

    Raises ValueError where `llr` has not the version's shape or holds what is no number.
    """
    modules = layout.size(version)
    if llr.shape != (modules, modules):
        raise ValueError(f"version {version} has {modules} x {modules} modules, not {llr.shape}")
    if not np.isfinite(llr).all():
        raise ValueError("log-likelihood ratios must be finite")
    if effort is None:
        effort = Effort(DEFAULT_WORK, time.monotonic() + DEFAULT_SECONDS)
    formats = likely_formats(llr)

    # Other bits than the decoded ones choose the words, so each word counts as a trial.
    log_trials = log(hypotheses * max(len(formats), 1))
    searches = []
    for word in formats:
        search = _begun(llr, version, word, log(limit) - log_trials, effort)
        searches.append((word, search))
        if search.accepted.any():
            # This does not happen by chance, so the other words need not be tried.
            searches = [(word, search)]
            break
    for word, search in searches:
        if _finished(search, version, word.level):
            decoded = _judged(llr, search, version, word, log_trials, limit)
            if decoded is not None:
                return decoded
    return None


def likely_formats(llr: NDArray[np.float32], most: int = _MOST_FORMATS) -> list[FormatHypothesis]:
    """The format words that are tried on `llr` `(n, n)`, likeliest first; none where there is no symbol."""
    formats = format_hypotheses(llr)[:most]
    least = max(formats[0].log_likelihood - _FORMAT_RANGE, _LEAST_FORMAT)
    return [word for word in formats if word.log_likelihood >= least]


def _begun(
    llr: NDArray[np.float32], version: int, word: FormatHypothesis, log_limit: float, effort: Effort
) -> BlockSearch:
    """The search for one format word, after its first stage."""
    blocks = codewords.block_reliabilities(llr, version, word.level, word.mask)
    checks = codewords.block_structure(version, word.level).checks
    log_limits = np.full(len(blocks), log_limit - log(len(blocks)))
    search = BlockSearch(blocks, checks, log_limits, effort)
    search.decode_hard()
    _learn_padding(search, version, word.level)
    return search


def _finished(search: BlockSearch, version: int, level: Level) -> bool:
    """Run the stages until all blocks may be accepted; False if they may not."""
    if search.accepted.all():
        return True
    supposed = padding.likely_pad_start(search.signed, version, level)
    if supposed is not None:
        search.suppose(padding.supposed_padding(supposed, version, level))
    if search.hopeless(_HOPELESS):
        return False
    for stage in (search.decode_ordered, search.decode_erasures, search.decode_matched):
        if search.late or (stage == search.decode_matched and not _worth_matching(search)):
            return False
        stage()
        if _learn_padding(search, version, level) and not search.accepted.all():
            search.decode_ordered()
        if search.accepted.all():
            return True
    return False


def _worth_matching(search: BlockSearch) -> bool:
    solved = search.accepted
    return not search.hopeless(_BEYOND_MATCHING) and (len(solved) == 1 or solved.mean() >= _PROMISING)


def _learn_padding(search: BlockSearch, version: int, level: Level) -> bool:
    """Treat the pads as known once the accepted blocks give the length of the message; whether this is new.

    In a symbol of one block, the block itself gives the length, so every possible length counts as a trial.
    """
    alone = len(search.words) == 1
    certain = np.isfinite(search.costs) if alone else search.accepted
    if not certain[0] or search.accepted.all() or ((search.fixed >= 0).any() and not alone):
        return False
    blocks = np.where(certain[:, None], 1, 0) * np.ones_like(search.words)
    data = codewords.data_stream(search.words, version, level)
    known = codewords.data_stream(blocks.astype(np.uint8), version, level).astype(bool)
    end = bitstream.message_end(data.tobytes(), known, version)
    possible = [] if end is None else padding.possible_paddings(end, version, level)
    if alone:
        possible = [values for values in possible if not (search.words != values)[values >= 0].any()]
    if not possible:
        return False
    evidence = [padding.log_likelihood(values, search.signed) for values in possible]
    best = int(np.argmax(evidence))
    if not alone:
        if len(possible) > 1 and max(evidence) - min(evidence) < padding.LEAST_EVIDENCE:
            return False
        search.suppose(possible[best])
    search.fix(possible[best], log(len(data)) if alone else 0.0)
    return not alone


def _judged(
    llr: NDArray[np.float32],
    search: BlockSearch,
    version: int,
    word: FormatHypothesis,
    log_trials: float,
    limit: float,
) -> Decoded | None:
    """The message of a finished search; None if the whole does not meet the limit or does not parse."""
    data = codewords.data_stream(search.words, version, word.level)
    try:
        message = bitstream.parse(data.tobytes(), version)
    except BitStreamError:
        return None
    if not message.exact_padding:
        # Some encoders pad in another way. Then the blocks must be certain without any knowledge of padding.
        search.fix(np.full(search.words.shape, -1, dtype=np.int16), 0.0)
        limit = limit * limit
    log_bound = log_trials + float(np.logaddexp.reduce(search.log_bounds))
    if log_bound > log(limit):
        return None
    hard = np.packbits(search.hard, axis=2)[:, :, 0]
    return decoded(llr, search.words, hard, version, word, message, search.stage, log_bound)


def decoded(
    llr: NDArray[np.float32],
    words: NDArray[np.uint8],
    hard: NDArray[np.uint8],
    version: int,
    word: FormatHypothesis,
    message: bitstream.Message,
    stage: str,
    log_bound: float,
    *,
    prior: bool = False,
) -> Decoded:
    """The description of an accepted message; `words` and `hard` are `(blocks, n)` as corrected and as received."""
    dark = codewords.modules_of_blocks(words, version, word.level, word.mask)
    order = layout.data_order(version)
    rows, columns = order[:, 0], order[:, 1]
    wrong_data = int(np.sum(dark[rows, columns] != (llr[rows, columns] > 0)))
    return Decoded(
        payload=message.payload,
        message=message,
        version=version,
        level=word.level,
        mask=word.mask,
        modules_corrected=wrong_data + word.contradicted,
        codewords_corrected=int(np.sum(hard != words)),
        blocks=words,
        stage=stage,
        log10_misread_bound=min(log_bound / log(10), 0.0),
        prior=prior,
    )
