"""PyPI mirt on the bench's data: CPU seconds of its calibration, EAP and adaptive test.

Usage: pypi_mirt.py calibrate DATA.csv ESTIMATES.csv NODES | adaptive BANK.csv
Prints lines `WHAT SECONDS`. Estimates are written as slope, d1, d2, ... a line an item.
"""

import sys
import time

import mirt
import numpy as np
from mirt.cat.stopping import MaxItemsStop


def timed(what, work):
    start = time.process_time()
    result = work()
    print(what, time.process_time() - start, flush=True)
    return result


def calibrate(data, estimates, nodes):
    answers = np.loadtxt(data, delimiter=",", skiprows=1, dtype=np.int8).astype(np.int64) - 1
    fit = timed(
        "calibrate",
        lambda: mirt.fit_mirt(
            answers, model="GRM", n_categories=5, n_quadpts=int(nodes), compute_standard_errors=False
        ),
    )
    slopes = np.asarray(fit.model.parameters["discrimination"], dtype=float).ravel()
    thresholds = np.asarray(fit.model.parameters["thresholds"], dtype=float)
    np.savetxt(estimates, np.column_stack([slopes, -slopes[:, None] * thresholds]), "%.17g", ",")
    for _ in range(3):
        timed("eap", lambda: mirt.fscores(fit, answers, method="EAP", n_quadpts=61))


def adaptive(bank):
    rows = np.loadtxt(bank, delimiter=",")
    model = mirt.GradedResponseModel(n_items=len(rows), n_categories=5)
    model.set_parameters(discrimination=rows[:, 0], thresholds=-rows[:, 1:] / rows[:, :1])
    model._is_fitted = True
    engine = mirt.CATEngine(
        model, stopping_rule=MaxItemsStop(30), max_items=30, theta_bounds=(-6, 6), seed=1
    )
    thetas = np.random.default_rng(1).standard_normal(10_000)
    engine.run_batch_simulation(thetas[:10])
    timed("adaptive", lambda: engine.run_batch_simulation(thetas))


if __name__ == "__main__":
    {"calibrate": calibrate, "adaptive": adaptive}[sys.argv[1]](*sys.argv[2:])
