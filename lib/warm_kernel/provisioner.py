"""Kernels for jupyter_client that are forks of the server."""

import asyncio
import sys

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Float

from warm_kernel import client


class WarmProvisioner(LocalProvisioner):
    """Provide kernels that are forked from a server; see the package's documentation.

    Everything but the launch is jupyter_client's own: signals go to the kernel's process group, a restart keeps the
    connection file, a kernel's death is seen by polling.
    """

    idle = Float(client.IDLE, help="Seconds after its last process at which the server ends.").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs) -> KernelConnectionInfo:
        """Launch a kernel with a command; the keywords are those of subprocess.Popen."""
        wanted = LocalProvisioner._scrub_kwargs(kwargs)
        if _is_forkable(cmd, wanted):
            try:
                at = cmd.index("-m")
                self.process = await asyncio.to_thread(client.forked, cmd[:at], cmd[at:], **wanted, idle=self.idle)
                self.pid = self.pgid = self.process.pid
                return self.connection_info
            except ConnectionError as error:
                self.log.warning("An ordinary kernel is started, since no warm one can be had: %s", error)
        return await super().launch_kernel(cmd, **kwargs)


def _is_forkable(cmd: list[str], wanted: dict) -> bool:
    streams = [wanted.get("stdout"), wanted.get("stderr")]
    return (
        sys.platform == "linux"
        and cmd[0] == sys.executable
        and "ipykernel_launcher" in cmd
        and not {name for name, value in wanted.items() if value} - {"env", "cwd", "stdout", "stderr"}
        and all(stream is None or hasattr(stream, "fileno") or stream >= 0 for stream in streams)
    )
