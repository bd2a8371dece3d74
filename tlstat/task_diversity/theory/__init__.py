"""The theory of task diversity, as bounds that can be judged.

====================  ====================================================================
``d, r, t``           dimension, rank of the representation, number of source tasks
``n, N, m``           samples of each source task, of all of them (``nt``), of the target
``A, C``              heads (t, r) and their second moment ``A'A/t``
``nu``                diversity, the smallest eigenvalue of ``C``; at most ``1/r`` for unit heads
``sigma``             standard deviation of the noise
``F^2``               ``|sin Theta(B_hat, B)|_F^2``, the squared distance
``trace_inverse``     ``tr C^-1``, and ``trace_inverse_squared`` is ``tr C^-2`` (`TRACES`)
====================  ====================================================================

`first_order`: leading terms of the squared distance, with constants, derived here. `limit`: the
limit law behind them, for heads of any kind. `limits`: what cannot be learned. `transfer`: exact
risks of the target. `representation`: the theorems for general classes (2020). `rates`: published
rates and the lower bound. `allocation`: samples where the target needs them. `descent`: linear
convergence of alternating gradient steps.
"""

from tlstat.task_diversity.theory.allocation import *  # noqa: F403
from tlstat.task_diversity.theory.descent import *  # noqa: F403
from tlstat.task_diversity.theory.first_order import *  # noqa: F403
from tlstat.task_diversity.theory.limit import *  # noqa: F403
from tlstat.task_diversity.theory.limits import *  # noqa: F403
from tlstat.task_diversity.theory.rates import *  # noqa: F403
from tlstat.task_diversity.theory.representation import *  # noqa: F403
from tlstat.task_diversity.theory.transfer import *  # noqa: F403
