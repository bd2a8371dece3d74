"""Two families of tasks whose true risks are known exactly, for every candidate.

`SignFamily`: linear classifiers on normal inputs; the risk is an angle. `DigitsFamily`: real
images; the downstream law is the uniform law on a finite pool, so the risk is a count.
"""

from tlstat.certificates.peft.digits_family import DigitsEpisodes, DigitsFamily
from tlstat.certificates.peft.sign_family import SignEpisodes, SignFamily

__all__ = ["DigitsEpisodes", "DigitsFamily", "SignEpisodes", "SignFamily"]
