"""As much of an API server of Kubernetes as kubectl asks: objects in memory, refused where the schemas forbid them.

Nothing is scheduled. A command that is to be run in a pod is noted and refused.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate

VERSION = "1.31"
# by the group and version that serves them: plural, kind, whether they lie in a namespace
RESOURCES = {
    "v1": [
        ("namespaces", "Namespace", False), ("secrets", "Secret", True), ("configmaps", "ConfigMap", True),
        ("services", "Service", True), ("pods", "Pod", True),
    ],
    "apps/v1": [("deployments", "Deployment", True)],
    "batch/v1": [("jobs", "Job", True)],
    "networking.k8s.io/v1": [("ingresses", "Ingress", True), ("networkpolicies", "NetworkPolicy", True)],
    "policy/v1": [("poddisruptionbudgets", "PodDisruptionBudget", True)],
}  # fmt: skip
VERBS = ["create", "get", "list", "patch"]
SHORT = {"deployments": ["deploy"]}
OPENAPI = ("application/com.github.proto-openapi.spec.v2.v1.0+protobuf", b"\n\x032.0")  # a document that says nothing
PROTOBUF = b"k8s\0"  # what an object begins with that is not sent as JSON


@dataclass
class Cluster:
    """What was asked of it: objects by namespace, kind and name, and commands with the pod that was to run them."""

    objects: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    commands: list[tuple[str, list[str]]] = field(default_factory=list)

    def answer(self, method: str, target: str, sent: Any) -> tuple[int, Any]:
        url = urlsplit(target)
        path, query = url.path.strip("/").split("/"), parse_qs(url.query)
        match path:
            case ["api"]:
                return 200, {"kind": "APIVersions", "versions": ["v1"]}
            case ["apis"]:
                return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups()}
            case ["api", "v1"]:
                return 200, resources("v1")
            case ["apis", group, version] if f"{group}/{version}" in RESOURCES:
                return 200, resources(f"{group}/{version}")
            case ["api", version, *rest]:
                return self._about(method, version, rest, query, sent)
            case ["apis", group, version, *rest]:
                return self._about(method, f"{group}/{version}", rest, query, sent)
            case _:
                return refusal(404, "NotFound", f"there is no {url.path}")

    def _about(self, method: str, api: str, path: list[str], query: Any, sent: Any) -> tuple[int, Any]:
        namespace = ""
        if path[0] == "namespaces" and len(path) > 2:
            _, namespace, *path = path
        plural, name, below = (*path, "", "")[:3]
        kind = next((kind for known, kind, _ in RESOURCES.get(api, ()) if known == plural), "")
        key = (namespace, kind, name)
        if not kind or (namespace and ("", "Namespace", namespace) not in self.objects):
            return refusal(404, "NotFound", f'namespaces "{namespace}" not found')
        if method == "POST" and not name:
            return self._create(namespace, kind, sent)
        if method == "GET" and not name:
            found = [one for (where, what, _), one in self.objects.items() if (where, what) == (namespace, kind)]
            listed = [one for one in found if is_selected(one, query.get("labelSelector", [""])[0])]
            return 200, {"kind": f"{kind}List", "apiVersion": api, "metadata": {}, "items": listed}
        if key not in self.objects:
            return refusal(404, "NotFound", f'{plural} "{name}" not found')
        if below == "exec":
            self.commands.append((name, query["command"]))
            return refusal(403, "Forbidden", "nothing runs in this cluster")
        if method == "PATCH":
            merge(self.objects[key], sent)
        return 200, self.objects[key]

    def _create(self, namespace: str, kind: str, sent: dict[str, Any]) -> tuple[int, Any]:
        name = sent["metadata"]["name"]
        if (namespace, kind, name) in self.objects:
            return refusal(409, "AlreadyExists", f'{kind} "{name}" already exists')
        if sent["metadata"].get("creationTimestamp", 0) is None:  # which old kubectls send
            del sent["metadata"]["creationTimestamp"]
        try:
            kubernetes_validate.validate(sent, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            return refusal(422, "Invalid", error.message)
        self.objects[namespace, kind, name] = sent
        if kind == "Deployment":
            self._add_pods(namespace, sent)
        return 201, sent

    def _add_pods(self, namespace: str, deployment: dict[str, Any]) -> None:
        template = deployment["spec"]["template"]
        for number in range(deployment["spec"].get("replicas", 1)):
            name = f"{deployment['metadata']['name']}-{number}"
            metadata = {**template["metadata"], "name": name, "namespace": namespace}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
            self.objects[namespace, "Pod", name] = {**pod, "status": {"phase": "Running"}}


def groups() -> list[dict[str, Any]]:
    names = [each.split("/") for each in RESOURCES if "/" in each]
    versions = {group: {"groupVersion": f"{group}/{version}", "version": version} for group, version in names}
    return [
        {"name": group, "versions": [version], "preferredVersion": version} for group, version in versions.items()
    ]  # fmt: skip


def resources(api: str) -> dict[str, Any]:
    listed = [
        {"name": plural, "singularName": kind.lower(), "kind": kind, "namespaced": is_inside, "verbs": VERBS,
         "shortNames": SHORT.get(plural, [])}
        for plural, kind, is_inside in RESOURCES[api]
    ]  # fmt: skip
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api, "resources": listed}


def refusal(code: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return code, {**status, "code": code, "reason": reason, "message": message}


def is_selected(one: dict[str, Any], selector: str) -> bool:
    wanted = dict(each.split("=", 1) for each in selector.split(",") if each)
    labels: dict[str, str] = one["metadata"].get("labels", {})
    return wanted.items() <= labels.items()


def merge(into: dict[str, Any], patch: dict[str, Any]) -> None:
    for name, value in patch.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            merge(into[name], value)
        else:
            into[name] = value


def read(body: bytes) -> Any:
    """The object that was sent. Some kubectls send those that they make themselves in Protocol Buffers."""
    if not body.startswith(PROTOBUF):
        return json.loads(body) if body else None
    envelope = dict(fields(body[len(PROTOBUF) :]))
    kinds, own = dict(fields(envelope[1])), list(fields(envelope[2]))
    metadata = {number: value.decode() for number, value in fields(dict(own)[1]) if isinstance(value, bytes)}
    made = {"apiVersion": kinds[1].decode(), "kind": kinds[2].decode(), "metadata": {"name": metadata[1]}}
    if made["kind"] == "Secret":
        data = (dict(fields(value)) for number, value in own if number == 2)
        made["data"] = {each[1].decode(): base64.b64encode(each.get(2, b"")).decode() for each in data}
    return made


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The numbers and values of a message in Protocol Buffers: of numbers and of what has a length."""
    at = 0

    def number() -> int:
        nonlocal at
        found = shift = 0
        while True:
            byte, at = message[at], at + 1
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return found

    while at < len(message):
        key, value = number(), number()
        if key & 7 == 2:
            at += value
            yield key >> 3, message[at - value : at]
        else:
            yield key >> 3, value


class ApiServer:
    """The cluster behind http://127.0.0.1:port, until it is closed."""

    def __init__(self) -> None:
        cluster = self.cluster = Cluster()
        alone = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.startswith("/openapi/v2"):
                    status, (kind, content) = 200, OPENAPI
                else:
                    with alone:
                        status, answer = cluster.answer(self.command, self.path, read(body))
                    kind, content = "application/json", json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(content)

            def do_GET(self) -> None:
                self.respond()

            def do_POST(self) -> None:
                self.respond()

            def do_PATCH(self) -> None:
                self.respond()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
