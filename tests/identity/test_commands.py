"""The operator's command and the demo accounts."""

from __future__ import annotations

import dataclasses

import pytest
from click.testing import CliRunner

from backend import settings
from backend.identity import DOCUMENTS, USER_TYPES, Client, User, install_roles, keep_areas, log_in
from backend.identity.commands import create_administrator
from backend.identity.demo import create_demo_accounts
from backend.storage import ensure_indexes

AREAS = {"district": "33", "street": "33/1", "community": "33/1/1", "compound": "33/1/1/C1"}


@pytest.fixture(autouse=True)
def district(clean):
    ensure_indexes(DOCUMENTS)
    install_roles(())
    keep_areas(dict.fromkeys(AREAS.values(), "某地"))


def test_the_first_administrator_gets_a_password_that_is_printed_once():
    result = CliRunner().invoke(create_administrator, ["--account", "chief", "--name", "主管", "--password", ""])
    assert result.exit_code == 0, result.output
    password = result.output.rsplit("：", 1)[1].strip()
    assert log_in("chief", password, Client()).must_change_password
    assert User.objects.get(account="chief").grants[0].role == "administrator"


def test_a_chosen_password_is_asked_twice_and_has_to_keep_the_rules():
    weak = CliRunner().invoke(create_administrator, ["--account", "chief", "--name", "主管"], input="weak\nweak\n")
    assert weak.exit_code == 1 and "密码长度" in weak.output
    good = "Gute-Nacht-2026\n" * 2
    made = CliRunner().invoke(create_administrator, ["--account", "chief", "--name", "主管"], input=good)
    assert made.exit_code == 0 and "Gute-Nacht" not in made.output
    again = CliRunner().invoke(create_administrator, ["--account", "chief", "--name", "主管"], input=good)
    assert again.exit_code == 1 and "已被使用" in again.output


def test_demo_accounts_are_one_of_each_type_and_open():
    accounts = create_demo_accounts(AREAS)
    assert {User.objects.get(id=each.user).user_type for each in accounts} == set(USER_TYPES)
    for each in accounts:
        assert not log_in(each.account, each.password, Client()).must_change_password
    assert create_demo_accounts(AREAS) == accounts


def test_demo_accounts_never_exist_in_production(monkeypatch):
    monkeypatch.setattr(settings, "_current", dataclasses.replace(settings.current(), mode="production"))
    with pytest.raises(RuntimeError):
        create_demo_accounts(AREAS)
    assert not User.objects
