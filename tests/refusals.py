"""A refusal is checked whole: the very error, and the very sentence that a user reads."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from insonate.core import InsonateError


@contextmanager
def refused(error: type[InsonateError], message: str) -> Iterator[None]:
    """Pass if the block raises exactly `error` with exactly `message`."""
    with pytest.raises(InsonateError) as caught:
        yield
    assert type(caught.value) is error
    assert str(caught.value) == message
