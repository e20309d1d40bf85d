"""Chance that is the same everywhere: a stream of digests of its seed."""

import hashlib
import itertools


class Chance:
    """Draws by its seed."""

    def __init__(self, seed):
        self._digests = (hashlib.sha256(f"{seed} {at}".encode()).digest() for at in itertools.count())

    def random(self):
        return int.from_bytes(next(self._digests)[:6]) / 2**48

    def randint(self, least, most):
        return least + int(self.random() * (most - least + 1))

    def choice(self, some):
        return some[self.randint(0, len(some) - 1)]

    def sample(self, some, count):
        left = list(some)
        return [left.pop(self.randint(0, len(left) - 1)) for _ in range(count)]
