"""A stand-in takes on the look of the original."""

from pipeline.replacing.looks import dress


def test_a_longer_stand_in_is_appended_and_a_shorter_one_leaves_no_dangling_signs() -> None:
    assert dress("123456", "12-34") == "12-3456"
    assert dress("12", "12-34") == "12"
