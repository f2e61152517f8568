"""Tables that people fill in and read: xlsx and csv, in and out, with Chinese headers."""

from backend.http.tables.columns import Column, columns_of
from backend.http.tables.reading import CellFault, Table, read_table
from backend.http.tables.writing import write_table, write_template

__all__ = ["CellFault", "Column", "Table", "columns_of", "read_table", "write_table", "write_template"]
