"""The data of the course: pinned archives (:mod:`mmcourse.data.archives`) and one loader a data set."""
