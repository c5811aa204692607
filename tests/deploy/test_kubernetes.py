"""The manifests of deploy/kubernetes against the schemas of Kubernetes, and against what the image needs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from smartauth.environment import FROM_FILE
from smartauth.settings_table import SETTINGS
from tests.deploy.api_server import VERSION as OLDEST
from tests.deploy.api_server import ApiServer, Cluster
from tests.docs.pages import placed
from tests.running import ROOT
from tests.terminal import Terminal

pytestmark = pytest.mark.one_engine

FOLDER = ROOT / "deploy" / "kubernetes"
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: here, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: nobody, user: {{}}}}]
contexts: [{{name: here, context: {{cluster: here, user: nobody}}}}]
current-context: here
"""
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))


def manifests() -> list[dict[str, Any]]:
    return [
        manifest for name in KUSTOMIZATION["resources"]
        for manifest in yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))
    ]  # fmt: skip


def pods() -> list[dict[str, Any]]:
    return [manifest["spec"]["template"] for manifest in manifests() if "template" in manifest.get("spec", {})]


def called(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


@pytest.mark.parametrize("manifest", manifests(), ids=called)
def test_a_manifest_is_valid_by_the_schemas_of_kubernetes(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, OLDEST, strict=True)


def test_a_manifest_with_a_wrong_member_is_seen() -> None:
    broken = {**manifests()[0], "specification": {}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, OLDEST, strict=True)


def test_every_file_is_part_of_the_whole() -> None:
    assert {*KUSTOMIZATION["resources"], "kustomization.yaml"} == {file.name for file in Path(FOLDER).iterdir()}


@pytest.mark.parametrize("pod", pods(), ids=lambda pod: str(pod["metadata"]["labels"]["part"]))
def test_a_pod_has_no_rights_and_reads_its_files_alone(pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]

    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["image"] in {image["name"] for image in KUSTOMIZATION["images"]}


def test_the_pods_that_serve_are_given_no_secret_of_the_owner() -> None:
    secrets = {
        pod["metadata"]["labels"]["part"]: volume["secret"]["secretName"]
        for pod in pods() for volume in pod["spec"]["volumes"] if "secret" in volume
    }  # fmt: skip

    assert secrets == {"migrate": "smartauth-owner", "web": "smartauth", "worker": "smartauth"}


def test_the_settings_of_the_pods_are_settings_of_the_product() -> None:
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    given = {literal.partition("=")[0] for literal in generated["literals"]}
    names = {setting.name for setting in SETTINGS}
    files = {f"{setting.name}{FROM_FILE}" for setting in SETTINGS if setting.may_be_secret}

    assert len(given) > 5
    assert given <= names | files


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, str]]:
    """The cluster after the commands of the page, and what they printed. Nothing runs in this one."""
    assert shutil.which("kubectl"), "kubectl is needed (Debian: apt-get install kubernetes-client)"
    commands = "".join(placed("how-to/run-on-kubernetes.md", "in a cluster"))
    checkout, server = tmp_path_factory.mktemp("checkout"), ApiServer()
    for folder in ("docker", "deploy"):
        (checkout / folder).symlink_to(ROOT / folder)
    (checkout / "config").write_text(KUBECONFIG.format(port=server.port), encoding="utf-8")
    environment = {**os.environ, "KUBECONFIG": str(checkout / "config"), "HOME": str(checkout)}
    terminal = Terminal(["bash", "-eux", "-c", commands], checkout, environment)
    try:
        yield server.cluster, terminal.end(within=300, expected=1)  # the last command, for nothing runs it
    finally:
        terminal.close()
        server.close()


def test_kubectl_makes_every_object_of_the_page(followed: tuple[Cluster, str]) -> None:
    cluster, printed = followed
    namespace = KUSTOMIZATION["namespace"]
    made = {(kind, name) for where, kind, name in cluster.objects if where == namespace and kind != "Pod"}
    wanted = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests()} - {("Namespace", namespace)}

    assert made >= wanted, printed
    assert {kind for kind, _ in made - wanted} == {"Secret", "ConfigMap"}, printed
    assert printed.count("Error from server") == 1, printed


def test_every_secret_that_a_pod_reads_is_made_by_the_page(followed: tuple[Cluster, str]) -> None:
    cluster, _ = followed
    applied = [one["spec"]["template"]["spec"] for one in cluster.objects.values() if "template" in one.get("spec", {})]
    (settings,) = (one["data"] for (_, kind, _), one in cluster.objects.items() if kind == "ConfigMap")

    assert len(applied) == 3
    for pod in applied:
        (container,) = pod["containers"]
        (volume,) = (volume for volume in pod["volumes"] if "secret" in volume)
        (place,) = (mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == volume["name"])
        given = settings | {each["name"]: each["value"] for each in container.get("env", ())}
        files = {value for name, value in given.items() if name.endswith(FROM_FILE)}
        secret = cluster.objects[KUSTOMIZATION["namespace"], "Secret", volume["secret"]["secretName"]]
        assert files <= {f"{place}/{name}" for name in secret["data"]}


def test_what_the_pods_that_serve_read_holds_no_secret_of_the_owner(followed: tuple[Cluster, str]) -> None:
    cluster, _ = followed

    (secret,) = (one["data"] for (_, _, name), one in cluster.objects.items() if name == "smartauth" and "data" in one)

    assert not [name for name in secret if "owner" in name or name == "postgres_password"]


def test_the_first_operator_is_added_in_a_pod_that_serves(followed: tuple[Cluster, str]) -> None:
    cluster, printed = followed
    (pod, command), *_ = cluster.commands

    assert cluster.objects[KUSTOMIZATION["namespace"], "Pod", pod]["metadata"]["labels"]["part"] == "web"
    assert command == ["smartauth", "person", "add", "olivia", "--operator", "--password"], printed
