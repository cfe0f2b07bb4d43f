"""Jupyter kernels that are forked, not started: a tenth of a second instead of two.

Nine tenths of the time of a short notebook go to starting a Python and importing numpy, pandas, matplotlib and the
like. Here one process, the server, has imported them, and every kernel is a fork of it. Papermill, nbclient, nbval and
JupyterLab use it unchanged where the environment variable names it,

    JUPYTER_DEFAULT_PROVISIONER_NAME=warm papermill notebook.ipynb -

and a kernel does what an ordinary one does: restart, interrupt, its own working directory, environment, standard
streams, hash seed and limits, and an end when its user ends. Scripts that execute notebooks are forked as well, since
papermill's imports cost as much as a small figure:

    JUPYTER_DEFAULT_PROVISIONER_NAME=warm python -m warm_kernel script.py argument ...

What it does not do:

- The server starts by itself with the first kernel, and ends five minutes after the last, or within a second where the
  packages of its environment change. It holds about 250 MB, most of them shared with its kernels. There is one for each
  environment and each setting that is read at import, such as OMP_NUM_THREADS or PYTHONHASHSEED (`identity`).
- A warning that a package gives when it is imported is given to the server, and not seen in the notebook.
- Packages that are edited in place in site-packages are seen after their next installation. Code that is imported from
  elsewhere, such as a library under development, is never held by the server and always read anew.
- Kernels of another Python, with pipes for streams, or which are to outlive their user, are started as ever, and so is
  each where the server cannot be had; the log says why.

It needs Linux: macOS forbids its own libraries in forks, Windows has none.
"""
