"""The pure core: what becomes of runs and records, told by what the files ask and the members answer."""
