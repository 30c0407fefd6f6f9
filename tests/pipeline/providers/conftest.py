"""A key in the environment of every test of a provider."""

import pytest

from tests.pipeline.providers.endpoint import KEY


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", KEY)
