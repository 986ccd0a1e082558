"""Ablations: the paper's, as studies of rows that differ in one thing, run over several seeds.

`studies` says what is compared, `paper` what was published, `plan` what a row costs, `work` runs it
through the stages of the pipeline, `ledger` keeps what was measured, `page` shows it.
"""
