"""A worker without torch that speaks the real protocol; the job's prompt says what it does."""

from __future__ import annotations

import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from engine import wire
from engine.protocol import (
    Cancel,
    CancelledMessage,
    Failed,
    Finished,
    Heartbeat,
    Pause,
    PausedMessage,
    Pin,
    Pinned,
    Progress,
    Ready,
    Run,
    Shutdown,
)
from engine.specs import GenerateSpec, JobResult
from tests.engine.facts import INFO


def main(connection: Connection, settings: dict[str, Any]) -> None:
    """Serve jobs until the pipe ends."""
    _Fake(connection, settings).serve()


class _Fake:
    def __init__(self, connection: Connection, settings: dict[str, Any]) -> None:
        self.connection = connection
        self.settings = settings
        self.lock = threading.Lock()
        self.silent = threading.Event()
        self.kept: list[bytes] = []

    def say(self, message: Any) -> None:
        with self.lock:
            self.connection.send_bytes(wire.encode(message))

    def beat(self) -> None:
        while not self.silent.wait(float(self.settings.get("beat", 0.1))):
            self.say(Heartbeat(step=0))

    def serve(self) -> None:
        if self.settings.get("fail") == "checkpoint":
            self.say(Failed(job_id="", error="CheckpointError", message="No config.json there."))
            return
        if self.settings.get("fail") == "exit":
            os._exit(3)
        threading.Thread(target=self.beat, daemon=True).start()
        self.say(Ready(info=INFO))
        while True:
            message = wire.decode_to_engine(self.connection.recv_bytes())
            if isinstance(message, Shutdown):
                return
            if isinstance(message, Run):
                self.run(message)

    def run(self, run: Run) -> None:
        assert isinstance(run.spec, GenerateSpec)
        job, word = run.job_id, run.spec.prompt
        self.misbehave(job, word)
        if word == "fail":
            self.say(Failed(job_id=job, error="MediaError", message="It could not be read."))
            return
        for step in range(1, 6):
            self.say(Progress(job_id=job, phase="denoising", step=step, num_steps=5, done=step / 5))
            while self.connection.poll(0.2 if word == "slow" else 0):
                message = wire.decode_to_engine(self.connection.recv_bytes())
                if isinstance(message, Cancel):
                    self.say(CancelledMessage(job_id=message.job_id))
                    return
                if isinstance(message, Pause):
                    self.say(PausedMessage(job_id=message.job_id))
                    return
        self.say(Pin(job_id=job, digest="d" * 64))
        answer = wire.decode_to_engine(self.connection.recv_bytes())
        assert answer == Pinned(digest="d" * 64)
        self.say(Finished(job_id=job, result=JobResult()))

    def misbehave(self, job: str, word: str) -> None:
        """Do what a broken engine does, where the prompt says so."""
        if word == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif word == "oom":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "137":
            os._exit(137)
        elif word == "garbage":
            self.connection.send_bytes(b"not json")
            time.sleep(60)
        elif word == "silent":
            self.silent.set()
            time.sleep(60)
        elif word == "deaf":
            time.sleep(60)
        elif word == "grow":
            self.kept.append(b"x" * (200 << 20))
        elif word == "allocate":
            self.allocate(job)

    def allocate(self, job: str) -> None:
        """Take more and more memory until somebody ends this process, or a gigabyte is taken."""
        self.say(Progress(job_id=job, phase="denoising", step=1, num_steps=5, done=0.2))
        for _ in range(50):
            self.kept.append(b"x" * (20 << 20))
            time.sleep(0.05)
        os._exit(3)
