"""The launcher as a service of a machine that is still starting: what it waits for, what it checks, whom it tells."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from cs_harness import World
from support import STAY, push, shell_image

SUCCESS, FAILURE, REBOOT = 0, 1, 3
WAIT = {"--wait": "60"}


def test_the_service_manager_is_told_each_step(world: World) -> None:
    """`systemctl status` shows what the launcher is doing, and the watchdog sees that it is alive."""
    image = push(world.registry, shell_image())
    path = world.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(10)
        env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"}
        with world.launcher({"tee-image-reference": image.by_tag}, env=env) as launcher:
            messages = []
            while not messages or messages[-1] != "STOPPING=1":
                messages.append(systemd.recv(4096).decode())
            assert launcher.wait() == SUCCESS, launcher.process.last_words()
    assert messages.count("READY=1") == 1
    assert "WATCHDOG=1" in messages
    steps = [message.removeprefix("STATUS=") for message in messages if message.startswith("STATUS=")]
    assert steps[0] == "reading the launch specification"
    assert f"pulling {image.by_tag}" in steps
    assert steps[-2:] == ["the workload runs", "cleaning up"]
