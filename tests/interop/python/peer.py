"""The tutorial's system, which does what it is told."""

from time import monotonic, sleep

from dogschool import Counters, Dog, DogSchool, OtherCounters, other_system, system
from eventsourcing.system import MultiThreadedRunner, SingleThreadedRunner
from serve import serve

RUNNERS = {"single": SingleThreadedRunner, "multi": MultiThreadedRunner}


class Peer:
    """Applications that are constructed directly, and runners for a whole system."""

    def __init__(self):
        self.runner = None
        self.school = None
        self.counters = None

    def open(self):
        self.school, self.counters = DogSchool(), Counters()

    def start(self, runner, follower="Counters"):
        chosen, counters = (
            (system, Counters) if follower == "Counters" else (other_system, OtherCounters)
        )
        self.runner = RUNNERS[runner](chosen)
        self.runner.start()
        self.school, self.counters = self.runner.get(DogSchool), self.runner.get(counters)

    def stop(self):
        if self.runner is not None:
            self.runner.stop()
        self.runner = self.school = self.counters = None

    def register(self, name):
        self.school.register_dog(name)

    def add_trick(self, name, trick):
        self.school.add_trick(name, trick)

    def add_tricks(self, name, trick, times):
        done = 0
        while done < times:
            try:
                self.school.add_trick(name, trick)
                done += 1
            except Exception as error:  # Somebody else was first, or has the lock.
                if type(error).__name__ not in ("IntegrityError", "OperationalError"):
                    raise

    def tricks(self, name):
        return self.school.tricks(name)

    def append_dog(self, name):
        self.school.save(self.school.dogs().trigger_event(name=name))

    def dogs(self):
        return [[event.originator_version, event.name] for event in self.school.dogs().get()]

    def take_snapshot(self, name):
        self.school.take_snapshot(Dog.create_id(name))

    def count(self, trick):
        return self.counters.count(trick)

    def position(self):
        return self.counters.recorder.max_tracking_id("DogSchool")

    def wait_for_position(self, position):
        until = monotonic() + 30
        while (self.position() or 0) < position:
            if monotonic() > until:
                raise TimeoutError(f"at {self.position()}, not at {position}")
            sleep(0.005)

    def rows(self):
        log = self.school.recorder.select_notifications(start=1, limit=10_000)
        return [[row.id, row.originator_version, row.topic] for row in log]


serve(Peer())
