import stat
from pathlib import Path

import pytest

from pipeline.errors import KeyFileError
from pipeline.key import KEY_FILE, VARIABLE, Key, load_key
from tests.build import KEY

OTHER = Key(b"another key, another set of hashes")


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_same_value_has_another_hash_under_another_key_or_for_another_kind() -> None:
    assert KEY.hash("person", "jo@example.com") == Key(KEY.secret).hash("person", "jo@example.com")
    assert len({KEY.hash("person", "7"), KEY.hash("conversation", "7"), OTHER.hash("person", "7")}) == 3


def test_a_key_is_made_once_readable_by_its_owner_only(tmp_path: Path) -> None:
    made = load_key(tmp_path)

    assert load_key(tmp_path) == made
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / KEY_FILE).parent.iterdir()] == ["key"]


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_file = load_key(tmp_path)
    monkeypatch.setenv(VARIABLE, "f" * 64)

    assert load_key(tmp_path) != in_file


def test_a_short_key_is_refused_without_being_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "hunter2")

    with pytest.raises(KeyFileError) as raised:
        load_key(tmp_path)

    assert str(raised.value) == "$TICKETMILL_KEY: the key has 7 characters, needs 32; use 64 hexadecimal digits"


def test_a_key_never_shows_itself() -> None:
    assert "0123456789abcdef" not in f"{KEY!r} {KEY} {KEY.fingerprint}"
