"""Jupyter kernels that are forked from a running process and start in 0.1 s instead of 2 s.

A short notebook spends nine tenths of its time on starting Python and importing numpy, pandas, matplotlib and similar
packages. Here one process, the server, has imported them already, and each kernel is a fork of it. Papermill, nbclient,
nbval and JupyterLab use such kernels without any change if this environment variable is set:

    JUPYTER_DEFAULT_PROVISIONER_NAME=warm papermill notebook.ipynb -

A forked kernel behaves like an ordinary one. It can be restarted and interrupted; it has its own working directory,
environment variables, standard streams, hash seed and resource limits; and it ends when the process that started it
ends. Scripts that execute notebooks can be forked as well, since importing papermill takes as long as a small figure:

    JUPYTER_DEFAULT_PROVISIONER_NAME=warm python -m warm_kernel script.py argument ...

Limits:

- The first kernel starts the server. The server ends five minutes after its last kernel, or within a second after the
  packages of its environment have changed. It takes about 250 MB of memory, most of which its kernels share. There is
  one server for each environment and each value of the variables that Python or a package reads when it is imported,
  such as OMP_NUM_THREADS or PYTHONHASHSEED (`identity`).
- A warning that a package issues on import is issued in the server, and does not appear in the notebook.
- A package that is edited in place in site-packages is not imported anew until it is reinstalled. The server never
  imports code from other places, such as a library under development: each kernel imports it from disk.
- A kernel of another Python, a kernel whose streams are pipes, and a kernel that is meant to outlive its user are
  started in the ordinary way. So is any kernel if no server can be started; the log says why.

It works on Linux only: the system libraries of macOS must not be used after a fork, and Windows has no fork.
"""
