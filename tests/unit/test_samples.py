"""The sample files: one for each starter mapping, the same every time, and nobody real in them."""

import re
from fnmatch import fnmatch
from pathlib import Path

import openpyxl
import yaml

from pipeline.samples import write_samples
from pipeline.settings import load_settings

PROJECT = Path(__file__).parents[2]
MAPPINGS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (PROJECT / "mappings").glob("*.yaml")}


def test_each_starter_mapping_takes_exactly_one_sample(tmp_path: Path) -> None:
    names = [path.name for path in write_samples(tmp_path)]
    taken = {feed: [n for n in names if fnmatch(n, m["files"]["pattern"])] for feed, m in MAPPINGS.items()}
    assert len(names) == len(MAPPINGS) == 5
    assert sorted(name for files in taken.values() for name in files) == names
    assert all(len(files) == 1 for files in taken.values())


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    first, second = ([path.read_bytes() for path in write_samples(folder)] for folder in folders)
    assert first == second


def test_every_address_and_number_is_one_nobody_has(tmp_path: Path) -> None:
    for path in [path for path in write_samples(tmp_path) if path.suffix != ".xlsx"]:
        text = path.read_bytes().decode("cp1252", "replace")
        assert "@example.com" in text
        assert all(address.endswith("@example.com") for address in re.findall(r"[\w.+-]+@[\w.-]+", text))
        assert all(number.startswith("555-01") for number in re.findall(r"\d{3}-\d{4}\b", text)), path.name


def test_the_stock_count_has_a_title_zeros_and_an_error_cell(tmp_path: Path) -> None:
    path = next(path for path in write_samples(tmp_path) if path.suffix == ".xlsx")
    sheet = openpyxl.load_workbook(path, data_only=True)["Count"]
    assert sheet["A1"].value == "Warehouse 2: stock count of 5 January 2026"
    assert (sheet["A7"].value, sheet["A7"].number_format) == (1203, "00000")
    assert sheet["C15"].value == "#N/A"


def test_the_starter_settings_know_every_account_the_mappings_deliver_to() -> None:
    settings = load_settings(PROJECT, {})
    named = {entry["account"] for mapping in MAPPINGS.values() for entry in mapping["deliver"]}
    assert named == set(settings.accounts) == {"shop", "crm", "school", "desk"}


def test_the_starter_settings_hold_no_secret() -> None:
    assert len(load_settings(PROJECT, {}).missing_secrets()) == 5
