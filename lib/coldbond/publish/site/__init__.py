"""The web site of built figures: `make site` writes OUT/site, which asks nothing of any other host.

`build` stages the pages as Markdown and notebooks in a folder of their own and lets Sphinx make HTML of them (MyST-NB,
theme furo). The pages of the bundle include those in docs/, which keep their places so that they read well on a code
host too; the site of other recordings has only what their folder holds.
"""
