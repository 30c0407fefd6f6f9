"""The loops of `minhash_kernel` as machine code: numba makes it once, llvmlite loads it in every process after that.

numba takes 0.45 s of processor time before it can load what it compiled and cached itself; llvmlite, which is below it,
takes 0.04 s for the same code. So the object code of a loop is kept in a file whose name is a hash of all that decides it:
the source, the types it is called with, the compilers, the processor. The file lies beside this module, or in the user's
cache folder where the package is read-only; where it can lie nowhere, numba compiles in memory, 1 to 3 s per run.

The calling convention is numba's own for compiled functions: where to put the result, where to put an exception, then the
arguments, an array as its owner (twice), size, bytes per item, address, shape and strides. Source: numba 0.68,
`numba.core.callconv.CPUCallConv` and `ArrayModel` in `numba.core.datamodel.models`. No version of numba promises it, so the types
in what was compiled are compared with it; where they are others, numba calls the loops itself, and compiles them in every
process. That what comes out is right is a test: bit for bit that of datasketch and of plain Python.
"""

import os
from collections.abc import Callable, Iterator
from ctypes import CFUNCTYPE, c_bool, c_double, c_int32, c_int64, c_void_p, create_string_buffer
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, Final

import llvmlite.binding as llvm  # type: ignore[import-untyped]  # it has no types
import numpy as np

ENTRY: Final = "entry"
DIGEST: Final = 32
"""The first bytes of a file of object code are the sha256 of the rest: what was cut off or changed is compiled again."""

UNUSED: Final = "define void @NRT_MemInfo_call_dtor(i64 %0) {\n  ret void\n}"
"""numba's release of an array that it owns; ours belong to Python, so nobody calls it, but it must be there. Its argument is a
pointer, which LLVM 15 and 20 (llvmlite 0.44 and 0.50) write differently; a number is passed in the same place."""

SCALARS: Final[dict[type, Any]] = {bool: c_bool, int: c_int64, float: c_double}

ARRAY: Final = (c_void_p, c_void_p, c_int64, c_int64, c_void_p)

LLVM_TYPES: Final = {c_void_p: "ptr", c_int64: "i64", c_double: "double", c_bool: "i8"}

SOURCES: Final = ("machine_code.py", "minhash_kernel.py", "words.py")


class Loop:
    """A function of `minhash_kernel`, to be called with bool, int, float and contiguous arrays; it returns nothing."""

    def __init__(self, name: str) -> None:
        """Nothing is loaded before the first call."""
        self._name = name
        self._codes: dict[tuple[Any, ...], Callable[[tuple[Any, ...]], None]] = {}
        self._lock = Lock()

    def __call__(self, *arguments: Any) -> None:
        """Run without the interpreter lock."""
        types = tuple((each.dtype.str, each.ndim) if isinstance(each, np.ndarray) else type(each) for each in arguments)
        if types not in self._codes:
            with self._lock:
                if types not in self._codes:
                    self._codes[types] = self._load(types)
        self._codes[types](arguments)

    def _load(self, types: tuple[Any, ...]) -> Callable[[tuple[Any, ...]], None]:
        content = _object_code(self._name, types)
        return _called_by_numba(self._name) if content is None else _Code(content, types)


class _Code:
    """Object code in memory, ready to be called."""

    def __init__(self, content: bytes, types: tuple[Any, ...]) -> None:
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())  # the code lives as long as this
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(content))
        self._engine.finalize_object()
        self._function = CFUNCTYPE(c_int32, *_flat(types))(self._engine.get_function_address(ENTRY))
        self._result = create_string_buffer(16)

    def __call__(self, arguments: tuple[Any, ...]) -> None:
        flat: list[Any] = [self._result, self._result]
        for each in arguments:
            if isinstance(each, np.ndarray):
                assert each.flags.c_contiguous
                assert each.flags.aligned
                flat += [None, None, each.size, each.itemsize, each.__array_interface__["data"][0], *each.shape, *each.strides]
            else:
                flat.append(each)
        status = self._function(*flat)
        assert status == 0  # the loops allocate nothing and raise nothing


def _flat(types: tuple[Any, ...]) -> list[Any]:
    """The types of what is passed: two places for what comes back, scalars as they are, arrays in parts."""
    flat: list[Any] = [c_void_p, c_void_p]
    for kind in types:
        flat += [SCALARS[kind]] if isinstance(kind, type) else [*ARRAY, *[c_int64] * 2 * kind[1]]
    return flat


def _object_code(name: str, types: tuple[Any, ...]) -> bytes | None:
    """From the first place that has it, or compiled and put there; None where `_Code` could not call it."""
    decisive = [(Path(__file__).with_name(source)).read_text("utf-8") for source in SOURCES]
    decisive += [version("numba"), str(llvm.llvm_version_info), _processor(), _features(), repr(types)]
    file = f"{name}-{sha256(chr(10).join(decisive).encode()).hexdigest()[:32]}.o"
    for folder in _places():
        try:
            content = (folder / file).read_bytes()
        except OSError:
            continue
        if sha256(content[DIGEST:]).digest() == content[:DIGEST]:
            return content[DIGEST:]
    made = _compile(name, types)
    if made is None:
        return None
    for folder in _places():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = folder / f"{file}.{os.getpid()}"  # of its own: another process may be compiling too
            unfinished.write_bytes(sha256(made).digest() + made)
            unfinished.replace(folder / file)
        except OSError:  # read-only
            continue
        break
    return made


def _places() -> Iterator[Path]:
    yield Path(__file__).with_name("__pycache__")
    of_user = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111  # no error without a home
    if of_user.is_absolute():  # without a home it is "~/.cache"; XDG Base Directory Specification 0.8: a relative one is ignored
        yield of_user / "ticketmill"


def _compile(name: str, types: tuple[Any, ...]) -> bytes | None:
    import numba  # noqa: PLC0415  # 0.15 s, and 0.3 s more when it compiles

    from pipeline.similarity import minhash_kernel  # noqa: PLC0415  # imports numba

    kinds = {bool: numba.types.boolean, int: numba.types.int64, float: numba.types.float64}
    signature = tuple(
        kinds[kind] if isinstance(kind, type) else numba.types.Array(numba.from_dtype(np.dtype(kind[0])), kind[1], "C")
        for kind in types
    )
    function = getattr(minhash_kernel, name)
    function.compile(signature)
    module = llvm.parse_assembly(function.inspect_llvm(signature))
    entries = [each for each in module.functions if not each.is_declaration and each.linkage == llvm.Linkage.external]
    module.link_in(llvm.parse_assembly(UNUSED))
    expected = [LLVM_TYPES[each] for each in _flat(types)]
    is_called_so = [[_name_of(each.type) for each in entry.arguments] for entry in entries] == [expected]
    is_whole = not any(each.is_declaration and not each.name.startswith("llvm.") for each in module.functions)
    if not (is_called_so and is_whole):  # either would end the process
        return None
    entries[0].name = ENTRY
    return bytes(_machine().emit_object(module))


def _name_of(kind: Any) -> str:
    return "ptr" if kind.is_pointer else str(kind)  # llvmlite before 0.45 also says to what


def _called_by_numba(name: str) -> Callable[[tuple[Any, ...]], None]:
    import numba  # noqa: PLC0415  # as above

    from pipeline.similarity import minhash_kernel  # noqa: PLC0415  # as above

    function = numba.njit(nogil=True, error_model="numpy", boundscheck=False)(getattr(minhash_kernel, name).py_func)
    return lambda arguments: function(*arguments)


def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(cpu=_processor(), features=_features(), opt=3, jit=True, codemodel="jitdefault")


def _processor() -> str:
    return str(llvm.get_host_cpu_name())


def _features() -> str:
    return str(llvm.get_host_cpu_features().flatten())
