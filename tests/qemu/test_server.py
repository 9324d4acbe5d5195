"""A workload that others call, and a machine that is asked to power off."""

from __future__ import annotations

import http.client

from cs_harness import VmWorld
from cs_harness.vm import BOOT_SECONDS
from support import push, shell_image

CALL_SECONDS = 30.0
SILENCE_SECONDS = 3.0
STOPPED = "the program has been asked to end"

# A credential of the firmware's, which would have the launcher trust another service.
FOREIGN = {"cs-launcher.conf": 'verifier = "https://attacker.example"\n'}


def get(address: tuple[str, int], timeout: float) -> str:
    """Return what a web server says; raises TimeoutError when nobody answers."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", "/index.html")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def reached(address: tuple[str, int], timeout: float) -> bool:
    """Return whether anybody answers."""
    try:
        return bool(get(address, timeout))
    except (TimeoutError, http.client.HTTPException, ConnectionError):
        return False


def test_a_server_that_is_called_and_then_asked_to_end(world: VmWorld) -> None:
    """What is exposed answers and nothing else does; the power button ends it by its STOPSIGNAL, in order."""
    script = "; ".join(
        [
            f"trap 'echo {STOPPED}; exit 0' USR1",
            "mkdir /tmp/site; echo here > /tmp/site/index.html",
            *(f"busybox httpd -p {port} -h /tmp/site" for port in (8080, 8081)),
            world.postbox.send("echo serving"),
            "while :; do sleep 300 & wait; done",
        ]
    )
    labels = {"tee.launch_policy.log_redirect": "always"}
    image = push(
        world.registry,
        shell_image(script, labels=labels, exposed_ports=["8080/tcp"], extra_config={"StopSignal": "SIGUSR1"}),
    )
    world.metadata.attributes = {"tee-image-reference": image.by_tag, "tee-container-log-redirect": "serial"}
    with world.machine(credentials=FOREIGN) as vm:
        assert world.postbox.wait(BOOT_SECONDS).strip() == "serving"
        assert get(vm.forward(8080), CALL_SECONDS) == "here\n"
        assert not reached(vm.forward(8081), SILENCE_SECONDS)
        vm.press_power_button()
        vm.console.wait_for("the power button was pressed")
        vm.console.wait_for(STOPPED)
        vm.console.wait_for('exit_code=0 exit_msg="workload finished successfully, shutting down the VM"')
        vm.wait_shutdown()
        assert "attacker.example" not in vm.console.text
