"""Files and directories of this machine: types `file` and `directory`.

What was there before is never overwritten or deleted unless the stack says `adopt: true`; a file that
somebody else has changed is not deleted. Every write is whole or absent, also after a power cut.
"""

from dirigent.providers.files.provider import FilesProvider

__all__ = ["FilesProvider"]
