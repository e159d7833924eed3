"""Exceptions of the layers below the PyNN front, which raises PyNN's own classes to users."""


class ParameterError(ValueError):
    """A parameter value that a model cannot have; names parameter, value and what is valid."""


class NetworkTooLargeError(MemoryError):
    """Building or running would need more memory than there is; nothing was allocated."""


class DeviceError(RuntimeError):
    """A device or compiler that was asked for cannot be used; says why and what to do."""


class InterruptedRunError(RuntimeError):
    """A run was interrupted while steps were done; the simulation has to be reset."""


class EngineError(RuntimeError):
    """An invariant of the engine does not hold: a defect of PyNN-sparse, not of a script."""


class ModelError(ValueError):
    """The definition of a user's model does not make sense; names the part, and what is valid."""


class SonataError(ValueError):
    """A SONATA file that is damaged or unsupported, or a folder that cannot be written.

    The message names the file, and what in it is wrong or unsupported.
    """
