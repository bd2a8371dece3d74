"""The Monte Carlo engine: studies cut into blocks, each with its own stream, kept in a store.

========== ==================================================================
module     holds
========== ==================================================================
identity   canonical parameters, the 128-bit key of a block, source fingerprint
design     grids of cells: ``grid``, ``geometric``, ``inner``, ``paired``
study      the ``@study`` decorator and ``Exact``
discovery  loading the studies of files and folders
worker     what runs in a worker: one block, checked
executors  serial, loky, and any ``concurrent.futures.Executor``
run        the loop: tasks, recovery, Ctrl-C
connection opening the SQLite file, and refusing what is not ours
store      one SQLite file: finished blocks, failures, provenance
merging    several stores into one
results    samples for the judge
frames     pandas frames and summaries with their Monte Carlo error
progress   bars on a terminal, plain lines in a log
========== ==================================================================

The functions ``study`` and ``run`` are deliberately not re-exported here: they have the
names of the modules that hold them.
"""
