"""One domain in four versions, as the Rust one is: the environment says which of the programs this is."""

from os import environ
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

VERSION = int(environ["DOMAIN_VERSION"])


class OfTricks:
    """What makes of an older event that a trick was taught one of the next version."""

    class_version = VERSION

    @staticmethod
    def upcast_v1_v2(state):
        state["level"] = 1

    @staticmethod
    def upcast_v2_v3(state):
        state["skill"] = state.pop("trick")

    @staticmethod
    def upcast_v3_v4(state):
        state["trainer"] = UUID(int=0)


class OfDogs:
    """What makes of a dog in an older snapshot one of the next version."""

    class_version = VERSION

    @staticmethod
    def create_id(name):
        return uuid5(NAMESPACE_URL, f"/dogs/{name}")

    @staticmethod
    def upcast_v1_v2(state):
        state["levels"] = [1] * len(state["tricks"])

    @staticmethod
    def upcast_v2_v3(state):
        state["skills"] = state.pop("tricks")

    @staticmethod
    def upcast_v3_v4(state):
        state["trainers"] = [UUID(int=0)] * len(state["skills"])


if VERSION == 1:

    class Dog(OfDogs, Aggregate):
        class TrickAdded(OfTricks, Aggregate.Event):
            trick: str

        @event("Registered")
        def __init__(self, name, chip):
            self.name, self.chip, self.tricks = name, chip, []

        @event(TrickAdded)
        def add(self, trick):
            self.tricks.append(trick)

elif VERSION == 2:

    class Dog(OfDogs, Aggregate):
        class TrickAdded(OfTricks, Aggregate.Event):
            trick: str
            level: int

        @event("Registered")
        def __init__(self, name, chip):
            self.name, self.chip, self.tricks, self.levels = name, chip, [], []

        @event(TrickAdded)
        def add(self, trick, level):
            self.tricks.append(trick)
            self.levels.append(level)

elif VERSION == 3:

    class Dog(OfDogs, Aggregate):
        class TrickAdded(OfTricks, Aggregate.Event):
            skill: str
            level: int

        @event("Registered")
        def __init__(self, name, chip):
            self.name, self.chip, self.skills, self.levels = name, chip, [], []

        @event(TrickAdded)
        def add(self, skill, level):
            self.skills.append(skill)
            self.levels.append(level)

else:

    class Dog(OfDogs, Aggregate):
        class TrickAdded(OfTricks, Aggregate.Event):
            skill: str
            level: int
            trainer: UUID

        @event("Registered")
        def __init__(self, name, chip):
            self.name, self.chip, self.skills, self.levels, self.trainers = name, chip, [], [], []

        @event(TrickAdded)
        def add(self, skill, level, trainer):
            self.skills.append(skill)
            self.levels.append(level)
            self.trainers.append(trainer)


class DogSchool(Application):
    """The application of each of these programs."""
