import re
import subprocess
import sys
from itertools import pairwise

import pytest
from selectolax.lexbor import LexborHTMLParser

from eval.comparison import compare
from eval.experiment.result import ExperimentResult
from eval.report import charts, html_report, write_report
from eval.report.figure import DARK, LIGHT


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def test_every_mean_interval_and_mark_is_the_results(result, page_text, rows):
    page, marks = LexborHTMLParser(page_text), []
    for at, facts in enumerate(result.collections, 1):
        cells = result.row(facts.name)
        oracle = compare([cell.evaluation for cell in cells.values()], "bm25", result.measures)
        section = page.css_first(f"#c{at}-{facts.name}")
        table = rows(section, "Means over the queries")
        assert [row[0].split()[0] for row in table] == list(result.pipelines)
        for row in table:
            system = row[0].split()[0]
            for measure, text in zip(result.measures, row[1:], strict=False):
                line = oracle.row(measure, system)
                found = re.fullmatch(r"(\d\.\d{4})( [▲▼])?(\d\.\d{3}) to (\d\.\d{3})", text)
                assert found, text
                assert found[1] == f"{cells[system].evaluation.mean(measure):.4f}"
                assert (found[3], found[4]) == tuple(f"{end:.3f}" for end in line.interval)
                significant = line.contrast is not None and oracle.significant(line.contrast)
                mark = "" if not significant else " ▲" if line.contrast.gain > 0 else " ▼"
                assert (found[2] or "") == mark
                marks.append(mark)
            latency = cells[system].latency
            assert [number(text) for text in row[-2:]] == [
                pytest.approx(latency.p50, rel=5e-3),
                pytest.approx(latency.p95, rel=5e-3),
            ]
    assert {"", " ▲", " ▼"} == set(marks)


def test_the_best_is_the_highest_as_printed(result, page_text):
    section = LexborHTMLParser(page_text).css_first("#c1-cranfield table")
    for column, measure in enumerate(result.measures, 2):
        texts = {
            row.css_first("th").text().split()[0]: row.css(f"td:nth-child({column}) .best")
            for row in section.css("tbody tr")
        }
        means = {name: cell.evaluation.mean(measure) for name, cell in result.row("cranfield").items()}
        assert {name for name, best in texts.items() if best} == {max(means, key=means.__getitem__)}


def test_comparisons_say_what_compare_says(result, page_text, rows):
    page = LexborHTMLParser(page_text)
    cells = result.row("cisi")
    oracle = compare([cell.evaluation for cell in cells.values()], "bm25", result.measures)
    for measure in result.measures:
        table = rows(page.css_first("#c2-cisi"), f"{measure}: difference from bm25")
        expected = [one for one in oracle.contrasts if one.measure == measure]
        for row, contrast in zip(table, expected, strict=True):
            assert row[0] == contrast.system
            found = re.fullmatch(r"([+−]?\d\.\d{4})(?: [▲▼])?(−?\d\.\d{4}) to (−?\d\.\d{4})", row[1])
            assert found, row[1]
            for text, value in zip(found.groups(), (contrast.difference, *contrast.interval), strict=True):
                assert number(text) == pytest.approx(value, abs=5.1e-5)
            for text, value in zip(row[2:4], (contrast.p_value, contrast.corrected_p), strict=True):
                assert text == "<0.001" if value < 0.001 else number(text) == pytest.approx(value, abs=5.1e-4)
            assert number(row[4]) == pytest.approx(contrast.effect, abs=5.1e-3)
            assert [int(text) for text in row[5:8]] == [contrast.wins, contrast.ties, contrast.losses]
            assert number(row[8]) == pytest.approx(contrast.detectable, abs=5.1e-5)


def test_the_summary_has_the_first_measure_and_its_mean_over_collections(result, page_text, rows):
    page = LexborHTMLParser(page_text)
    summary = rows(page.css_first("#summary"), "Mean nDCG@10")
    means = {
        facts.name: [cell.evaluation.mean(result.measures[0]) for cell in result.row(facts.name).values()]
        for facts in result.collections
    }
    assert [row[0] for row in summary] == list(means)
    for row in summary:
        assert row[1] == "40"
        assert [text[:6] for text in row[2:]] == [f"{mean:.4f}" for mean in means[row[0]]]
    foot = [cell.text()[:6] for cell in page.css("#summary tfoot td")][1:]
    assert foot == [f"{(a + b) / 2:.4f}" for a, b in zip(*means.values(), strict=True)]


def test_extremes_show_the_queries_that_differ_most_with_grades(make_result):
    result = make_result(collections=["cranfield"])
    page = LexborHTMLParser(html_report(result))
    facts, cells, measure = result.collections[0], result.row("cranfield"), result.measures[0]
    gains = {
        query: value - cells["bm25"].evaluation.values[measure][query]
        for query, value in cells["dense"].evaluation.values[measure].items()
    }
    articles = page.css("article.query")
    shown = [article.css_first("h5 small").text().removeprefix("query ") for article in articles[:6]]
    assert shown == sorted(gains, key=gains.get)[:3] + sorted(gains, key=gains.get, reverse=True)[:3]
    for article, query in zip(articles, shown, strict=False):
        assert article.css_first("q").text() == facts.topics[query]
        for side, system in zip(article.css(".sides > div"), ("dense", "bm25"), strict=True):
            hits = [
                (item.css_first(".grade").text(), item.css_first("small").text()) for item in side.css("li")
            ]
            assert hits == [
                ("not judged" if grade is None else f"grade {grade}", doc_id)
                for doc_id in cells[system].top[query][:5]
                for grade in [facts.qrels[query].get(doc_id)]
            ]


def test_every_reference_resolves_and_no_id_comes_twice(make_result):
    page = LexborHTMLParser(html_report(make_result(), curves=charts(make_result())))
    ids = [node.attributes["id"] for node in page.css("[id]")]
    assert len(ids) == len(set(ids))
    references = re.findall(r"url\(#([^)]+)\)", page.html)
    for node in page.css("[href]"):
        assert node.attributes["href"].startswith("#")
        references.append(node.attributes["href"][1:])
    for node in page.css("[aria-labelledby]"):
        references += node.attributes["aria-labelledby"].split()
    assert set(references) <= set(ids)


def test_nothing_is_fetched(page_text):
    text = page_text
    assert not re.search(r"(https?:)?//[a-z]", text.split("<script>")[0])
    assert not re.search(r"@import|url\((?!#)", text)
    page = LexborHTMLParser(text)
    assert not page.css("link, img, iframe, object, embed, script[src], base, form")
    assert "default-src 'none'" in page.css_first("meta[http-equiv]").attributes["content"]


def test_equal_results_give_equal_bytes_also_after_a_round_trip(make_result, tmp_path):
    write_report(make_result(collections=["cranfield"]), tmp_path / "one.html")
    write_report(make_result(collections=["cranfield"]), tmp_path / "two.html")
    make_result(collections=["cranfield"]).save(tmp_path / "result.json")
    write_report(ExperimentResult.load(tmp_path / "result.json"), tmp_path / "three.html")
    texts = {(tmp_path / f"{name}.html").read_bytes() for name in ("one", "two", "three")}
    assert len(texts) == 1


def test_a_matplotlibrc_of_the_readers_changes_nothing(make_result):
    import matplotlib

    plain = html_report(make_result(collections=["cranfield"]))
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert html_report(make_result(collections=["cranfield"])) == plain


def test_tables_and_figures_are_accessible(page_text):
    page = LexborHTMLParser(page_text)
    assert page.css_first("html").attributes["lang"] == "en"
    for table in page.css("table"):
        assert table.css_first("caption").text().strip()
        assert all(head.attributes.get("scope") for head in table.css("th"))
        assert table.parent.attributes["role"] == "region"
        assert table.parent.attributes["tabindex"] == "0"
    for drawing in page.css("figure > svg"):
        assert drawing.attributes["role"] == "img"
        assert drawing.css_first("title").text()
        assert drawing.css_first("desc").text()
    for mark in page.css(".mark"):
        assert mark.attributes["aria-hidden"] == "true"
        assert (
            "significantly" in mark.parent.css_first(".sr:last-of-type").text()
            or "significantly" in mark.parent.text()
        )
    levels = [int(node.tag[1]) for node in page.css("h1,h2,h3,h4,h5,h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def luminance(colour: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough(make_result, scheme):
    css = LexborHTMLParser(html_report(make_result(collections=[]))).css_first("style").text()
    blocks = re.findall(r":root\{([^}]*)\}", css)
    theme = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6})", blocks[0 if scheme == "light" else 1]))
    assert theme.items() >= (LIGHT if scheme == "light" else DARK).items()
    for text in ("ink", "muted", "link", "good", "bad"):
        for ground in ("ground", "panel"):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for colour in (name for name in theme if re.fullmatch(r"s\d", name)):
        assert contrast(theme[colour], theme["ground"]) >= 3, colour


def test_what_was_run_is_all_there(result, page_text):
    page = LexborHTMLParser(page_text)
    method = page.css_first("#method").text()
    for cell in result.cells:
        assert cell.fingerprint in method
        assert cell.run_file in method
        assert cell.index.encoder in method
    for facts in result.collections:
        assert facts.fingerprint in method
    versions = ("quire-search", "0.1.0")
    for expected in (
        *versions,
        "analyser:34cd",
        "splitter:56ef",
        "alpha",
        "depth",
        "taken from an earlier run",
    ):
        assert expected in method
    assert page.css_first("#method pre").text() == result.definition
    header = page.css_first("header").text()
    times = ("2026-11-22 18:00 UTC", "1 min 15 s", "6 (2 taken from an earlier run)")
    for expected in (*times, "a machine, 2 cores", "paired t test", "Holm's correction"):
        assert expected in header


def test_settings_stand_side_by_side(result, page_text, rows):
    settings = rows(LexborHTMLParser(page_text).css_first("#method"), "every setting")
    assert settings == [["kind", *["quire"] * 3], ["alpha", "0", "1", "2"], ["depth", *["200"] * 3]]


def test_importing_the_report_loads_none_of_what_it_draws_with():
    program = (
        "import sys, eval.report;"
        "print([name for name in ('matplotlib', 'jinja2', 'scipy', 'ir_measures', 'pyarrow') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
