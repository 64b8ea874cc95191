"""How many people are probably inside a place, believed from imperfect counters, and when it is better to say nothing.

A place is a unit whose door is counted, or an entrance of a building. The belief is a discrete Bayesian filter over
(people who live there, people inside now); it is pure, incremental and serialisable, holds no history of who came and
went (privacy P3), and knows nothing of the registry: whoever compares it with a lease does so in a rule.

How `hub.alerts` uses it:

    profile = PlaceProfile(counters={"gw-1/cam-door": Counter(miss_rate=0.06, double_rate=0.02)}, locks={"gw-1/lock"})
    state = BeliefState.load(text, profile) if text else BeliefState.start(profile, first_event.observed_at)
    nights = state.fold(event, source="gw-1/cam-door")   # any wire event of a device of this place
    nights += state.advance(at)                          # nothing more was seen up to `at`
    state.lose_sight(at); state.regain_sight(at)         # the gateway's counts of that time are lost for good
    state.anchor(at, 0)                                  # a person looked: exactly so many are inside
    text = state.dump()
    state.estimate()                                     # -> Estimate, at the time that has been folded

- `source` is the code of the device's placement, `gateway/device`.
- Events come in the order of each lane. A counter's stream carries the time: lock events wait until it has passed
  them, so that a lane that overtook the other does no harm. Call `advance` with the `observed_at` of the newest event
  of the routine lane of the counter's gateway (its health events serve), not with the wall clock: a gateway that is
  away still counts, and sends its counts later. Nights then come late, but right.
- `fold` and `advance` return the nights (02:00 to 05:00 local) that became known: each at its end, and once more,
  `is_revised`, at the midnight after, when the day's comings and goings have told more. The second replaces the first.
- A night or an estimate that `abstains` must be judged as "cannot evaluate", never as "in order".
"""

from hub.occupancy.belief import BeliefState
from hub.occupancy.estimate import Abstention, Estimate, Night, interval_90
from hub.occupancy.profile import Counter, Habits, PlaceProfile, Rates

__all__ = [
    "Abstention",
    "BeliefState",
    "Counter",
    "Estimate",
    "Habits",
    "Night",
    "PlaceProfile",
    "Rates",
    "interval_90",
]
