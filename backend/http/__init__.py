"""The habits of the API: errors, arguments, paging, versions, repeated requests, uploads and tables."""

from backend.http import messages  # noqa: F401 - translates marshmallow before any schema is made
from backend.http.access import requires
from backend.http.api import Api, Blueprint
from backend.http.describing import may_answer
from backend.http.etag import check_if_match, etag_of, if_match, if_match_version
from backend.http.idempotency import StoredAnswer, idempotent, idempotent_in_portions
from backend.http.install import install
from backend.http.json_values import read_json
from backend.http.pages import Pages, dressed, page
from backend.http.paging import Page, PageArgs, page_filter, paged, read_page
from backend.http.problems import Problem, ProblemCode, code_table, register
from backend.http.rates import count_against, limited_by_address, refuse_spent
from backend.http.resources import resource_blueprint
from backend.http.resumable import finished_upload
from backend.http.tables import CellFault, Table, columns_of, read_table, write_table, write_template
from backend.http.uploads import read_photo

#: What this floor stores; the platform makes the indexes.
DOCUMENTS = (StoredAnswer,)

__all__ = [
    "DOCUMENTS",
    "Api",
    "Blueprint",
    "CellFault",
    "Page",
    "PageArgs",
    "Pages",
    "Problem",
    "ProblemCode",
    "StoredAnswer",
    "Table",
    "check_if_match",
    "code_table",
    "columns_of",
    "count_against",
    "dressed",
    "etag_of",
    "finished_upload",
    "idempotent",
    "idempotent_in_portions",
    "if_match",
    "if_match_version",
    "install",
    "limited_by_address",
    "may_answer",
    "page",
    "page_filter",
    "paged",
    "read_json",
    "read_page",
    "read_photo",
    "read_table",
    "refuse_spent",
    "register",
    "requires",
    "resource_blueprint",
    "write_table",
    "write_template",
]
