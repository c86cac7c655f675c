"""Reads or enlarges any number of files without a server: lists them once, processes them in parts, writes one Parquet
file.

    sources ─► inputs ─► workspace (inputs, parts) ─► pool of workers ─► parts ─► results.parquet

After an interruption of any kind the same command continues, with the same result. Needs the extra `bulk`, and `ray`
for a cluster.
"""
