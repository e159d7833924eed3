"""The command `pynn-sparse`."""

from __future__ import annotations

import argparse
import platform
import sys

from . import __version__, nir_command
from .bench import command as bench_command
from .compare import command as compare_command
from .export import command as export_command
from .measuring import version
from .study import command as study_command


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; return the exit status."""
    parser = argparse.ArgumentParser(prog="pynn-sparse", description=__doc__)
    parser.add_argument("--version", action="version", version=f"pynn-sparse {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    info = commands.add_parser("info", help="show devices and versions, and which device is taken")
    info.add_argument(
        "--mpi",
        action="store_true",
        help="show the processes that mpiexec has started, and what an exchange of spikes takes",
    )
    info.set_defaults(run=_info)
    bench = commands.add_parser("bench", help="time published networks, here and on peers")
    bench_command.add_options(bench)
    bench.set_defaults(run=bench_command.run)
    compare = commands.add_parser("compare", help="run a script on several backends, and compare")
    compare_command.add_options(compare)
    compare.set_defaults(run=compare_command.run)
    export = commands.add_parser("export", help="make tables for hardware of a script's network")
    export_command.add_options(export)
    export.set_defaults(run=export_command.run)
    nir = commands.add_parser("nir", help="run a trained network of a NIR file")
    nir_command.add_options(nir)
    nir.set_defaults(run=nir_command.run)
    study = commands.add_parser("prune-study", help="prune in space and time, against accuracy")
    study_command.add_options(study)
    study.set_defaults(run=study_command.run)
    typed = sys.argv[1:] if arguments is None else arguments
    words = typed
    if typed[:1] == ["compare"]:
        words = ["compare", *compare_command.reorder(typed[1:])]
    options = parser.parse_args(words)
    options.typed = typed
    return int(options.run(options))


def _info(options: argparse.Namespace) -> int:
    """Exit status 0 if there is a device to run on, or processes of MPI are shown, else 1."""
    if options.mpi:
        return _info_of_processes()
    from .engine import describe_devices

    print(f"pynn-sparse {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for package in ("PyNN", "neo", "numpy", "quantities", "lazyarray"):
        print(f"  {package:12} {version(package)}")
    devices = describe_devices()
    for device in devices:
        print(
            f"{device.name:5} {'can be used:' if device.usable else 'not used:   '} {device.detail}"
        )
    taken = next((device.name for device in devices if device.usable), None)
    print(f'setup(device="auto") takes: {taken or "none, see above"}')
    return 0 if taken else 1


def _info_of_processes() -> int:
    from .bench.exchange import describe_processes
    from .errors import ProcessesError

    try:
        lines = describe_processes()
    except ProcessesError as error:
        print(f"pynn-sparse info --mpi: {error}", file=sys.stderr)
        return 1
    for line in lines:
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
