"""From collected examples to batches (notebook 28): splits, leaks, fitted steps, batches, pairs."""

from mmcourse.pipeline.batches import pad_batch, shuffle_buffer, take, tf_batches
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
    check_splits,
    report,
    rows_of,
    split_by_group,
    split_by_key,
    split_by_time,
    split_random,
    split_stratified,
)
from mmcourse.pipeline.steps import FORMAT, STEPS, Fill, Pipeline, Standardise, StatisticsError, TokenIds

__all__ = [
    "FORMAT",
    "SHARES",
    "STEPS",
    "Fill",
    "LeakError",
    "Pair",
    "Pipeline",
    "Provenance",
    "Standardise",
    "StatisticsError",
    "TokenIds",
    "assert_no_leak",
    "check_splits",
    "find_crossing_groups",
    "find_shared",
    "fingerprint",
    "keep_first",
    "nearest_frame",
    "pad_batch",
    "report",
    "rows_of",
    "shuffle_buffer",
    "split_by_group",
    "split_by_key",
    "split_by_time",
    "split_random",
    "split_stratified",
    "take",
    "tf_batches",
]
