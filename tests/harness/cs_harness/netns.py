"""A network of two machines: one behind the image's firewall, one that calls it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from .process import REPOSITORY, Process, binary, run

# Addresses of documentation (RFC 5737, RFC 3849), in namespaces that nothing else is connected to.
INSIDE = ("192.0.2.1", "2001:db8::1")
OUTSIDE = ("192.0.2.2", "2001:db8::2")
RULESET = REPOSITORY / "image/appliance/mkosi.extra/etc/nftables.conf"
CALL_SECONDS = 1.0
START_SECONDS = 10.0

# Answers "here" on ports of either kind, such as 80/tcp.
_SERVER = """
import selectors, socket, sys
selector = selectors.DefaultSelector()
for word in sys.argv[1:]:
    number, protocol = word.split("/")
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    listener = socket.socket(socket.AF_INET6, kind)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", int(number)))
    if protocol == "tcp":
        listener.listen()
    selector.register(listener, selectors.EVENT_READ, protocol)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        if key.data == "tcp":
            with key.fileobj.accept()[0] as connection:
                connection.sendall(b"here")
        else:
            _, caller = key.fileobj.recvfrom(16)
            key.fileobj.sendto(b"here", caller)
"""

_CALLER = """
import socket, sys
address, number, protocol, seconds = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM) as caller:
    caller.settimeout(float(seconds))
    try:
        caller.connect((address, int(number)))
        if protocol == "udp":
            caller.send(b"?")
        print(caller.recv(16).decode())
    except OSError:
        print("silence")
"""

# What a service manager does for a socket unit (sd_listen_fds(3)).
_ACTIVATE = """
import os, socket, sys
path, *command = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(path)
listener.listen(4)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
print("ready", flush=True)
os.execv(command[0], command)
"""


class FirewallHelper:
    """cs-firewall, started as by a socket unit."""

    def __init__(self, namespace: str, folder: Path) -> None:
        folder = Path(tempfile.mkdtemp(prefix="firewall-", dir=folder))
        self.socket = folder / "socket"
        self.mark = folder / "mark"
        helper = [
            str(binary("cs-firewall")),
            "--user",
            "root",
            "--mark",
            str(self.mark),
        ]
        activation = [sys.executable, "-c", _ACTIVATE, str(self.socket), *helper]
        self.process = Process(["ip", "netns", "exec", namespace, *activation], name="cs-firewall")


class FirewalledNetwork:
    """Two network namespaces with a cable between them; the inner one has the image's ruleset."""

    def __init__(self) -> None:
        self._inner = f"cs-in-{os.getpid()}"
        self._outer = f"cs-out-{os.getpid()}"
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            for name in (self._inner, self._outer):
                run("ip", "netns", "add", name)
                stack.callback(run, "ip", "netns", "delete", name)
            run(
                "ip",
                "link",
                "add",
                "cable",
                "netns",
                self._inner,
                "type",
                "veth",
                "peer",
                "cable",
                "netns",
                self._outer,
            )
            for name, (ipv4, ipv6) in ((self._inner, INSIDE), (self._outer, OUTSIDE)):
                run("ip", "-n", name, "address", "add", f"{ipv4}/24", "dev", "cable")
                run(
                    "ip",
                    "-n",
                    name,
                    "address",
                    "add",
                    f"{ipv6}/64",
                    "dev",
                    "cable",
                    "nodad",
                )
                run("ip", "-n", name, "link", "set", "cable", "up")
            run(*self._inside("nft", "-f", str(RULESET)))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _inside(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self._inner, *command]

    def serve(self, *ports: str) -> None:
        """Answer on ports, such as 80/tcp, of the inner machine."""
        server = Process(self._inside(sys.executable, "-c", _SERVER, *ports), name="server")
        self._stack.enter_context(server).wait_for("ready", START_SECONDS)

    def call(self, port: str) -> list[bool]:
        """Call a port of the inner machine from the outer one; return whether it answers by IPv4 and by IPv6."""
        number, protocol = port.split("/")
        command = ["ip", "netns", "exec", self._outer, sys.executable, "-c", _CALLER]
        answers = [run(*command, address, number, protocol, str(CALL_SECONDS)).strip() for address in INSIDE]
        return [answer == "here" for answer in answers]

    def firewall(self, folder: Path) -> FirewallHelper:
        """Start the firewall's helper on the inner machine, with its socket in a new folder below this one."""
        helper = FirewallHelper(self._inner, folder)
        self._stack.enter_context(helper.process)
        helper.process.wait_for("ready", START_SECONDS)
        return helper

    def close_ports(self) -> None:
        """Do what the helper's unit does when it ends."""
        run(*self._inside(str(binary("cs-firewall")), "--close"))

    def open_ports(self) -> str:
        """Return the elements of the ruleset's set."""
        return run(*self._inside("nft", "list", "set", "inet", "filter", "exposed_ports"))
