import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.handing_over import NIGHT
from pipeline.helping import helper

COMMAND = "from pipeline.start import main; main()"

HELPER = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from pipeline.helping import help_out
def run():
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(abs, 1).result()
    print(os.getcwd(), os.environ["COLOUR"], sys.argv[1:], "TICKETMILL_NIGHT" in os.environ, flush=True)
    time.sleep(float(sys.argv[1]))
    return 4
help_out({listener}, {alive}, run)
"""
"""One that only says what it was asked, after a pool as stages have one; it takes as many seconds as the command says."""


def ticketmill(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as DVC starts it."""
    command = [sys.executable, "-c", COMMAND, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


@contextmanager
def a_helper(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """HELPER, listening, and the end of the pipe that keeps it alive."""
    alive, held = os.pipe()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "night"))
        listener.listen()
        code = HELPER.format(listener=listener.fileno(), alive=alive)
        process = subprocess.Popen([sys.executable, "-c", code], pass_fds=(listener.fileno(), alive))
    os.close(alive)
    with process:
        yield process, held
        process.kill()


def asked(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    """A command that is handed over."""
    environment = {**os.environ, NIGHT: str(folder / "night"), "COLOUR": "blue"}
    command = [sys.executable, "-c", COMMAND, str(seconds)]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("arguments", [["formats"], ["gate", "scrub", "nowhere"], ["gate", "--nonsense"], ["--version"]])
def test_a_command_of_a_night_prints_and_ends_as_by_itself_and_imports_nothing(arguments: list[str]) -> None:
    by_itself = ticketmill(*arguments)
    with helper() as own:
        assert own is not None
        own.begin()
        first, second = (ticketmill(*arguments) for _ in range(2))
        light = ticketmill(*arguments, PYTHONPROFILEIMPORTTIME="1")

    assert (first.returncode, first.stdout, first.stderr) == (by_itself.returncode, by_itself.stdout, by_itself.stderr)
    assert (second.returncode, second.stdout, second.stderr) == (by_itself.returncode, by_itself.stdout, by_itself.stderr)
    assert "pipeline.handing_over" in light.stderr
    assert "typer" not in light.stderr
    assert NIGHT not in os.environ


def test_it_runs_in_the_folder_and_environment_of_the_command_and_ends_with_its_exit_code(tmp_path: Path) -> None:
    with a_helper(tmp_path), asked(tmp_path, 0) as command:
        printed, _ = command.communicate(timeout=60)

    assert printed == f"{tmp_path} blue ['0'] False\n"
    assert command.returncode == 4


def test_the_helper_ends_at_once_with_a_command_that_is_ended(tmp_path: Path) -> None:
    with a_helper(tmp_path) as (process, _), asked(tmp_path, 60) as command:
        assert command.stdout is not None
        command.stdout.readline()
        command.send_signal(signal.SIGTERM)

        assert process.wait(timeout=20) == 1


def test_a_helper_that_is_killed_is_an_expected_error_of_its_command(tmp_path: Path) -> None:
    with a_helper(tmp_path) as (process, _), asked(tmp_path, 60) as command:
        assert command.stdout is not None
        command.stdout.readline()
        process.kill()
        _, said = command.communicate(timeout=20)

    assert command.returncode == 1
    assert said == "ticketmill: the helper of the night was killed; run again, finished parts are kept\n"


@pytest.mark.parametrize("seconds", [None, 60], ids=["idle", "in the middle of a command"])
def test_the_helper_ends_when_night_and_line_have_ended(seconds: float | None, tmp_path: Path) -> None:
    with a_helper(tmp_path) as (process, held):
        command = asked(tmp_path, seconds) if seconds else None
        if command and command.stdout:
            command.stdout.readline()
        os.close(held)

        assert process.wait(timeout=20) == (1 if seconds else 0)
        if command:
            command.communicate(timeout=20)


@pytest.mark.parametrize("folder", ["gone", "x" * 120], ids=["missing", "longer than a socket's path may be"])
def test_where_no_socket_can_be_every_command_runs_by_itself(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / folder))
    if folder != "gone":
        (tmp_path / folder).mkdir()

    with helper() as own:
        assert own is None
        assert NIGHT not in os.environ


def test_a_socket_that_was_cleared_away_costs_a_night_nothing() -> None:
    with helper() as own:
        assert own is not None
        own.begin()
        shutil.rmtree(Path(os.environ[NIGHT]).parent)

        assert ticketmill("--version").returncode == 0
