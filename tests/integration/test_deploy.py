"""What operators copy from deploy/ is taken by the tools it is for, and says what the program says."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin.config import ENV_PREFIX, Settings
from tocsin.config.roles import ROLES
from tocsin.serving import REQUESTS_END_S, WORK_ENDS_S
from tocsin.telemetry import Metrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus/tocsin.rules.yml"
CASES = DEPLOY / "prometheus/tocsin.tests.yml"
RUNBOOK = ROOT / "docs/guides/observability.md"
DASHBOARD = DEPLOY / "grafana/tocsin.json"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
COMPOSED = sorted(DEPLOY.glob("compose/*.yaml"))
MANIFESTS = sorted(
    path for path in DEPLOY.glob("kubernetes/*/*.yaml") if path.name != "kustomization.yaml"
)
CONFIGURED = [DEPLOY / "docker/Dockerfile", *UNITS, *COMPOSED, *MANIFESTS]
# What a process still has to do after its drain: requests under way, and work in hand.
FINISHES_S = REQUESTS_END_S + WORK_ENDS_S
# Rated 0 (sealed) to 100 (open) by systemd.
MOST_EXPOSED = 20


def run(program: str, *arguments: str | Path, package: str = "") -> str:
    """Run a tool to its end, and return what it printed; the test fails if it does."""
    beside = Path(sys.executable).with_name(program)
    found = str(beside) if beside.exists() else shutil.which(program)
    assert found, f"this test needs {program}: apt-get install {package or program}"
    done = subprocess.run(
        [found, *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def named(path: Path) -> str:
    return str(path.relative_to(DEPLOY))


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def alarms() -> list[dict[str, Any]]:
    return [rule for group in loaded(RULES)["groups"] for rule in group["rules"] if "alert" in rule]


def metric_names(text: str) -> set[str]:
    """Return the metrics that expressions name, without what histograms add to them."""
    names = set(re.findall(r"\btocsin_\w+", text))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def known_metrics() -> set[str]:
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Metrics().registry.collect()
    }


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if "targets" in panel]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def test_each_alarm_is_raised_by_what_it_is_for_and_by_nothing_beside_it() -> None:
    run("promtool", "check", "rules", RULES, package="prometheus")
    run("promtool", "test", "rules", CASES, package="prometheus")
    cases = {
        case["alertname"]
        for test in loaded(CASES)["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert cases == {alarm["alert"] for alarm in alarms()}


def test_each_alarm_has_a_place_in_the_runbook() -> None:
    headings = re.findall(r"^### (\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert headings == [alarm["alert"] for alarm in alarms()]
    for alarm in alarms():
        page, _, anchor = alarm["annotations"]["runbook"].partition("#")
        assert ROOT / page == RUNBOOK
        assert anchor == alarm["alert"].lower()


def test_how_to_scrape_is_what_prometheus_reads() -> None:
    run("promtool", "check", "config", "--syntax-only", DEPLOY / "prometheus/scrape.yml")
    assert loaded(DEPLOY / "prometheus/scrape.yml")["scrape_configs"][0]["job_name"] == "tocsin"


def test_rules_and_dashboard_name_only_metrics_that_exist_and_the_dashboard_shows_all() -> None:
    assert metric_names(RULES.read_text()) <= known_metrics()
    assert metric_names(CASES.read_text()) <= known_metrics()
    assert metric_names(" ".join(expressions())) == known_metrics()


def test_each_expression_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    filled = [
        text.replace("$__rate_interval", "1m").replace("$instance", ".*") for text in expressions()
    ]
    assert not [text for text in filled if "$" in text]
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(filled)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run("promtool", "check", "rules", path)


def test_no_panel_of_the_dashboard_lies_on_another() -> None:
    everything = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("unit", UNITS, ids=named)
def test_systemd_takes_the_unit_and_finds_it_well_shut(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    # What is started need not be installed on the machine that tests.
    here.write_text(unit.read_text().replace("/opt/tocsin/bin/tocsin", "/bin/true"))
    assert run("systemd-analyze", "verify", here, package="systemd") == ""
    threshold = f"--threshold={MOST_EXPOSED}"
    run("systemd-analyze", "security", "--offline=true", "--no-pager", threshold, here)


def test_the_image_is_written_as_hadolint_wants_it() -> None:
    assert run("hadolint", DEPLOY / "docker/Dockerfile") == ""


def test_what_the_image_copies_is_there_and_reaches_the_builder() -> None:
    sent = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "docker/Dockerfile").read_text(), re.MULTILINE
    )
    sources = [source for line in copied for source in line.split()]
    assert sorted(sources) == sorted(sent)
    assert all((ROOT / source).exists() for source in sources)


@pytest.mark.parametrize("path", COMPOSED, ids=named)
def test_compose_files_keep_to_their_specification(path: Path) -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)
    for service in loaded(path)["services"].values():
        if "build" in service:
            context = path.parent / service["build"]["context"]
            assert (context / service["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("path", MANIFESTS, ids=named)
def test_kubernetes_knows_every_field_of_the_manifests(path: Path) -> None:
    run("kubernetes-validate", "--strict", path)


def test_each_kustomization_names_what_lies_beside_it() -> None:
    for path in DEPLOY.glob("kubernetes/*/kustomization.yaml"):
        beside = {other.name for other in path.parent.glob("*.yaml")} - {path.name}
        assert set(loaded(path)["resources"]) == beside


def cluster(kind: str) -> dict[str, Any]:
    """Return what the cluster has of a kind, by name."""
    files = DEPLOY.glob("kubernetes/cluster/*.yaml")
    found = [document for path in files for document in yaml.safe_load_all(path.read_text())]
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def drain_s(environment: Mapping[str, str]) -> float:
    """Return how long an end takes at most that begins in good order."""
    unset = {name: field.default for name, field in Settings.model_fields.items()}
    parts = [
        float(environment.get(f"{ENV_PREFIX}{name}".upper(), unset[name]))
        for name in ("drain_notice_s", "drain_s")
    ]
    return sum(parts) + FINISHES_S


def test_each_role_of_the_cluster_runs_twice_and_loses_one_pod_at_a_time() -> None:
    deployments, budgets = cluster("Deployment"), cluster("PodDisruptionBudget")
    assert set(deployments) == set(budgets) == {f"tocsin-{role}" for role in ROLES}
    for name, deployment in deployments.items():
        spec, budget = deployment["spec"], budgets[name]["spec"]
        assert spec["replicas"] >= 2
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert budget["maxUnavailable"] == 1
        assert budget["selector"] == spec["selector"]
        assert all(
            one["labelSelector"] == spec["selector"]
            for one in spec["template"]["spec"]["topologySpreadConstraints"]
        )
        assert spec["selector"]["matchLabels"].items() <= (
            spec["template"]["metadata"]["labels"].items()
        )


def test_the_roles_of_the_cluster_differ_in_nothing_that_is_not_meant() -> None:
    said = set()
    for name, deployment in cluster("Deployment").items():
        spec = deployment["spec"]
        del spec["strategy"], spec["template"]["spec"]["terminationGracePeriodSeconds"]
        (container,) = spec["template"]["spec"]["containers"]
        container["env"] = [one for one in container["env"] if one["name"] != "TOCSIN_DRAIN_S"]
        role = name.removeprefix("tocsin-")
        said.add(json.dumps(deployment).replace(f'"{role}"', "ROLE").replace(name, "NAME"))
    assert len(said) == 1


def test_no_file_of_the_cluster_has_a_secret_in_it() -> None:
    secret = ("TOCSIN_STORE", "TOCSIN_FANOUT", "TOCSIN_QUEUE")
    for deployment in cluster("Deployment").values():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert not [one for one in container["env"] if one["name"] in secret]
        assert container["envFrom"] == [{"secretRef": {"name": "tocsin"}}]


def test_who_ends_has_the_time_that_its_drain_takes() -> None:
    for path in MANIFESTS:
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] in ("Deployment", "StatefulSet"):
                pod = document["spec"]["template"]["spec"]
                (container,) = pod["containers"]
                environment = {one["name"]: one["value"] for one in container["env"]}
                assert pod["terminationGracePeriodSeconds"] > drain_s(environment), path
    for path in COMPOSED:
        for service in loaded(path)["services"].values():
            if service["image"] == "tocsin":
                given = float(service["stop_grace_period"].removesuffix("s"))
                assert given > drain_s(service["environment"]), path
    for unit in UNITS:
        (given,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
        assert float(given) > drain_s({}), unit


def test_nats_takes_its_settings_from_the_compose_file(tmp_path: Path) -> None:
    content = loaded(DEPLOY / "compose/cluster.yaml")["configs"]["nats"]["content"]
    path = tmp_path / "nats.conf"
    path.write_text(content.replace("$$NATS_NAME", "nats-1"))
    assert "is valid" in run("nats-server", "-t", "-c", path)


@pytest.mark.parametrize("path", CONFIGURED, ids=named)
def test_what_is_set_by_the_environment_is_a_setting(path: Path) -> None:
    known = {f"{ENV_PREFIX}{name}".upper() for name in Settings.model_fields}
    written = set(re.findall(r"\bTOCSIN_[A-Z_]+", path.read_text()))
    assert {name.partition("__")[0] for name in written} <= known


def test_the_settings_in_the_manifests_are_taken() -> None:
    files = [
        text
        for path in MANIFESTS
        for document in yaml.safe_load_all(path.read_text())
        if document["kind"] == "ConfigMap"
        for text in document["data"].values()
    ]
    assert files
    for text in files:
        Settings.model_validate(tomllib.loads(text))
