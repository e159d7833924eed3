"""What the toy alone has: delays that are multiples of some time steps."""

from dataclasses import dataclass
from typing import ClassVar

from pynn_sparse.export.capability import Capability
from pynn_sparse.export.errors import Violation
from pynn_sparse.export.models.dynamics import exact_hops


@dataclass(frozen=True)
class CoarseDelays(Capability):
    """A spike arrives after a multiple of `unit` time steps."""

    unit: int
    approximations: ClassVar = {"coarse": "delays are the next longer ones that the target has"}

    def of_network(self, net):
        exact = exact_hops(net)
        for part, wanted, has in zip(net.connections, exact, self.hops(net, exact), strict=True):
            longer = int((has > wanted).sum())
            if longer:
                what = f"{longer} synapses with delays between those of the target"
                limit, remedy = f"multiples of {self.unit} steps", "choose other delays"
                yield Violation(part.label, what, limit, remedy, accept="coarse")

    def hops(self, net, hops):
        return [-(-hop // self.unit) * self.unit for hop in hops]
