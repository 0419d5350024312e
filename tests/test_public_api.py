"""The public names and their signatures change only on purpose."""

import difflib

import pytest

import public_api


def changes(before: str, now: str) -> str:
    """What is gone and what is new, a line each."""
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), "as listed", "as it is", lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith("@@"))


def test_the_public_names_are_those_listed():
    found = changes(public_api.LISTING.read_text(encoding="utf-8"), public_api.text())
    if found:
        pytest.fail(
            f"The public interface has changed:\n\n{found}\n\nUsers rely on it. If the change is meant, tell it in"
            " CHANGELOG.md and renew the list with: make api",
            pytrace=False,
        )


def test_a_planted_change_is_shown():
    listed = public_api.text()
    assert "\nlawful.solve.solve(" in listed
    assert "\n    Solution.check(" in listed
    assert changes(listed, listed) == ""
    assert "-lawful.load = lawful.solve.load" in changes(
        listed, listed.replace("lawful.load = lawful.solve.load\n", "")
    )

    def grown(u, *, nu: float = 0.1, law=abs):
        pass

    assert list(public_api.told("lawful.grown", grown)) == ["lawful.grown(u, *, nu: float = 0.1, law=abs)"]
