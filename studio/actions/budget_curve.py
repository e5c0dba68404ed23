"""What memory tokens cost and give, measured for the loaded model on this machine."""

from __future__ import annotations

from storage import history, jobs, measurements, takes
from storage.canonical import digest_of
from storage.records import Cut, Json
from studio.actions.reading import past_of
from studio.session import NO_MEMORY, NotReady, Session
from studio.timeline.edit import EditRefused

KIND = "curve"
TOKENS = (0, 250, 500, 1000, 2000, 5000, 10_000, 20_000)
"""Numbers of tokens whose step is timed."""


def curve(session: Session, project_id: str) -> Json:
    """Return the points that were measured for this model, machine and size; none = not yet."""
    with session.library.read() as tx:
        _, cut = history.head(tx, project_id)
        try:
            key = _key(session, cut)
        except NotReady:
            return {"points": [], "system": NO_MEMORY}
        found = measurements.find(tx, KIND, [key]).get(key, {"points": []})
    return found | {"system": _system(cut, session)}


def measure_curve(session: Session, project_id: str) -> str:
    """Queue the measurement and return the job's id.

    Raises:
        EditRefused: the film has no take whose memory could be measured.
        NotReady: the model is not loaded.
    """
    with session.library.write() as tx:
        _, cut = history.head(tx, project_id)
        known = {take.id: take for take in takes.of_project(tx, project_id)}
        system = session.system(_system(cut, session))
        if not past_of(cut, known, system).everything():
            raise EditRefused("There is nothing in memory to measure with. Generate a shot first.")
        info = session.info()
        job = jobs.add(
            tx,
            kind="measure",
            project_id=project_id,
            spec={
                "measurement": KIND,
                "measurement_key": _key(session, cut),
                "memory_system": system.name,
                "tokens": list(TOKENS),
                "num_frames": info.default_frames,
                "width": cut.width,
                "height": cut.height,
                "guidance": info.guidance,
                "strength": info.strength,
            },
            queueing_key=f"curve:{project_id}",
        )
    session.changed(project_id)
    return job.id


def _key(session: Session, cut: Cut) -> str:
    info = session.info()
    system = session.system(_system(cut, session))
    machine = [info.device, info.dtype, info.threads]
    return digest_of([KIND, system.fingerprint, machine, cut.width, cut.height, list(TOKENS)])


def _system(cut: Cut, session: Session) -> str:
    """Return the memory system that the end of the film uses, else the model's own."""
    used = [s.memory.system for s in cut.shots if s.memory.system != NO_MEMORY]
    return used[-1] if used else session.info().memory_system
