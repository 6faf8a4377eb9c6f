"""Generates the gRPC stubs from the repository's protos while the package is built."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist
from setuptools.errors import SetupError

HERE = Path(__file__).resolve().parent
# A source distribution carries the protos beside setup.py; a clone has them in its proto module.
IN_SDIST = HERE / "proto"
IN_CLONE = HERE.parent.parent / "proto" / "src" / "main" / "proto"


def proto_root() -> Path:
    """Returns the directory that holds `graft/v1/*.proto`."""
    for root in (IN_SDIST, IN_CLONE):
        if any(root.glob("graft/v1/*.proto")):
            return root
    raise SetupError(
        f"The protos are in neither {IN_SDIST} nor {IN_CLONE}. Install from a whole clone of the repository "
        "(`pip install ./client/python`; pip before 21.3 copies the folder away from the clone, so upgrade it "
        "first) or from a source distribution."
    )


class BuildWithStubs(build_py):
    """Adds the generated package `graft.v1`."""

    def run(self) -> None:
        """Builds the package, then its stubs: into the source tree for an editable install."""
        super().run()
        generate(HERE / "src" if self.editable_mode else Path(self.build_lib))


class SdistWithProtos(sdist):
    """Adds the protos, which lie outside this directory in a clone."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Makes the tree, then copies the protos into it."""
        super().make_release_tree(base_dir, files)
        shutil.copytree(proto_root(), Path(base_dir) / "proto", dirs_exist_ok=True)


def generate(target: Path) -> None:
    """Writes messages, their type stubs and the services' stubs for every proto under `target`."""
    from grpc_tools import protoc  # Present only while building.

    root = proto_root()
    protos = sorted(str(path.relative_to(root)) for path in root.glob("graft/v1/*.proto"))
    arguments = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", f"-I{root}", *arguments, *protos]) != 0:
        raise SetupError(f"protoc failed on the protos in {root}; its messages are above.")
    (target / "graft" / "v1" / "__init__.py").write_text('"""Generated from the protos of graft.v1."""\n')


setup(cmdclass={"build_py": BuildWithStubs, "sdist": SdistWithProtos})
