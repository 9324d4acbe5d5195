#!/usr/bin/python3
"""Build the VM images and the reference values that tell them from any other.

What comes out, below the output folder:

    hardened.raw, debug.raw     disk images: EFI system partition, root, its hash tree
    *.efi                       the unified kernel image of each, as it is in the system partition
    *.manifest                  the packages in each, with their versions
    *.files.json                the files in each, and in its initial RAM disk but for kernel modules
    *.sizes.json                what takes how much of it
    *.epoch                     the SOURCE_DATE_EPOCH that it was built with
    reference-values.json       entries for cs-verifier
    secure-boot/                PK, KEK and db: keys, certificates, and the lists that firmware is given
    packages/                   Debian packages of launcher, verifier and tools

Everything that decides on trust is an option: whose keys sign the image, whose verifier and whose registry it believes.
Without these options the image is one for trying things out: it is signed with keys made here, and believes the services
that the tests start on the machine's own network.

Two builds from the same sources and package versions give the same bytes, when they are signed with the same keys.
"""

from __future__ import annotations

import argparse
import datetime
import filecmp
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
sys.path.insert(0, str(HERE))

from file_lists import files_of
from predictions.entry import load_packages, predicted_entry
from predictions.error import PredictionError
from predictions.secure_boot import signature_list

RELEASE = "trixie"
VARIANTS = ("hardened", "debug")
TRIAL_VERIFIER = "https://169.254.0.10"
NOT_POSSIBLE = 77  # CTest's SKIP_RETURN_CODE
KEY_NAMES = ("PK", "KEK", "db")
CREDENTIALS = "usr/lib/credstore"
SETTINGS_FILE = "cs-launcher.conf"
# The owner that firmware keeps beside each key; it is measured, so it stays the same.
KEY_OWNER = uuid.UUID("0b1f3f8e-6a53-4e0e-9f0c-3b8a5f3f6c11")
# Partitions and file systems are named after this, so that two builds name them alike.
SEED = uuid.UUID("5d8d3a2e-6f0f-4f4e-9d0a-0c5f3c5a1a11")
SYSTEM_PARTITION = 1 << 20  # where the image's first partition begins
KERNEL_IMAGE = "::/EFI/BOOT/BOOTX64.EFI"


class BuildError(Exception):
    """The build can't go on; the message says why."""


def package_sources() -> list[str]:
    """Return what the packages are made of: the folders that CMakeLists.txt adds, but for the tests, and what it reads."""
    added = re.findall(r"^\s*add_subdirectory\(([^/)]+)", (REPOSITORY / "CMakeLists.txt").read_text(), re.MULTILINE)
    return ["CMakeLists.txt", "LICENSE", "cmake", "image/packages", *(name for name in added if name != "tests")]


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build/image", help="default: %(default)s")
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="may be repeated; default: both")
    parser.add_argument("--keys", type=Path, help="folder with PK, KEK and db, each .crt and db.key, in PEM")
    parser.add_argument("--verifier", default=TRIAL_VERIFIER, help="attestation service (default: %(default)s)")
    parser.add_argument("--verifier-ca", type=Path, help="PEM file of the only roots trusted for it")
    parser.add_argument("--registry-ca", type=Path, help="PEM file of the only roots trusted for the image registry")
    parser.add_argument("--launcher-settings", type=Path, help="folder of more settings: cs-launcher.conf and its files")
    parser.add_argument("--packages", type=Path, help="folder of Debian packages to use instead of compiling them")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build/image.work", help="tools and caches")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        print("image: only root can put a file system together", file=sys.stderr)
        raise SystemExit(1 if os.environ.get("CS_REQUIRE_SERVICES") else NOT_POSSIBLE)
    try:
        build(arguments)
    except (BuildError, PredictionError, subprocess.CalledProcessError, OSError) as error:
        raise SystemExit(f"image: {error}") from None


def build(arguments: argparse.Namespace) -> None:
    """Build from nothing, step by step; steps whose inputs have not changed are left out."""
    output: Path = arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    keys = SecureBootKeys(output / "secure-boot", arguments.keys)
    settings = launcher_settings(output, arguments)
    workshop = Workshop(arguments.work.resolve())
    workshop.prepare()
    workshop.build_initrd()
    packages = arguments.packages.resolve() if arguments.packages else workshop.build_packages(output / "packages")
    for variant in arguments.variant or VARIANTS:
        workshop.build_image(variant, output, packages=packages, keys=keys, settings=settings)
    entries = [describe(variant, output, keys) for variant in VARIANTS if (output / f"{variant}.raw").exists()]
    (output / "reference-values.json").write_text(json.dumps({"images": entries}, indent=2) + "\n")
    say(f"launcher: {settings / CREDENTIALS / SETTINGS_FILE}; reference values: {output / 'reference-values.json'}")


# --- keys and settings


class SecureBootKeys:
    """The platform's key, the key that may change the others, and the one that signs images."""

    def __init__(self, folder: Path, given: Path | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.signing_key = (given or folder).resolve() / "db.key"
        if given is not None:
            self._take_certificates(given)
        elif not self.signing_key.exists():
            for name in KEY_NAMES:
                make_key(folder, name)
        self.lists = {name: signature_list(self.certificate(name), KEY_OWNER) for name in KEY_NAMES}
        for name, content in self.lists.items():
            (folder / f"{name}.esl").write_bytes(content)

    def _take_certificates(self, given: Path) -> None:
        """Copy what is public; keys stay where they are, and trial keys of an earlier build do not stay beside."""
        for name in (*(f"{name}.crt" for name in KEY_NAMES), "db.key"):
            if not (given / name).exists():
                raise BuildError(f"--keys: {given / name} does not exist")
        if given.resolve() == self.folder:
            return
        for key in self.folder.glob("*.key"):
            key.unlink()
        for name in KEY_NAMES:
            shutil.copy(given / f"{name}.crt", self.folder)

    def certificate(self, name: str) -> bytes:
        """Return one certificate as DER."""
        path = self.folder / f"{name}.crt"
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except ValueError as error:
            raise BuildError(f"{path}: not a certificate in PEM: {error}") from None
        return certificate.public_bytes(serialization.Encoding.DER)


def make_key(folder: Path, name: str) -> None:
    """Write a self-signed certificate and its key as NAME.crt and NAME.key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)  # EDK2 accepts RSA only
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Confidential Space trial {name}")])
    now = datetime.datetime.now(tz=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    (folder / f"{name}.key").chmod(0o600)


def launcher_settings(output: Path, arguments: argparse.Namespace) -> Path:
    """Return the tree with the launcher's credentials: they are part of the image, and of its identity."""
    tree = output / "settings"
    store = tree / CREDENTIALS
    shutil.rmtree(tree, ignore_errors=True)
    store.mkdir(parents=True)
    if not re.fullmatch(r"https://[A-Za-z0-9.:\[\]-]+", arguments.verifier):
        raise BuildError(f"--verifier: {arguments.verifier} is not https://host[:port]")
    given = sorted(arguments.launcher_settings.iterdir()) if arguments.launcher_settings else []
    more = {name: line for file in given if file.name == SETTINGS_FILE for name, line in setting_lines(file).items()}
    verifier_ca, registry_ca = arguments.verifier_ca, arguments.registry_ca
    if arguments.verifier == TRIAL_VERIFIER and verifier_ca is None and "verifier" not in more:
        trial = output / "trial-ca"
        if not (trial / "ca.crt").exists():
            trial.mkdir()
            make_key(trial, "ca")
        verifier_ca, registry_ca = trial / "ca.crt", registry_ca or trial / "ca.crt"
    lines = {
        "check-machine": "check-machine = true",
        "verifier": f'verifier = "{arguments.verifier}"',
        # containerd runs as root. What would change the kernel is locked, whoever asks.
        "container-capabilities": 'container-capabilities = "all"',
    }
    for name, roots in (("cs-launcher.verifier-ca", verifier_ca), ("cs-launcher.registry-ca", registry_ca)):
        if roots is not None:
            shutil.copy(roots, store / name)
    for file in given:
        if not file.is_file() or not file.name.startswith("cs-launcher."):
            raise BuildError(f"--launcher-settings: {file} is no file whose name begins with cs-launcher.")
        if file.name != SETTINGS_FILE:
            shutil.copyfile(file, store / file.name)
    (store / SETTINGS_FILE).write_text("".join(f"{line}\n" for line in (lines | more).values()))
    return tree


def setting_lines(file: Path) -> dict[str, str]:
    """Return the lines of a configuration file of the launcher, by the names of what they set."""
    lines: dict[str, str] = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        setting = re.fullmatch(r"\s*([a-z-]+)\s*=\s*\S.*", line)
        if not setting or setting[1] in lines:
            raise BuildError(f"{file}: line {number} is not NAME = VALUE, or stands there twice")
        lines[setting[1]] = line.strip()
    return lines


# --- the build proper


class Workshop:
    """mkosi, the tools that it works with, and what is kept from one build to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources = folder / "sources"
        self.tools = folder / "tools"
        self.initrd = folder / "initrd.cpio.zst"
        self.epoch = os.environ.get("SOURCE_DATE_EPOCH") or _date_of_sources()

    def prepare(self) -> None:
        """Find where packages come from, fetch mkosi and build the tools."""
        for name in ("cache", "workspace", "incremental"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write_sources()
        if not (self.folder / "mkosi").exists():
            say("fetching mkosi")
            self._fetch_mkosi()
        stamp = Stamp(self.folder / "tools.stamp", [HERE / "tools"])
        if not stamp.is_current(self.tools):
            say("building the tools")
            self._mkosi("tools", self.folder, "tools", tools=False)
            stamp.write()

    def build_initrd(self) -> None:
        """Build the initial RAM disk from its script and two programs of the tools."""
        stamp = Stamp(self.folder / "initrd.stamp", [HERE / "initrd", HERE / "tools"], self.epoch)
        if stamp.is_current(self.initrd):
            return
        say("building the initial RAM disk")
        tree = self.folder / "initrd.tree"
        shutil.rmtree(tree, ignore_errors=True)
        for name in ("bin", "dev", "proc", "run", "sys", "sysroot", "usr/lib", "usr/lib64"):
            (tree / name).mkdir(parents=True)
        for name in ("lib", "lib64"):
            (tree / name).symlink_to(f"usr/{name}")
        shutil.copy(self.tools / "usr/bin/busybox", tree / "bin/busybox")
        for applet in ("cat", "grep", "modprobe", "mount", "reboot", "sed", "sleep", "switch_root", "umount"):
            (tree / "bin" / applet).symlink_to("busybox")
        shutil.copy(self.tools / "usr/sbin/veritysetup", tree / "bin/veritysetup")
        shutil.copy(self.tools / "usr/lib/os-release", tree / "usr/lib/os-release")
        for word in _output("chroot", self.tools, "ldd", "/usr/sbin/veritysetup").split():
            if word.startswith("/"):
                library = tree / word.removeprefix("/")
                library.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy((self.tools / word.removeprefix("/")).resolve(), library)
        self._mkosi("initrd", self.folder, "initrd", "--base-tree", tree)
        stamp.write()

    def build_packages(self, output: Path) -> Path:
        """Compile launcher and verifier for the image's release; returns the folder of the packages."""
        stamp = Stamp(self.folder / "packages.stamp", [REPOSITORY / name for name in package_sources()], self.epoch)
        if not stamp.is_current(output):
            say("compiling launcher and verifier for the image")
            sources, build = self.folder / "packages.sources", self.folder / "packages.build"
            build.mkdir(exist_ok=True)
            copy_sources(sources)
            more = ["--build-sources", sources, "--build-directory", build, "--incremental", "yes"]
            self._mkosi("packages", self.folder / "packages.output", "packages", *more)
            shutil.rmtree(output, ignore_errors=True)
            output.mkdir(parents=True)
            for package in build.glob("**/packages/*.deb"):
                shutil.copy(package, output)
            stamp.write()
        return output

    def build_image(self, variant: str, output: Path, *, packages: Path, keys: SecureBootKeys, settings: Path) -> None:
        """Build one variant of the appliance."""
        image = output / f"{variant}.raw"
        inputs = [HERE / "build.py", HERE / "file_lists.py", HERE / "appliance", self.initrd, packages, keys.folder / "db.crt", settings]
        stamp = Stamp(output / f"{variant}.stamp", inputs, self.epoch)
        if stamp.is_current(image):
            return
        say(f"building the {variant} image")
        signed_at = datetime.datetime.fromtimestamp(int(self.epoch), tz=datetime.UTC)
        (self.tools / "usr/lib/systemd/systemd-sbsign.time").write_text(f"{signed_at:%Y-%m-%d %H:%M:%S}")
        self._mkosi(
            *("appliance", output, variant, "--profile", variant, "--seed", str(SEED)),
            *("--initrd", self.initrd, "--extra-tree", settings, "--package-directory", packages),
            *("--secure-boot-key", keys.signing_key, "--secure-boot-certificate", keys.folder / "db.crt"),
        )
        (output / f"{variant}.epoch").write_text(self.epoch)
        kernel_image = output / f"{variant}.efi"
        kernel_image.unlink(missing_ok=True)
        subprocess.run(["mcopy", "-i", f"{image}@@{SYSTEM_PARTITION}", KERNEL_IMAGE, kernel_image], check=True)
        lists = {"root": self._files_of_root(image), "initrd": self._files_of_initrd()}
        (output / f"{variant}.files.json").write_text(json.dumps(lists, indent=0) + "\n")
        stamp.write()

    def _files_of_root(self, image: Path) -> dict[str, str]:
        """Take the root file system apart."""
        table = json.loads(_output("sfdisk", "--json", image))["partitiontable"]
        (start,) = [partition["start"] for partition in table["partitions"] if partition["name"] == "root"]
        with tempfile.TemporaryDirectory(dir=self.folder / "workspace") as folder:
            root = Path(folder) / "root"
            offset = f"--offset={start * table['sectorsize']}"
            self._run_tool("fsck.erofs", offset, f"--extract={root}", "--preserve", image)
            return files_of(root)

    def _files_of_initrd(self) -> dict[str, str]:
        with tempfile.TemporaryDirectory(dir=self.folder / "workspace") as folder:
            archive, root = Path(folder) / "cpio", Path(folder) / "root"
            root.mkdir()
            self._run_tool("zstd", "--quiet", "--decompress", "-o", archive, self.initrd)
            self._run_tool("cpio", "--extract", "--quiet", "--no-absolute-filenames", "-D", root, "-F", archive)
            return files_of(root)

    def _run_tool(self, name: str, *words: str | Path) -> None:
        """Run a program of the tools as it is there, on files of this machine."""
        libraries = f"{self.tools}/usr/lib/x86_64-linux-gnu:{self.tools}/usr/lib/x86_64-linux-gnu/systemd"
        loader = [self.tools / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", libraries]
        subprocess.run([*loader, self.tools / "usr/bin" / name, *words], check=True, stdout=subprocess.DEVNULL)

    def _write_sources(self) -> None:
        """Point mkosi at the mirrors that this machine's own packages come from."""
        codename = _os_release()["VERSION_CODENAME"]
        sites = {}
        for line in _output("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages").split(
            "\n"
        ):
            site, _, release = line.partition(" ")
            sites.setdefault(release, site)
        if codename not in sites:
            raise BuildError(f"apt has no source for {codename}, Debian's release on this machine")
        entries = [(sites[codename], f"{RELEASE} {RELEASE}-updates")]
        if f"{codename}-security" in sites:
            entries.append((sites[f"{codename}-security"], f"{RELEASE}-security"))
        folder = self.sources / "etc/apt/sources.list.d"
        folder.mkdir(parents=True, exist_ok=True)
        keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
        (folder / "mkosi.sources").write_text(
            "\n".join(
                f"Types: deb\nURIs: {site}\nSuites: {suites}\nComponents: main\nSigned-By: {keyring}\n"
                for site, suites in entries
            )
        )

    def _fetch_mkosi(self) -> None:
        """Take mkosi from the image's own release; it is all Python, and older releases have none that is new enough."""
        apt = self.folder / "apt"
        for name in ("lists/partial", "cache/archives/partial"):
            (apt / name).mkdir(parents=True, exist_ok=True)
        options = [
            *("-o", "Dir::Etc::SourceList=/dev/null"),
            *("-o", f"Dir::Etc::SourceParts={self.sources / 'etc/apt/sources.list.d'}"),
            *("-o", f"Dir::State::Lists={apt / 'lists'}", "-o", f"Dir::Cache={apt / 'cache'}"),
            *("-o", "APT::Sandbox::User=root"),
        ]
        for package in apt.glob("mkosi_*.deb"):
            package.unlink()
        subprocess.run(["apt-get", "-qq", *options, "update"], check=True)
        subprocess.run(["apt-get", "-qq", *options, "download", "mkosi"], cwd=apt, check=True)
        (package,) = apt.glob("mkosi_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, self.folder / "mkosi.new"], check=True)
        (self.folder / "mkosi.new").rename(self.folder / "mkosi")

    def _mkosi(self, recipe: str, folder: Path, name: str, *options: str | Path, tools: bool = True) -> None:
        """Run mkosi on one of the recipes; what it says is shown only when it fails."""
        folder.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [
            *("/usr/bin/python3", "-m", "mkosi", "--directory", HERE / recipe, "--force"),
            *("--distribution", "debian", "--release", RELEASE, "--sandbox-tree", self.sources),
            *("--package-cache-dir", self.folder / "cache", "--workspace-directory", self.folder / "workspace"),
            *("--cache-directory", self.folder / "incremental", "--output-directory", folder, "--output", name),
            *("--source-date-epoch", self.epoch, *options),
        ]
        if tools:
            command += ["--tools-tree", self.tools]
        environment = {
            **{key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")},
            "PYTHONPATH": str(self.folder / "mkosi/usr/lib/python3/dist-packages"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        log = self.folder / f"{name}.log"
        with log.open("w") as file:
            result = subprocess.run(
                [*map(str, command), "build"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=environment,
                check=False,
            )
        if result.returncode != 0:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-60:])
            raise BuildError(f"building {name} failed; the end of {log}:\n{last}")


class Stamp:
    """Whether what was built is still what its inputs ask for."""

    def __init__(self, path: Path, inputs: Iterable[Path], *more: str) -> None:
        self._path = path
        digest = hashlib.sha256(json.dumps(more).encode())
        for top in inputs:
            for file in sorted([top, *top.rglob("*")] if top.is_dir() else [top]):
                name = str(file.relative_to(top.parent))
                content = (
                    os.readlink(file).encode() if file.is_symlink() else file.read_bytes() if file.is_file() else b""
                )
                digest.update(f"{name}\0{len(content)}\0{file.lstat().st_mode:o}\0".encode() + content)
        self._digest = digest.hexdigest()

    def is_current(self, result: Path) -> bool:
        """Tell whether the result is there and was made from these inputs."""
        return result.exists() and self._path.exists() and self._path.read_text() == self._digest

    def write(self) -> None:
        """Note that the result has been made."""
        self._path.write_text(self._digest)


def copy_sources(target: Path) -> None:
    """Copy what the packages are made of, and nothing else, so that nothing else can get into them.

    A file that is as it was keeps the time of its copy, another one gets that of now: it may have been changed while
    the last build ran, which then made something of its old state that is younger than the change.
    """
    before = target.with_suffix(".before")
    shutil.rmtree(before, ignore_errors=True)
    if target.exists():
        target.rename(before)
    target.mkdir()
    for name in package_sources():
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, target / name, symlinks=True)
        else:
            shutil.copy2(source, target / name)
    for copy in target.rglob("*"):
        if copy.is_symlink() or not copy.is_file():
            continue
        old = before / copy.relative_to(target)
        if old.is_file() and filecmp.cmp(old, copy, shallow=False):
            os.utime(copy, ns=(old.stat().st_mtime_ns,) * 2)
        else:
            os.utime(copy)
    shutil.rmtree(before, ignore_errors=True)


def describe(variant: str, output: Path, keys: SecureBootKeys) -> dict[str, object]:
    """Return the image's reference value, and write down and check what it weighs."""
    kernel_image = output / f"{variant}.efi"
    version = _version()
    entry = predicted_entry(
        kernel_image.read_bytes(),
        keys=keys.lists,
        name=f"confidential-space-{variant}-{version}",
        swversion=software_version(version),
        hardened=variant == "hardened",
        support_attributes=["LATEST", "STABLE", "USABLE"] if variant == "hardened" else [],
        packages=load_packages(output / f"{variant}.manifest"),
    )
    sizes = {"image": (output / f"{variant}.raw").stat().st_size, "kernel_image": kernel_image.stat().st_size}
    (output / f"{variant}.sizes.json").write_text(json.dumps(sizes) + "\n")
    say(f"{variant}: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sizes.items()))
    return entry


def software_version(version: str) -> int:
    """Return the number that stands for a release in tokens: 1.2.3 is 10203."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major * 10000 + minor * 100 + patch


def _version() -> str:
    words = (REPOSITORY / "CMakeLists.txt").read_text().partition("project(cs-launcher VERSION ")[2].split()
    if not words:
        raise BuildError("CMakeLists.txt names no version")
    return words[0]


def _date_of_sources() -> str:
    """Return the time of the last commit, in seconds; of sources without a history, that of their main file."""
    try:
        return _output("git", "log", "-1", "--format=%ct").strip()
    except (OSError, subprocess.CalledProcessError):
        return str(int((REPOSITORY / "CMakeLists.txt").stat().st_mtime))


def _os_release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def _output(*command: str | Path) -> str:
    return subprocess.run([*map(str, command)], check=True, text=True, stdout=subprocess.PIPE, cwd=REPOSITORY).stdout


def say(text: str) -> None:
    """Tell the person who waits what is going on."""
    print(f"image: {text}", flush=True)


if __name__ == "__main__":
    main()
