"""Millions of files without a server: listed once, worked on in parts, written as one Parquet file.

    sources ─► inputs ─► workspace (inputs, parts) ─► pool of workers ─► parts ─► results.parquet

Whatever ends a run, the same command goes on where it ended and gives the same result. Needs the extra `bulk`, and
`ray` for a cluster.
"""
