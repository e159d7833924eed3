"""Exceptions of the layers below the PyNN front, which raises PyNN's own classes to users."""


class ParameterError(ValueError):
    """A parameter value that a model cannot have; names parameter, value and what is valid."""


class NetworkTooLargeError(MemoryError):
    """Building or running would need more memory than there is; nothing was allocated."""


class DeviceError(RuntimeError):
    """A device or compiler that was asked for cannot be used; says why and what to do."""


class InterruptedRunError(RuntimeError):
    """A run was broken off where it cannot go on; says what can be done. Data can be read."""


class EventOverflowError(InterruptedRunError):
    """A graded event was to carry a value that is too large; names neuron, value and limit.

    The run cannot go on; `reset` begins anew. What was recorded can be read.
    """


class SynapseFormulaError(InterruptedRunError):
    """A formula of a synapse type gave what is no finite number; names projection and synapse.

    The run cannot go on; `reset` begins anew. What was recorded can be read, and the weight.
    """


class ProcessesError(RuntimeError):
    """Processes that simulate together do not do the same, or one of them has failed.

    All of them get it; the message names processes by their rank.
    """


class SweepError(RuntimeError):
    """A run of a sweep failed; names its number and value. Results of other runs are kept."""


class StudyError(ValueError):
    """A study cannot be made as asked for; names the argument, its value and what is valid."""


class CheckpointError(ValueError):
    """A file cannot be loaded as a state of the present network; names the file and the reason.

    Nothing has changed then.
    """


class MissingCheckpointError(CheckpointError, FileNotFoundError):
    """There is no file of that name."""


class EngineError(RuntimeError):
    """An invariant of the engine does not hold: a defect of PyNN-sparse, not of a script."""


class ModelError(ValueError):
    """The definition of a user's model does not make sense; names the part, and what is valid."""


class SonataError(ValueError):
    """A SONATA file that is damaged or unsupported, or a folder that cannot be written.

    The message names the file, and what in it is wrong or unsupported.
    """


class GraphError(ValueError):
    """A network of layers that is damaged, or does not say enough to be run.

    The message names the file and the node, and what in it is wrong or missing.
    """
