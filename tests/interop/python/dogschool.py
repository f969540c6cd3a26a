"""The tutorial's system in Python, under the topics that the Rust one has."""

from uuid import NAMESPACE_URL, uuid5

from eventsourcing.application import AggregateNotFoundError, Application, EventSourcedLog
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, DomainEvent, event
from eventsourcing.system import ProcessApplication, System


class Dog(Aggregate):
    @event("Registered")
    def __init__(self, name):
        self.name = name
        self.tricks = []

    @staticmethod
    def create_id(name):
        return uuid5(NAMESPACE_URL, f"/dogs/{name}")

    @event("TrickAdded")
    def add_trick(self, trick):
        self.tricks.append(trick)


class Dogs:
    """The log of all dogs."""

    class Named(DomainEvent):
        name: str

    id = uuid5(NAMESPACE_URL, "/dogs")


class DogSchool(Application):
    def dogs(self):
        return EventSourcedLog(self.events, Dogs.id, Dogs.Named)

    def register_dog(self, name):
        self.save(Dog(name))

    def add_trick(self, name, trick):
        dog = self.repository.get(Dog.create_id(name))
        dog.add_trick(trick=trick)
        self.save(dog)

    def tricks(self, name):
        return list(self.repository.get(Dog.create_id(name)).tricks)


class Counter(Aggregate):
    @event("Created")
    def __init__(self, name):
        self.name = name
        self.count = 0

    @staticmethod
    def create_id(name):
        return uuid5(NAMESPACE_URL, f"/counters/{name}")

    @event("Incremented")
    def increment(self):
        self.count += 1


class Counters(ProcessApplication):
    @singledispatchmethod
    def policy(self, domain_event, processing_event):
        """Everything else is of no interest."""

    @policy.register(Dog.TrickAdded)
    def _(self, domain_event, processing_event):
        try:
            counter = self.repository.get(Counter.create_id(domain_event.trick))
        except AggregateNotFoundError:
            counter = Counter(domain_event.trick)
        counter.increment()
        processing_event.collect_events(counter)

    def count(self, trick):
        try:
            return self.repository.get(Counter.create_id(trick)).count
        except AggregateNotFoundError:
            return 0


class OtherCounters(Counters):
    """A second follower, with tables and positions of its own."""


system = System(pipes=[[DogSchool, Counters]])
other_system = System(pipes=[[DogSchool, OtherCounters]])
