"""Why an automation fired for a run or a version, or did not (HI6).

`explain` asks the same functions that matching asks, gate by gate, and names the first that said no. For metrics it
goes through what the run logged, to the point where the rule held or came nearest.
"""

from automations.tracing.explaining import OFFERED, candidates_for, explain, subjects_for
from automations.tracing.gates import Gate, Trace, Verdict

__all__ = ["OFFERED", "Gate", "Trace", "Verdict", "candidates_for", "explain", "subjects_for"]
