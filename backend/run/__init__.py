"""Everything on one machine: the servers, the web, the workers and the scheduler, watched by one process."""

from backend.run.data_folder import DataFolder, adopt_running, note_accounts
from backend.run.platform import run

__all__ = ["DataFolder", "adopt_running", "note_accounts", "run"]
