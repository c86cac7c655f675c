"""Which encoding bytes are in that do not say it: by the text that each candidate makes of them."""

from service.decoding.charsets.guess import Guess, decoded, guess, narrowest

__all__ = ["Guess", "decoded", "guess", "narrowest"]
