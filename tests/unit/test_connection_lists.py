"""Connections from lists, arrays and files: all are made, or an error says what is wrong."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN import errors
from pyNN.random import NumpyRNG
from pyNN.recording.files import NumpyBinaryFile, PickleFile, StandardTextFile

ROWS = [(0, 1, 0.5, 1.0), (2, 0, 0.25, 2.0), (2, 3, 0.125, 3.0)]


def connect(connector: Any, synapse: Any = None) -> list[tuple[float, ...]]:
    """(i, j, weight, delay) of all connections among four cells."""
    sim.setup(timestep=0.1)
    cells = sim.Population(4, sim.IF_curr_exp())
    made = sim.Projection(cells, cells, connector, synapse or sim.StaticSynapse(weight=9.0))
    return sorted(made.get(["weight", "delay"], "list"))


def written(folder: Path, text: str) -> str:
    path = folder / "connections.txt"
    path.write_text(text)
    return str(path)


class TestFiles:
    def test_one_row(self, tmp_path: Path) -> None:
        assert connect(sim.FromFileConnector(written(tmp_path, "0 1 0.5 1.0\n"))) == ROWS[:1]

    @pytest.mark.parametrize("text", ["", "\n", '# columns = ["i", "j", "weight", "delay"]\n'])
    def test_none(self, tmp_path: Path, text: str) -> None:
        assert connect(sim.FromFileConnector(written(tmp_path, text))) == []

    @pytest.mark.parametrize(
        "header",
        [
            "",
            '# columns = ["i", "j", "weight", "delay"]',
            "# columns = ('i', 'j', 'weight', 'delay')",
            '#columns=["i","j","weight","delay"]',
            '# columns = ["weight", "delay"]',
            "# made for a test, by hand = not by a program\n# columns = ['i','j','weight','delay']",
        ],
    )
    def test_names_of_columns(self, tmp_path: Path, header: str) -> None:
        text = header + "\n" + "\n".join(" ".join(map(str, row)) for row in ROWS)
        assert connect(sim.FromFileConnector(written(tmp_path, text))) == ROWS

    def test_columns_in_another_order(self, tmp_path: Path) -> None:
        text = '# columns = ["delay", "j", "weight", "i"]\n1.0 1 0.5 0\n2.0 0 0.25 2\n3.0 3 0.125 2'
        assert connect(sim.FromFileConnector(written(tmp_path, text))) == ROWS

    def test_indices_alone(self, tmp_path: Path) -> None:
        assert connect(sim.FromFileConnector(written(tmp_path, "0 1\n"))) == [(0, 1, 9.0, 0.1)]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("# i j weight delay\n0 1 0.5 1.0\n", "must be written as # columns"),
            ("# columns = i, j, weight\n0 1 0.5\n", "must be written as # columns"),
            ('# columns = {"i": 0}\n0 1\n', "must be written as # columns"),
            ('# columns = ["i", "j", "i"]\n0 1 2\n', "must be written as # columns"),
            ('# columns = ["i", "weight"]\n0 1\n', "must be written as # columns"),
            ('# columns = ["i", "j", "weight"]\n0 1 0.5 1.0\n', "has 4 columns: must have"),
            ("0 1 0.5 1.0\n0 2 0.5\n", "ValueError"),
            ("0 1 x 1.0\n", "could not convert"),
            ("0 7 0.5 1.0\n", "postsynaptic index 7 .* from 0 to 3"),
            ("0 1.5 0.5 1.0\n", "postsynaptic index 1.5"),
            ("-1 1 0.5 1.0\n", "presynaptic index -1"),
            ("5\n", "has 1 columns"),
        ],
    )
    def test_what_is_no_list_of_connections(self, tmp_path: Path, text: str, words: str) -> None:
        with pytest.raises(errors.ConnectionError, match=words):
            connect(sim.FromFileConnector(written(tmp_path, text)))

    def test_names_that_the_synapse_does_not_have(self, tmp_path: Path) -> None:
        path = written(tmp_path, '# columns = ["i", "j", "wieght"]\n0 1 0.5\n')
        with pytest.raises(errors.NonExistentParameterError, match="Did you mean 'weight'"):
            connect(sim.FromFileConnector(path))

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        path = tmp_path / "folder" / "missing.txt"
        with pytest.raises(errors.ConnectionError, match=r"missing.txt.*No such file"):
            connect(sim.FromFileConnector(path))
        assert not path.parent.exists()

    def test_the_file_of_each_process_stays(self, tmp_path: Path) -> None:
        """Upstream's code removes `file`."""
        (tmp_path / "all").write_text("0 1 0.1 1.0\n")
        (tmp_path / "all.0").write_text("0 1 0.5 1.0\n")
        connector = sim.FromFileConnector(str(tmp_path / "all"), distributed=True)
        assert connect(connector) == ROWS[:1]
        assert (tmp_path / "all").exists()

    @pytest.mark.parametrize("kind", ["name", "path", "open", "text", "StandardTextFile"])
    def test_kinds_of_files(self, tmp_path: Path, kind: str) -> None:
        """Each as often as one likes."""
        path = written(tmp_path, "\n".join(" ".join(map(str, row)) for row in ROWS))
        file: Any = {
            "name": lambda: path,
            "path": lambda: Path(path),
            "open": lambda: open(path),  # noqa: SIM115
            "text": lambda: io.StringIO(Path(path).read_text()),
            "StandardTextFile": lambda: StandardTextFile(path, mode="r"),
        }[kind]()
        connector = sim.FromFileConnector(file)
        assert connect(connector) == ROWS
        assert connect(connector) == ROWS
        getattr(file, "close", lambda: None)()

    @pytest.mark.parametrize("File", [StandardTextFile, PickleFile, NumpyBinaryFile])
    @pytest.mark.parametrize("n", [0, 1, 3])
    def test_what_save_writes_is_read(self, tmp_path: Path, File: Any, n: int) -> None:  # noqa: N803
        sim.setup(timestep=0.1)
        cells = sim.Population(4, sim.IF_curr_exp())
        names = ["weight", "delay", "U", "tau_rec", "tau_facil"]
        weights = np.array([[0.5, 0.25, 0.125, 1 / 3]] * 4)
        synapse = sim.TsodyksMarkramSynapse(weight=weights, U=0.3, tau_rec=50.0)
        connector = sim.FixedTotalNumberConnector(n, rng=NumpyRNG(seed=1))
        projection = sim.Projection(cells, cells, connector, synapse)
        path = str(tmp_path / "saved")
        text = File is StandardTextFile
        projection.save("all", File(path, "w" if text else "wb"))
        file = File(path, "r" if text else "rb")
        again = sim.Projection(
            cells, cells, sim.FromFileConnector(file), sim.TsodyksMarkramSynapse()
        )
        file.close()
        assert sorted(again.get(names, "list")) == sorted(projection.get(names, "list"))

    def test_one_attribute_is_saved_with_its_name(self, tmp_path: Path) -> None:
        """Upstream's code writes the letters of the name."""
        sim.setup(timestep=0.1)
        cells = sim.Population(4, sim.IF_curr_exp())
        made = sim.Projection(cells, cells, sim.FromListConnector(ROWS))
        path = tmp_path / "saved.txt"
        made.save("weight", path)
        assert path.read_text().startswith("# columns = ['i', 'j', 'weight']\n")
        again = connect(sim.FromFileConnector(path))
        assert [row[:3] for row in again] == [row[:3] for row in ROWS]

    def test_plastic_synapses_are_saved_and_read(self, tmp_path: Path) -> None:
        sim.setup(timestep=0.1)
        cells = sim.Population(4, sim.IF_curr_exp())

        def synapse(fraction: float = 1.0) -> Any:
            rule = sim.SpikePairRule(), sim.AdditiveWeightDependence()
            return sim.STDPMechanism(*rule, dendritic_delay_fraction=fraction, weight=0.5)

        path = str(tmp_path / "saved.txt")
        sim.Projection(cells, cells, sim.OneToOneConnector(), synapse()).save("all", path)
        again = sim.Projection(cells, cells, sim.FromFileConnector(path), synapse())
        assert again.get("weight", "list", with_address=False) == [0.5] * 4
        with pytest.raises(errors.ConnectionError, match="dendritic_delay_fraction = 1"):
            sim.Projection(cells, cells, sim.FromFileConnector(path), synapse(0.5))

    def test_a_refused_save_leaves_the_file_as_it_was(self, tmp_path: Path) -> None:
        sim.setup(timestep=0.1)
        cells = sim.Population(4, sim.IF_curr_exp())
        made = sim.Projection(cells, cells, sim.OneToOneConnector())
        path = written(tmp_path, "precious")
        for arguments in (
            {"attribute_names": "wieght"},
            {"attribute_names": "weight", "format": "columns"},
            {"attribute_names": ["weight", "delay"], "format": "array"},
            {"attribute_names": "weight", "gather": 3},
        ):
            with pytest.raises((ValueError, TypeError, errors.NonExistentParameterError)):
                made.save(file=path, **arguments)
        assert Path(path).read_text() == "precious"


class TestLists:
    @pytest.mark.parametrize(
        "rows", [ROWS, np.array(ROWS), tuple(ROWS), [list(row) for row in ROWS], ROWS[::-1]]
    )
    def test_kinds_of_lists(self, rows: Any) -> None:
        assert connect(sim.FromListConnector(rows)) == ROWS

    @pytest.mark.parametrize("rows", [[], (), np.zeros((0, 4)), np.zeros(0)])
    @pytest.mark.parametrize("names", [None, ("weight", "delay")])
    def test_none(self, rows: Any, names: Any) -> None:
        assert connect(sim.FromListConnector(rows, column_names=names)) == []

    def test_indices_alone_take_the_values_of_the_synapse(self) -> None:
        weights = np.arange(16.0).reshape(4, 4)
        rows = np.array([(1, 2), (3, 0)])
        found = connect(sim.FromListConnector(rows), sim.StaticSynapse(weight=weights, delay=2.0))
        assert found == [(1, 2, 6.0, 2.0), (3, 0, 12.0, 2.0)]

    def test_distances_are_those_of_the_cells(self) -> None:
        """Upstream's code takes the place in the list for the distance."""
        found = connect(sim.FromListConnector([(0, 2), (0, 3)]), sim.StaticSynapse(weight="d + 1"))
        assert [row[2] for row in found] == [3.0, 4.0]

    def test_rows_that_repeat_are_connections_of_their_own(self) -> None:
        assert connect(sim.FromListConnector([ROWS[0], ROWS[0]])) == [ROWS[0], ROWS[0]]

    @pytest.mark.parametrize(
        ("rows", "names", "error", "words"),
        [
            ([(0, 1, 0.5)], None, TypeError, "column_names must be given"),
            ([(0, 1, 0.5)], ("weight", "delay"), ValueError, "must name the 1 values"),
            ([(0, 1, 0.5)], "weight", TypeError, "column_names = 'weight': must be a tuple"),
            ([(0, 1, 0.5)], (3,), TypeError, r"column_names = \(3,\)"),
            ([(0, 1, 1, 2)], ("weight", "weight"), ValueError, "different names"),
            ([0, 1], None, errors.InvalidDimensionsError, r"the shape \(2,\)"),
            ([(0,)], None, errors.InvalidDimensionsError, r"the shape \(1, 1\)"),
            ([(0, 1), (0, 1, 2)], None, errors.InvalidParameterValueError, "different lengths"),
            ([(0, "1")], None, errors.InvalidParameterValueError, "of type str"),
            ([(0, None)], None, errors.InvalidParameterValueError, "conn_list"),
            ([(0, 1j)], None, errors.InvalidParameterValueError, "complex"),
            (None, None, errors.InvalidParameterValueError, "conn_list = None: must be a list"),
            ("01", None, errors.InvalidParameterValueError, "conn_list = '01': must be a list"),
            (iter(ROWS), None, errors.InvalidParameterValueError, "conn_list"),
            ({0: 1}, None, errors.InvalidParameterValueError, "conn_list"),
            (np.ma.masked_equal(ROWS, 2), None, errors.InvalidParameterValueError, "masked"),
        ],
    )
    def test_what_is_no_list(self, rows: Any, names: Any, error: Any, words: str) -> None:
        with pytest.raises(error, match=f"FromListConnector: .*{words}"):
            sim.FromListConnector(rows, column_names=names)

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ((4, 0, 1, 1), "presynaptic index 4 .* from 0 to 3"),
            ((0, 4, 1, 1), "postsynaptic index 4 .* from 0 to 3"),
            ((-1, 0, 1, 1), "presynaptic index -1"),
            ((0, -1, 1, 1), "postsynaptic index -1"),
            ((0.5, 0, 1, 1), "presynaptic index 0.5"),
            ((0, np.nan, 1, 1), "postsynaptic index nan"),
            ((2.0**63, 0, 1, 1), "presynaptic index 9.2"),
            ((0, 0, np.nan, 1), "weight = nan"),
            ((0, 0, 1, np.inf), "delay = inf"),
            ((0, 0, 1, 0.0), "delay = 0 ms"),
        ],
    )
    def test_what_no_cell_or_synapse_has(self, row: Any, words: str) -> None:
        with pytest.raises(errors.ConnectionError, match=words):
            connect(sim.FromListConnector([ROWS[0], row]))


class TestArrays:
    @pytest.mark.parametrize(
        "array", [np.eye(4, dtype=bool), np.eye(4), np.eye(4, dtype=int), np.eye(4).tolist()]
    )
    def test_kinds_of_arrays(self, array: Any) -> None:
        assert [row[:2] for row in connect(sim.ArrayConnector(array))] == [(i, i) for i in range(4)]

    @pytest.mark.parametrize(
        "array",
        [
            2 * np.eye(4),
            np.full((4, 4), np.nan),
            np.ones(4),
            True,
            None,
            "abc",
            [[1, 0], [1]],
            1j * np.eye(4),
            np.ma.masked_equal(np.eye(4), 0),
            np.full((4, 4), "a"),
            np.full((4, 4), None),
        ],
    )
    def test_what_is_no_matrix(self, array: Any) -> None:
        with pytest.raises(
            (errors.InvalidParameterValueError, errors.ConnectionError),
            match=r"ArrayConnector: array = .*: must be a Boolean matrix",
        ):
            sim.ArrayConnector(array)
