"""The ready-made unit files are what the tools that read them take; each is judged by its own tool or published schema."""

import ast
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from cronsim import CronSim

DEPLOY = Path(__file__).parents[1] / "deploy"
BIN = Path(sys.executable).parent
FILES = {
    "airflow_dag.py",
    "github-actions.yml",
    "kubernetes-cronjob.yaml",
    "ticketmill.cron",
    "ticketmill.service",
    "ticketmill.timer",
}


def entry() -> list[str]:
    (line,) = [line for line in (DEPLOY / "ticketmill.cron").read_text().splitlines() if line[:1].isdigit()]
    return line.split(maxsplit=6)


def test_every_file_is_judged_here() -> None:
    assert {path.name for path in DEPLOY.iterdir() if path.is_file()} == FILES


def test_all_of_them_start_the_same_command() -> None:
    for name in FILES - {"ticketmill.timer"}:
        assert ".venv/bin/ticketmill run --log-format json" in (DEPLOY / name).read_text().replace(", ", " ").replace("[", ""), (
            name
        )


def test_the_workflow_keeps_githubs_schema() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", DEPLOY / "github-actions.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_the_cron_job_keeps_the_schema_of_kubernetes() -> None:
    kubernetes_validate.validate(yaml.safe_load((DEPLOY / "kubernetes-cronjob.yaml").read_text()), "1.33", strict=True)


def test_no_task_of_the_dag_runs_whatever_the_others_did() -> None:
    # the last tasks decide whether Airflow shows a night as failed
    calls = [node for node in ast.walk(ast.parse((DEPLOY / "airflow_dag.py").read_text())) if isinstance(node, ast.Call)]
    tasks = [call for call in calls if ast.unparse(call.func).startswith("task.")]

    assert len(tasks) == 1
    assert {keyword.arg for keyword in tasks[0].keywords} == {"cwd", "retries", "execution_timeout"}


def test_every_clock_says_17_past_2() -> None:
    workflow = yaml.safe_load((DEPLOY / "github-actions.yml").read_text())
    schedules = {
        " ".join(entry()[:5]),
        workflow[True]["schedule"][0]["cron"],  # YAML 1.1 reads `on` as true
        yaml.safe_load((DEPLOY / "kubernetes-cronjob.yaml").read_text())["spec"]["schedule"],
        *(
            node.value
            for node in ast.walk(ast.parse((DEPLOY / "airflow_dag.py").read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("17 ")
        ),
    }

    assert len(schedules) == 1
    times = CronSim(schedules.pop(), datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert [next(times).strftime("%d %H:%M") for _ in range(2)] == ["02 02:17", "03 02:17"]
    assert "02:17:00" in (DEPLOY / "ticketmill.timer").read_text()


@pytest.mark.skipif(shutil.which("crontab") is None, reason="no cron on this machine")
def test_cron_itself_takes_the_line(tmp_path: Path) -> None:
    # a table of a user has no column for the user
    minute, hour, day, month, weekday, _user, command = entry()
    table = tmp_path / "table"
    table.write_text(f"{minute} {hour} {day} {month} {weekday} {command}\n")
    done = subprocess.run(["crontab", "-n", table], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_itself_takes_service_and_timer(tmp_path: Path) -> None:
    for name in ("ticketmill.service", "ticketmill.timer"):
        installed = (DEPLOY / name).read_text().replace("/srv/ticketmill/.venv/bin/ticketmill", str(BIN / "ticketmill"))
        (tmp_path / name).write_text(installed)
    units = [tmp_path / "ticketmill.service", tmp_path / "ticketmill.timer"]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    assert (done.returncode, [line for line in done.stderr.splitlines() if "ticketmill" in line]) == (0, [])
