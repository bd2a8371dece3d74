"""The theorems on source and target data, as bounds that can be judged.

* `transfer`: rates, adaptation and sampling cost in the transfer exponent (Hanneke and Kpotufe);
* `power_family`: power thresholds, where every exponent and many constants are exact;
* `cube`: the hypercube of the lower bound, whose minimax risk is a number;
* `neighbours`: marginal singularity, posterior drift, several sources, Gaussian transfer, and
  discrepancies.

What a source's note calls "from memory" was derived again here and tested; theorem numbers of
these papers were not checked. What is ours says so.
"""

from tlstat.minimax.theory.base import FROM_MEMORY, HANNEKE_KPOTUFE, OURS  # noqa: F401
from tlstat.minimax.theory.cube import *  # noqa: F403
from tlstat.minimax.theory.neighbours import *  # noqa: F403
from tlstat.minimax.theory.power_family import *  # noqa: F403
from tlstat.minimax.theory.transfer import *  # noqa: F403
