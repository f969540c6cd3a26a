"""One of the four programs, which does what it is told."""

from uuid import NAMESPACE_DNS

from evolving import VERSION, Dog, DogSchool
from serve import serve


class Peer:
    def open(self, snapshots):
        """Not at the start: two that create the same tables at the same time fail."""
        self.school = DogSchool(env={"IS_SNAPSHOTTING_ENABLED": snapshots})

    def register(self, name, chip):
        self.school.save(Dog(name, int(chip)))

    def add(self, name, trick):
        """Teaches a trick: its level is the version, its trainer a well-known one."""
        dog = self.school.repository.get(Dog.create_id(name))
        dog.add(*[trick, VERSION, NAMESPACE_DNS][: min(VERSION, 2) + (VERSION == 4)])
        self.school.save(dog)

    def take_snapshot(self, name):
        self.school.take_snapshot(Dog.create_id(name))

    def dog(self, name):
        """What the fourth program has in its dog."""
        dog = self.school.repository.get(Dog.create_id(name))
        return [str(dog.chip), dog.skills, dog.levels, [str(trainer) for trainer in dog.trainers]]

    def stored_versions(self, name):
        """The versions of all its events as they are stored: with 1, where there is none."""
        rows = self.school.events.recorder.select_events(Dog.create_id(name))
        mapper = self.school.mapper
        states = []
        for row in rows:
            state = row.state
            if mapper.cipher:
                state = mapper.cipher.decrypt(state)
            if mapper.compressor:
                state = mapper.compressor.decompress(state)
            states.append(mapper.transcoder.decode(state).get("class_version", 1))
        return states


serve(Peer())
