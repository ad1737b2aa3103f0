"""Which errors mean that a device has no memory left."""

from __future__ import annotations

#: As CUDA, MPS, the CPU and cuBLAS say it.
_SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "cublas_status_alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a device has no memory left."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
    )
