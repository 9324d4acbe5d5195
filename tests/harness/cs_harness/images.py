"""OCI images made from nothing but a description."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(data: bytes) -> str:
    """Return the digest of a blob as OCI writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layer:
    """A layer under construction; entries keep the order in which they were added, and the bytes are reproducible."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._buffer, mode="w", format=tarfile.PAX_FORMAT)

    def entry(self, name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", **attributes: object) -> Layer:
        """Add any tar entry as it is, hostile ones included; attributes are those of `tarfile.TarInfo`."""
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mode = kind, len(content), 0o755
        for key, value in attributes.items():
            setattr(info, key, value)
        self._tar.addfile(info, io.BytesIO(content))
        return self

    def file(self, name: str, content: bytes | str, mode: int = 0o644) -> Layer:
        """Add a regular file owned by root."""
        return self.entry(name, content=content.encode() if isinstance(content, str) else content, mode=mode)

    def directory(self, name: str, mode: int = 0o755) -> Layer:
        """Add a folder owned by root."""
        return self.entry(name, tarfile.DIRTYPE, mode=mode)

    def symlink(self, name: str, target: str) -> Layer:
        """Add a symbolic link."""
        return self.entry(name, tarfile.SYMTYPE, linkname=target)

    def tar(self) -> bytes:
        """Finish the layer and return the uncompressed archive."""
        self._tar.close()
        return self._buffer.getvalue()


def busybox_layer() -> Layer:
    """Return a layer with a static busybox as /bin/sh and the applets that the tests' scripts use."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise FileNotFoundError("busybox (package busybox-static)")
    layer = Layer()
    for folder in ("bin", "dev", "etc", "proc", "run", "sys"):
        layer.directory(folder)
    layer.directory("tmp", 0o1777)
    layer.file("bin/busybox", Path(busybox).read_bytes(), 0o755)
    for applet in ("sh", "cat", "echo", "env", "false", "id", "kill", "ls", "sleep", "true", "wget"):
        layer.symlink(f"bin/{applet}", "busybox")
    layer.file("etc/passwd", "root:x:0:0:root:/:/bin/sh\nworkload:x:1000:1000::/:/bin/sh\n")
    layer.file("etc/group", "root:x:0:\nworkload:x:1000:\n")
    return layer


@dataclass
class Image:
    """An image's layers and configuration (OCI image specification 1.0, config.md)."""

    layers: Sequence[Layer | bytes]
    entrypoint: Sequence[str] | None = None
    cmd: Sequence[str] | None = None
    env: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_directory: str = ""
    exposed_ports: Sequence[str] = ()
    architecture: str = "amd64"
    extra_config: Mapping[str, object] = field(default_factory=dict)
    config_media_type: str = CONFIG_TYPE

    def build(self) -> BuiltImage:
        """Return the image's blobs and its manifest."""
        archives = [layer.tar() if isinstance(layer, Layer) else layer for layer in self.layers]
        config: dict[str, object] = {"Env": list(self.env), "Labels": dict(self.labels)}
        if self.entrypoint is not None:
            config["Entrypoint"] = list(self.entrypoint)
        if self.cmd is not None:
            config["Cmd"] = list(self.cmd)
        if self.user:
            config["User"] = self.user
        if self.working_directory:
            config["WorkingDir"] = self.working_directory
        if self.exposed_ports:
            config["ExposedPorts"] = {port: {} for port in self.exposed_ports}
        config.update(self.extra_config)
        document = {
            "architecture": self.architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(archive) for archive in archives]},
        }
        blobs = [gzip.compress(archive, compresslevel=1, mtime=0) for archive in archives]
        config_blob = json.dumps(document).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor(self.config_media_type, config_blob),
            "layers": [descriptor(LAYER_TYPE, blob) for blob in blobs],
        }
        return BuiltImage([*blobs, config_blob], json.dumps(manifest).encode(), digest_of(config_blob))


@dataclass(frozen=True)
class BuiltImage:
    """Blobs and manifest, ready to be pushed."""

    blobs: Sequence[bytes]
    manifest: bytes
    config_digest: str

    def write_layout(self, folder: Path, tag: str = "latest") -> Path:
        """Write it as an OCI image layout, and return its folder."""
        store = folder / "blobs/sha256"
        store.mkdir(parents=True)
        for blob in (*self.blobs, self.manifest):
            (store / digest_of(blob).removeprefix("sha256:")).write_bytes(blob)
        entry = descriptor(MANIFEST_TYPE, self.manifest, annotations={"org.opencontainers.image.ref.name": tag})
        (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
        (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        return folder


def descriptor(media_type: str, blob: bytes, **more: object) -> dict[str, object]:
    """Return an OCI content descriptor."""
    return {"mediaType": media_type, "digest": digest_of(blob), "size": len(blob), **more}


def index_of(manifests: Sequence[tuple[bytes, str]]) -> bytes:
    """Return an image index over (manifest, architecture) pairs."""
    entries = [
        descriptor(MANIFEST_TYPE, manifest, platform={"os": "linux", "architecture": architecture})
        for manifest, architecture in manifests
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}).encode()
