"""A kernel provisioner for jupyter_client whose kernels are forks of the server."""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Float

from warm_kernel import client


class WarmProvisioner(LocalProvisioner):
    """Provide kernels that are forked from a server; see the documentation of the package.

    Only the launch differs from jupyter_client's own provisioner. Signals are sent to the kernel's process group, a
    restart keeps the connection file, and a kernel that has died is noticed by polling, as for any kernel.
    """

    idle = Float(client.IDLE, help="Seconds without any process after which the server ends.").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch a kernel with a command; the keywords are those of subprocess.Popen."""
        wanted = LocalProvisioner._scrub_kwargs(kwargs)
        if _is_forkable(cmd, wanted):
            at = cmd.index("-m")
            try:
                process = await asyncio.to_thread(client.forked, cmd[:at], cmd[at:], **wanted, idle=self.idle)
            except ConnectionError as error:
                self.log.warning("An ordinary kernel is started, since no warm one can be had: %s", error)
            else:
                # jupyter_client declares a Popen here, and uses of it what ForkedProcess has.
                self.process = process  # type: ignore[assignment]
                self.pid = self.pgid = process.pid  # the fork makes a process group of its own
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)


def _is_forkable(cmd: list[str], wanted: Mapping[str, Any]) -> bool:
    """Return whether a fork of the server is what a command and the keywords of Popen ask for."""
    streams = [wanted.get("stdout"), wanted.get("stderr")]
    return (
        sys.platform == "linux"
        and cmd[0] == sys.executable
        and "ipykernel_launcher" in cmd
        and not {name for name, value in wanted.items() if value} - {"env", "cwd", "stdout", "stderr"}
        # Negative numbers are subprocess.PIPE and the like.
        and all(stream is None or hasattr(stream, "fileno") or stream >= 0 for stream in streams)
    )
