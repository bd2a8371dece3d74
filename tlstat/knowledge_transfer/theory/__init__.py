"""The theorems on knowledge transfer over finite domains, as bounds that can be judged.

Symbols, here and in arXiv:2310.07838:

============  ===========================================================================
``S``         number of inputs, ``|S|`` in the paper
``A``         number of labels, ``|A|``
``n``         sample size
``xi``        ``2 max_s min_a (1 - pi(a|s))``, distance from the deterministic teachers
``xi_tilde``  ``max_s sum_a min(pi(a|s), 1 - pi(a|s))``, at most ``xi`` (ours)
``root_rho``  ``sum_s sqrt(rho(s))``, at most ``sqrt(S)``
``spread``    ``sum_s sqrt(rho(s)) sum_a sqrt(pi(a|s) (1 - pi(a|s)))``
``c_S, c_A``  smallest mass of an input, smallest probability of a label given its input
``delta``     1 - confidence, in the bounds that hold with high probability
``k``         number of symbols of an alphabet
``C``         a constant that the source leaves free
``E``         Euler's e (sympy's), not a number of samples
============  ===========================================================================

All but ``delta``, ``k`` and ``C`` are attributes of a `tlstat.knowledge_transfer.Teacher` or
parameters of a cell. The risk is ``sum_s rho(s) TV(student(.|s), pi(.|s))`` with ``TV`` half the
L1 distance. Upper bounds hold for any guess at inputs that were not seen. Lower bounds are for
all procedures and are judged on the average over the prior that proves them
(`tlstat.knowledge_transfer.Prior`). What is sharper than the paper says so in the note of its
source. Appendix G of the paper carries both kinds over to the dependent samples of a Markov
decision process without rewards: ``rho`` is then the teacher's occupancy measure.

Modules: `hard`, `partial`, `weighted`, `soft` (one a level), `instances`, `missing_mass`,
`discrete`, `log_linear` and `lemmas`.
"""

from tlstat.knowledge_transfer.theory.base import *  # noqa: F403
from tlstat.knowledge_transfer.theory.discrete import *  # noqa: F403
from tlstat.knowledge_transfer.theory.hard import *  # noqa: F403
from tlstat.knowledge_transfer.theory.instances import *  # noqa: F403
from tlstat.knowledge_transfer.theory.lemmas import *  # noqa: F403
from tlstat.knowledge_transfer.theory.log_linear import *  # noqa: F403
from tlstat.knowledge_transfer.theory.missing_mass import *  # noqa: F403
from tlstat.knowledge_transfer.theory.partial import *  # noqa: F403
from tlstat.knowledge_transfer.theory.soft import *  # noqa: F403
from tlstat.knowledge_transfer.theory.weighted import *  # noqa: F403
