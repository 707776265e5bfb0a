"""Safe ranks, calibration and novelty on held-out records: crops of ISIIS, barcodes of Lepidoptera and copepods.

Crops: the starter's recipe, on a test part that training and calibration never saw, and a second model with a fifth of
the labels, and one with a fifth of the genera, held out. Barcodes: `recipes/barcodes.toml` on species seen and unseen, and on
genera held out. Every error is of the answer at the rank that was answered.

Run: python benchmarks/quality/decisions.py [--only NAME] [--keep FOLDER]
"""
