"""From collected examples to batches (notebook 28): splits, leaks, batches, pairs.

The steps that are fitted on the training part are scikit-learn's: ``Pipeline``, ``ColumnTransformer``,
``StandardScaler``, ``SimpleImputer``.
"""

from mmcourse.pipeline.batches import pad_batch, take
from mmcourse.pipeline.leaks import (
    LeakError,
    assert_no_leak,
    find_crossing_groups,
    find_shared,
    fingerprint,
    keep_first,
)
from mmcourse.pipeline.pairs import Pair, Provenance, nearest_frame
from mmcourse.pipeline.splits import (
    SHARES,
    HasSplits,
    check_splits,
    rows_of,
    split_by_group,
    split_by_key,
    split_random,
    split_stratified,
)

__all__ = [
    "SHARES",
    "HasSplits",
    "LeakError",
    "Pair",
    "Provenance",
    "assert_no_leak",
    "check_splits",
    "find_crossing_groups",
    "find_shared",
    "fingerprint",
    "keep_first",
    "nearest_frame",
    "pad_batch",
    "rows_of",
    "split_by_group",
    "split_by_key",
    "split_random",
    "split_stratified",
    "take",
]
