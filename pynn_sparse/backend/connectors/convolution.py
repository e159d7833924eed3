"""sPyNNaker's connectors of images: populations with a Grid2D, and weights that synapses share.

Cells of a grid are counted row by row, and a Grid2D with the aspect ratio w / h has w columns. As
with sPyNNaker that is so whatever the positions are that PyNN gives to the cells.
"""

from __future__ import annotations

import inspect
import math
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.errors import ParameterError
from pynn_sparse.network import memory
from pynn_sparse.network.shared import MOST_PLACES, Axis, Windows

from ... import connectors as upstream
from ... import errors
from ...random import RandomDistribution
from ...space import Grid2D
from ..doors.checks import as_flag, as_integer, did_you_mean
from ..doors.parameters import shown
from ..doors.plain import NotNumbersError, as_array, has_items, number_of
from ..doors.signatures import bound, signature_of
from ..populations import Population
from ..standardmodels.synapses import Convolution, PoolDense, SharedWeights
from . import arguments

Pair = tuple[int, int]
Grid = tuple[int, int]  # rows, columns
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]  # places along an axis before and after


class _OnGrids(upstream.Connector):
    """What both connectors have: pooling, and a receptor for the weights of each sign."""

    synapse_type: ClassVar[type[SharedWeights]]  # the one that they are used with
    parameter_names: tuple[str, ...]
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.__signature__ = signature_of(cls._make)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._make(**bound(type(self).__name__, self.__signature__, args, kwargs))

    @abstractmethod
    def _make(self, *args: Any, **kwargs: Any) -> None:
        """Take the arguments."""

    def _begin(
        self,
        pool_shape: Any,
        pool_stride: Any,
        positive_receptor_type: Any,
        negative_receptor_type: Any,
        safe: Any,
        verbose: Any,
        callback: Any,
    ) -> None:
        owner = type(self).__name__
        as_flag(f"{owner}: verbose", verbose)
        super().__init__(
            safe=as_flag(f"{owner}: safe", safe),
            callback=arguments.callback(f"{owner}: callback", callback),
        )
        self.pool_shape = pair_of(f"{owner}: pool_shape", pool_shape, 1)
        self.pool_stride = pair_of(f"{owner}: pool_stride", pool_stride, 1) or self.pool_shape
        if self.pool_stride and not self.pool_shape:
            raise TypeError(f"{owner}: pool_stride = {shown(pool_stride)}: needs a pool_shape")
        self.positive_receptor_type = positive_receptor_type
        self.negative_receptor_type = negative_receptor_type
        for name in ("positive_receptor_type", "negative_receptor_type"):
            receptor = getattr(self, name)
            if not isinstance(receptor, str):
                raise TypeError(
                    f"{owner}: {name} = {shown(receptor)}: must be the name of a receptor, such as "
                    "'excitatory'"
                )

    @abstractmethod
    def _windows(self, projection: Any) -> tuple[Windows, NDArray[np.float64]]:
        """Which cells are connected, and the kernel."""

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection; those of both ends have to be whole populations."""
        for side, end in (("pre", projection.pre), ("post", projection.post)):
            if not isinstance(end, Population):
                raise errors.ConnectionError(
                    f"{projection.label}: {side}synaptic_neurons = {end.label}: must be a whole "
                    f"Population for a {type(self).__name__}"
                )
        receptors = [self._receptor(projection, sign) for sign in ("positive", "negative")]
        try:
            windows, kernel = self._windows(projection)
        except ParameterError as error:
            raise errors.ConnectionError(f"{projection.label}: {error}") from error
        positive, negative = receptors
        projection.receptor_type = positive
        if positive == negative:
            projection._connect_shared(windows, kernel, kernel != 0, positive)
            return
        projection._connect_shared(windows, kernel, kernel > 0, positive)
        sign = -1.0 if projection._conductance(negative) else 1.0
        projection._connect_shared(windows, sign * kernel, kernel < 0, negative)

    def _receptor(self, projection: Any, sign: str) -> str:
        name, known = f"{sign}_receptor_type", list(projection.post.receptor_types)
        receptor: str = getattr(self, name)
        if receptor not in known:
            raise errors.ConnectionError(
                f"{projection.label}: {name} = {shown(receptor)}: must be one of "
                f"{', '.join(map(repr, known))} for {projection.post.label}"
                f"{did_you_mean(receptor, known)}"
            )
        return receptor

    def _pooled(self, grid: Grid) -> Grid:
        """Windows of the pooling along each axis, as many as sPyNNaker has."""
        rows, columns = (
            max(n // stride, 1) for n, stride in zip(grid, self.pool_stride or (1, 1), strict=True)
        )
        return rows, columns

    def _pooling(self, axis: int, n: int, n_pooled: int) -> Pairs:
        """Which windows of the pooling each of n places lies in."""
        if self.pool_shape is None or self.pool_stride is None:
            return np.arange(n), np.arange(n)
        window, within = np.indices((n_pooled, self.pool_shape[axis])).reshape(2, -1)
        place = window * self.pool_stride[axis] + within
        return place[place < n], window[place < n]

    def _area(self) -> int:
        return math.prod(self.pool_shape or ())


class ConvolutionConnector(_OnGrids):
    """Connects two images by a kernel whose weights all places share, as sPyNNaker's.

    The kernel is stored once. With a stride of 1 a spike adds the kernel to the target's image,
    around its own place: that is a convolution, so that kernels of PyTorch, which correlates, have
    to be turned by 180 degrees. Positive weights go to one receptor, negative ones to another;
    those of 0 make no synapses. It is used with `Convolution()`.

    Args:
        kernel_weights: array of shape (rows, columns); or, with a kernel_shape, one number, a flat
            list, or a RandomDistribution. In nA or uS, or mV for IF_curr_delta; negative ones may
            also be for conductances, whose sign is that of their receptor.
        kernel_shape: (rows, columns), or one number for both.
        strides: places of the source between neighbouring targets, for rows and columns; 1.
        padding: places without spikes around the source, for rows and columns; True for half of
            the kernel, None and False for none.
        pool_shape: windows whose mean is what the kernel sees; None for none.
        pool_stride: from window to window; pool_shape where it is None.
        positive_receptor_type, negative_receptor_type: of the target.
        safe, verbose, callback, filter_edges: have no effect on what is connected.

    Raises TypeError and InvalidParameterValueError for arguments that are not valid; the
    projection raises ConnectionError for populations without a Grid2D, or with one of another size
    than `get_post_shape` gives.
    """

    synapse_type = Convolution
    parameter_names = (
        *("kernel_weights", "strides", "padding", "pool_shape", "pool_stride"),
        *("positive_receptor_type", "negative_receptor_type"),
    )

    def _make(
        self,
        kernel_weights: Any,
        kernel_shape: Any = None,
        strides: Any = None,
        padding: Any = None,
        pool_shape: Any = None,
        pool_stride: Any = None,
        positive_receptor_type: Any = "excitatory",
        negative_receptor_type: Any = "inhibitory",
        safe: Any = True,
        verbose: Any = False,
        callback: Any = None,
        filter_edges: Any = True,
    ) -> None:
        owner = "ConvolutionConnector"
        as_flag(f"{owner}: filter_edges", filter_edges)
        receptors = positive_receptor_type, negative_receptor_type
        self._begin(pool_shape, pool_stride, *receptors, safe, verbose, callback)
        self.strides = pair_of(f"{owner}: strides", strides, 1) or (1, 1)
        shape = pair_of(f"{owner}: kernel_shape", kernel_shape, 1)
        self.kernel_weights = _kernel(owner, kernel_weights, shape)
        if padding is None or padding is False:
            padding = 0
        elif padding is True:
            padding = tuple(n // 2 for n in self.kernel_weights.shape)
        self.padding = pair_of(f"{owner}: padding", padding, 0) or (0, 0)
        self.kernel_weights /= self._area()

    def get_post_shape(self, shape: Any) -> Grid:
        """Rows and columns of the target, for those of the source, as sPyNNaker has them.

        With strides that is a row or column less, in some sizes, than PyTorch has.
        """
        grid = pair_of("ConvolutionConnector: shape", shape, 1) or (1, 1)
        sizes = self._pooled(grid), self.kernel_weights.shape, self.padding, self.strides
        rows, columns = (
            max((n - (k - 1) + 2 * p) // s, 1) for n, k, p, s in zip(*sizes, strict=True)
        )
        return rows, columns

    def _windows(self, projection: Any) -> tuple[Windows, NDArray[np.float64]]:
        source = grid_of(projection, "pre", self)
        target = grid_of(projection, "post", self)
        expected = self.get_post_shape(source)
        if target != expected:
            raise errors.ConnectionError(
                f"{projection.label}: postsynaptic_neurons = {projection.post.label}: has "
                f"{target[0]} rows and {target[1]} columns: must have {expected[0]} rows and "
                f"{expected[1]} columns, as get_post_shape({source}) gives, and "
                f"Grid2D({expected[1]} / {expected[0]}) as its structure"
            )
        pooled = self._pooled(source)
        y, x = (self._axis(k, source[k], pooled[k], target[k]) for k in range(2))
        kernel = self._of_taps(y[1], x[1])
        return Windows(y[0], x[0], 1, 1, 1, True), kernel[None, :, :, None]

    def _axis(self, axis: int, n: int, n_pooled: int, n_out: int) -> tuple[Axis, NDArray[Any]]:
        """The axis, and for each of its taps which elements of the kernel it is the sum of."""
        k = self.kernel_weights.shape[axis]
        place, window = self._pooling(axis, n, n_pooled)
        back = np.arange(k)
        # A place of the source reaches the targets that begin `back` places before it.
        at = window[:, None] + self.padding[axis] - back
        out, rest = np.divmod(at, self.strides[axis])
        there = (rest == 0) & (out >= 0) & (out < n_out)
        pair, element = np.nonzero(there)
        key = place[pair] * n_out + out[pair, element]
        unique, which = np.unique(key, return_inverse=True)
        sums = np.zeros((len(unique), k), np.int64)
        np.add.at(sums, (which, k - 1 - element), 1)
        taps, tap = np.unique(sums, axis=0, return_inverse=True)
        source, target = np.divmod(unique, n_out)
        return Axis.of(n, n_out, len(taps), source, target, tap.ravel()), taps

    def _of_taps(self, y: NDArray[Any], x: NDArray[Any]) -> NDArray[np.float64]:
        """The weight of each pair of taps: the kernel's own, where windows do not overlap."""
        return np.einsum("iy,jx,yx->ij", y, x, self.kernel_weights)


class PoolDenseConnector(_OnGrids):
    """Connects windows of an image to all cells of the target, as sPyNNaker's.

    The cells of a window share their weights, which are stored once. Positive weights go to one
    receptor, negative ones to another; those of 0 make no synapses. It is used with `PoolDense()`.

    Args:
        weights: one number, a RandomDistribution, or an array with a weight for each window, row by
            row, and cell of the target; a window's is divided by the number of its cells.
        pool_shape: size of the windows, for rows and columns; None for single cells.
        pool_stride: from window to window; pool_shape where it is None.
        positive_receptor_type, negative_receptor_type: of the target.
        safe, verbose, callback: have no effect on what is connected.

    Raises TypeError and InvalidParameterValueError for arguments that are not valid; the
    projection raises ConnectionError for a source without a Grid2D, NotImplementedError for windows
    that overlap, and InvalidDimensionsError for another number of weights than are needed.
    """

    synapse_type = PoolDense
    parameter_names = (
        *("weights", "pool_shape", "pool_stride"),
        *("positive_receptor_type", "negative_receptor_type"),
    )

    def _make(
        self,
        weights: Any,
        pool_shape: Any = None,
        pool_stride: Any = None,
        positive_receptor_type: Any = "excitatory",
        negative_receptor_type: Any = "inhibitory",
        safe: Any = True,
        verbose: Any = False,
        callback: Any = None,
    ) -> None:
        receptors = positive_receptor_type, negative_receptor_type
        self._begin(pool_shape, pool_stride, *receptors, safe, verbose, callback)
        if self.pool_stride != self.pool_shape:
            raise NotImplementedError(
                f"PoolDenseConnector: pool_stride = {shown(pool_stride)}: must be the pool_shape, "
                f"{self.pool_shape}: sPyNNaker takes each cell into one window only"
            )
        drawn = isinstance(weights, RandomDistribution)
        self.weights = weights if drawn else _numbers("PoolDenseConnector: weights", weights)

    @staticmethod
    def get_post_pool_shape(
        pre_shape: Any, pool_shape: Any = None, pool_stride: Any = None
    ) -> NDArray[np.int64]:
        """Windows along each axis of a source of this shape."""
        pooling = PoolDenseConnector(0.0, pool_shape, pool_stride)
        grid = pair_of("PoolDenseConnector: pre_shape", pre_shape, 1) or (1, 1)
        return np.array(pooling._pooled(grid))

    def _windows(self, projection: Any) -> tuple[Windows, NDArray[np.float64]]:
        source = grid_of(projection, "pre", self)
        rows, columns = self._pooled(source)
        y, x = (
            Axis.of(n, 1, pooled, place, np.zeros_like(place), window)
            for n, pooled, (place, window) in (
                (source[k], pooled, self._pooling(k, source[k], pooled))
                for k, pooled in enumerate((rows, columns))
            )
        )
        shape = (1, rows, columns, projection.post.size)
        given = self.weights
        if isinstance(given, RandomDistribution):
            given = np.asarray(given.next(math.prod(shape)), np.float64)
        if given.size not in (1, math.prod(shape)):
            raise errors.InvalidDimensionsError(
                f"{projection.label}: weights = {shown(self.weights)}: has {given.size} values: "
                f"must be one, or {math.prod(shape)}, for {rows} x {columns} windows of "
                f"{projection.pre.label} and {shape[-1]} cells of {projection.post.label}"
            )
        weights = np.broadcast_to(given.reshape(shape if given.size > 1 else ()), shape)
        return Windows(y, x, 1, 1, projection.post.size, True), weights / self._area()


class KernelConnector(upstream.Connector):
    """Connects two whole populations by any windows; elements of 0 make no synapses.

    Args:
        windows: which cells each element of the kernel connects.
        kernel: of the shape that they have.
    """

    def __init__(self, windows: Windows, kernel: NDArray[np.float64]) -> None:
        super().__init__()
        self.windows, self.kernel = windows, kernel.reshape(windows.shape)

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection."""
        present = self.kernel != 0
        projection._connect_shared(self.windows, self.kernel, present, projection.receptor_type)


def pair_of(name: str, value: Any, least: int) -> Pair | None:
    """Numbers for rows and columns, of which one may stand for both; None as it is.

    Raises TypeError and InvalidParameterValueError.
    """
    if value is None:
        return None
    several = isinstance(value, (list, tuple, np.ndarray)) and getattr(value, "ndim", 1) == 1
    each = list(value) if several else [value, value]
    if len(each) != 2:
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(value)}: must be an integer, or two, for rows and columns"
        )
    rows, columns = (as_integer(name, number, least, MOST_PLACES) for number in each)
    return rows, columns


def grid_of(projection: Any, side: str, connector: Any) -> Grid:
    """Rows and columns of a population. Raises ConnectionError."""
    population = getattr(projection, side)
    structure = population.structure
    where = f"{projection.label}: {side}synaptic_neurons = {population.label}"
    if not isinstance(structure, Grid2D) or structure.fill_order != "sequential":
        raise errors.ConnectionError(
            f"{where}: must have a Grid2D(columns / rows) as its structure for a "
            f"{type(connector).__name__}, with fill_order 'sequential'"
        )
    columns = round(math.sqrt(population.size * structure.aspect_ratio))
    if (
        columns < 1
        or population.size % columns
        or not math.isclose(columns**2, population.size * structure.aspect_ratio, rel_tol=1e-6)
    ):
        raise errors.ConnectionError(
            f"{where}: {population.size} cells do not fill a {shown(structure)}: must be "
            f"Grid2D(columns / rows) with columns * rows = {population.size}"
        )
    return population.size // columns, columns


def _numbers(name: str, value: Any) -> NDArray[np.float64]:
    """Finite numbers without a unit. Raises InvalidParameterValueError."""
    must = "finite numbers in rows of one length"
    try:
        given = as_array(value, None) if has_items(value) else np.array(number_of(value, None))
    except NotNumbersError as error:
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(value)}: must be {error.instead_of(must)}"
        ) from error
    if not given.size or not np.isfinite(given).all():
        raise errors.InvalidParameterValueError(f"{name} = {shown(value)}: must be {must}")
    return given


def _kernel(owner: str, value: Any, shape: Pair | None) -> NDArray[np.float64]:
    name = f"{owner}: kernel_weights"
    drawn = isinstance(value, RandomDistribution)
    given = np.zeros(()) if drawn else _numbers(name, value)
    if given.ndim < 2 and shape is None:
        raise TypeError(
            f"{owner}: kernel_shape = None: must be given where kernel_weights has no rows and "
            "columns"
        )
    if shape is not None:
        memory.require(8 * math.prod(shape), f"{owner}: kernel_shape = {shape}")
    if drawn:
        assert shape is not None
        given = _numbers(name, np.asarray(value.next(math.prod(shape))).reshape(shape))
    if given.ndim == 0:
        return np.full(shape or (), float(given))
    if given.ndim > 2 or (shape and given.ndim == 2 and given.shape != shape):
        must = f"{shape[0]} rows and {shape[1]} columns" if shape else "rows and columns"
        raise errors.InvalidDimensionsError(
            f"{name} = {shown(value)}: has the shape {given.shape}: must have {must}"
        )
    if given.ndim == 1:
        assert shape is not None
        if given.size != math.prod(shape):
            raise errors.InvalidDimensionsError(
                f"{name} = {shown(value)}: has {given.size} values: must have {math.prod(shape)} "
                f"for kernel_shape = {shape}"
            )
        given = given.reshape(shape)
    return given
