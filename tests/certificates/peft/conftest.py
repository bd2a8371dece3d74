"""One thread: these tests run beside others, and bits depend on the number of threads."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)
