"""Empty modules in the place of samna, which fetches itself from the network when imported.

rockpool imports it; scripts beside this import this module before rockpool.
"""

import importlib.abc
import importlib.machinery
import sys
import types


class AnyAttribute(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything


class Anything(metaclass=AnyAttribute):
    pass


class NoSamna(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] != "samna":
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = self.attribute
        return module

    @staticmethod
    def attribute(name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything

    def exec_module(self, module):
        module.__path__ = []


sys.meta_path.insert(0, NoSamna())
