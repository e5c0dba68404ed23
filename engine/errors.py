"""The errors of the engine, as one tree.

```
EngineError
  CheckpointError      the model folder cannot be used as it is
  MemoryStateError     a saved entry does not fit this memory system
  ShapeError           a tensor does not have the dimensions it was declared with
  MediaError           a video could not be read or written
  OutOfBudgetError     the job cannot fit the device; says what would fit
  ProtocolError        a message between server and engine is not what was agreed
  EngineDied           the engine process ended while it was needed
  Cancelled            the editor stopped the job
  Paused               the editor paused the job; where it stands was handed over before
```
A message says what happened, with the number; what was expected; what to do.
"""


class EngineError(Exception):
    """Something the engine was asked to do could not be done."""


class CheckpointError(EngineError):
    """The model folder cannot be used as it is."""


class MemoryStateError(EngineError):
    """A saved entry does not fit this memory system."""


class ShapeError(EngineError):
    """A tensor does not have the dimensions it was declared with."""


class MediaError(EngineError):
    """A video could not be read or written."""


class OutOfBudgetError(EngineError):
    """The job cannot fit the device; the message says what would fit."""


class ProtocolError(EngineError):
    """A message between server and engine is not what was agreed."""


class EngineDied(EngineError):
    """The engine process ended while it was needed."""


class Cancelled(EngineError):
    """The editor stopped the job."""


class Paused(EngineError):
    """The editor paused the job; where it stands was handed over before."""
