"""The manifests of deploy/kubernetes against the schemas of Kubernetes, and against what the image needs."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from smartauth.environment import FROM_FILE
from smartauth.settings_table import SETTINGS
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

FOLDER = ROOT / "deploy" / "kubernetes"
OLDEST = "1.31"
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
