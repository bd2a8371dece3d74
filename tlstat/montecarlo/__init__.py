"""The Monte Carlo engine: studies cut into blocks, each with its own stream, kept in a store.

========== ==================================================================
module     holds
========== ==================================================================
identity   canonical parameters, the 128-bit key of a block, source fingerprint
design     grids of cells: ``grid``, ``geometric``, ``inner``, ``paired``
study      the ``@study`` decorator, ``Exact``, discovery of study files
worker     what runs in a worker: one block, checked
executors  serial, loky, and any ``concurrent.futures.Executor``
run        the loop: tasks, recovery, Ctrl-C
store      one SQLite file: finished blocks, failures, provenance
results    samples, frames, summaries with their Monte Carlo error
progress   bars on a terminal, plain lines in a log
========== ==================================================================

The functions ``study`` and ``run`` are deliberately not re-exported here: they have the
names of the modules that hold them.
"""
