"""Start the real services that a launch needs, in a private folder, and stop exactly what was started.

Every class is a context manager. Nothing here imitates a component of the project: the TPM is swtpm, containers run in
containerd, images come from a registry and tokens from cs-verifier. Only the cloud around the machine is played, by
`MetadataServer`.
"""

from . import cel
from .certificates import CertificateAuthority
from .cloud_front import CloudFront
from .containerd import Containerd
from .go_between import GoBetween, HoldingVerifier
from .google_apis import GoogleApis
from .images import Image, Layer, busybox_layer
from .launcher import Launcher
from .machine import Machine, boot_log_path
from .metadata import MetadataServer
from .netns import FirewalledNetwork
from .pkcs11 import SoftToken
from .postbox import Postbox
from .process import (
    HarnessError,
    Interrupted,
    Process,
    binary,
    missing_requirements,
    unwind_on_signals,
)
from .registry import PushedImage, Registry
from .tee import TeeClient
from .tpm import Swtpm
from .verifier import Verifier
from .vm import VirtualMachine, missing_vm_requirements
from .vm_world import VmWorld
from .world import World

__all__ = [
    "CertificateAuthority",
    "CloudFront",
    "Containerd",
    "FirewalledNetwork",
    "GoBetween",
    "GoogleApis",
    "HarnessError",
    "HoldingVerifier",
    "Image",
    "Interrupted",
    "Launcher",
    "Layer",
    "Machine",
    "MetadataServer",
    "Postbox",
    "Process",
    "PushedImage",
    "Registry",
    "SoftToken",
    "Swtpm",
    "TeeClient",
    "Verifier",
    "VirtualMachine",
    "VmWorld",
    "World",
    "binary",
    "boot_log_path",
    "busybox_layer",
    "cel",
    "missing_requirements",
    "missing_vm_requirements",
    "unwind_on_signals",
]
