"""A plan on a pull request, read by a Markdown parser as a forge does: whatever texts it holds, however long it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.manifests import Position, Problem
from reconciler.output.markdown import LIMIT, as_markdown
from reconciler.plan.planned import Plan, Steps, Verb
from reconciler.resources import Identity
from tests.output.builders import NOW, condition, nightly, restore, schedule
from tests.output.plans import plan, starts, step, steps

HOSTILE = (
    "a | b | c",
    "`code` and ``` fences",
    "ask @team/admins, @ada",
    "<script>alert(1)</script> <details> <!-- hidden",
    "&#64;team &lt;b&gt;",
    "[link](https://evil.example) ![image](https://evil.example/x.png)",
    "https://evil.example and www.evil.example",
    "fixes #1 and other/repo#2",
    "two\n\n# lines\n| a |\n|---|",
    "back\\slash \\| pipe \\` tick",
    "**bold** __more__ ~~gone~~",
)


def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").parse(text)


def tables(text: str) -> list[list[list[Token]]]:
    """The rows of each table, each row its cells."""
    found: list[list[list[Token]]] = []
    for before, token in pairwise(tokens(text)):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif before.type in ("td_open", "th_open"):
            found[-1][-1].append(token)
    return found


def shown(cell: Token) -> str:
    """The text of a cell; that it is nothing but text is asserted."""
    assert {child.type for child in cell.children or ()} <= {"text", "text_special"}, cell.content
    return "".join(child.content for child in cell.children or ())


def test_a_summary_line_a_table_per_object_and_folded_details() -> None:
    text = as_markdown(plan(steps(restore(), starts("m1", hours=5), starts("m2", hours=30, items=7))), NOW)
    first, second, *_ = text.splitlines()
    assert first == "<!-- reconciler plan -->"
    assert second == "**Plan: 2 to start.** Revision `6f1c6f1c6f`."
    summary, details = tables(text)
    assert [[shown(cell) for cell in row] for row in summary] == [
        ["what", "clusters", "backup age", "items", "why"],
        ["start", "2 clusters", "5h to 1d6h", "7 to 40", ""],
    ]
    assert [[shown(cell) for cell in row] for row in details] == [
        ["cluster", "what", "backup", "age", "items", "kept for"],
        ["m1", "start", "m1-backup-default-before", "5h", "40", "29d19h"],
        ["m2", "start", "m2-backup-default-before", "1d6h", "7", "28d18h"],
    ]
    assert text.index("<details><summary>Clusters</summary>") < text.index("| cluster |")


def test_clusters_with_the_same_end_for_the_same_reason_share_a_row() -> None:
    waits = [step(f"m{n}", Verb.WAIT, "Unreachable", f"cluster m{n} can't be reached") for n in range(3)]
    refused = [step(f"r{n}", Verb.REFUSE, "BackupFailed", "Backup before is Failed") for n in range(2)]
    rows = tables(as_markdown(plan(steps(restore(), *waits, *refused)), NOW))[0]
    assert [[shown(cell) for cell in row] for row in rows[1:]] == [
        ["refuse", "2 clusters", "", "", "BackupFailed: Backup before is Failed"],
        ["wait", "3 clusters", "", "", "Unreachable: cluster m0 can't be reached (and 2 like it)"],
    ]


def test_clusters_that_matter_come_first_each_with_its_why() -> None:
    starting = [starts(f"s{n}") for n in range(1000)]
    waits = [step(f"w{n}", Verb.WAIT, "Unreachable", f"cluster w{n} can't be reached") for n in range(2)]
    refused = [step(f"r{n}", Verb.REFUSE, "BackupFailed", "Backup before is Failed") for n in range(30)]
    held = [step("h0", Verb.HOLD, "Suspended", "spec.suspend is set")]
    text = as_markdown(plan(steps(restore(), *starting, *waits, *refused, *held)), NOW)
    assert LIMIT - 500 < len(text) < LIMIT, "the room there is is used"
    summary, details = ([[cell.content for cell in row] for row in table] for table in tables(text))
    assert [row[0] for row in summary[1:]] == ["refuse", "hold", "wait", "start"]
    assert details[0] == ["cluster", "what", "backup", "age", "items", "kept for", "why"]
    failed = "BackupFailed: Backup before is Failed"
    assert details[1:7] == [
        [", ".join(f"r{n}" for n in range(25)), "refuse", "", "", "", "", failed],
        [", ".join(f"r{n}" for n in range(25, 30)), "refuse", "", "", "", "", failed],
        ["h0", "hold", "", "", "", "", "Suspended: spec.suspend is set"],
        ["w0", "wait", "", "", "", "", "Unreachable: cluster w0 can't be reached"],
        ["w1", "wait", "", "", "", "", "Unreachable: cluster w1 can't be reached"],
        ["s0", "start", "s0-backup-default-before", "5h", "40", "29d19h", ""],
    ]
    assert details[-1][0] == f"… and {1000 - len(details[6:-1])} more; `reconciler plan` shows all"


def test_of_a_thousand_clusters_that_are_refused_each_is_named() -> None:
    long = "x" * 300
    for whys in (1, 30):
        each = [step(f"cluster-{n:04}", Verb.REFUSE, "BackupFailed", f"{n % whys} {long}") for n in range(1000)]
        text = as_markdown(plan(steps(restore(), *(starts(f"s{n}") for n in range(100)), *each)), NOW)
        assert len(text) < LIMIT
        assert not [n for n in range(1000) if f"cluster-{n:04}" not in text]


def test_an_object_of_which_something_is_refused_comes_before_others() -> None:
    records = [replace(restore(), identity=Identity("Restore", "default", f"r-{n:03}")) for n in range(400)]
    sound = [steps(record, starts("m1")) for record in records[:-1]]
    text = as_markdown(plan(*sound, steps(records[-1], starts("m1"), step("m2", Verb.REFUSE, "Why", "so"))), NOW)
    assert len(text) < LIMIT
    assert text.index("r-399") < text.index("r-000")


def test_what_has_nothing_to_do_is_folded_into_a_line_each() -> None:
    message = "Completed in attempt 1; to run it again raise spec.attempt with rerun: All, or add a new Restore"
    text = as_markdown(plan(steps(restore(), step("m1", Verb.SKIP, message=message), moved=False)), NOW)
    assert "**Plan: nothing to do.**" in text
    assert "<summary>1 with nothing to do</summary>" in text
    assert f"- Restore default/minimal: {message}" in text
    assert tables(text) == []


def test_a_schedule_says_when_it_runs_next() -> None:
    text = as_markdown(plan(steps(nightly(schedule("m1")), step(schedule("m1"), Verb.CREATE))), NOW)
    assert "**Plan: 1 Schedule to create.**" in text
    assert "Next run 2026-11-24T03:00:00Z." in text


def test_what_else_there_is_to_say() -> None:
    changed = restore()
    changed = replace(changed, conditions=(condition("SpecChanged"),))
    problem = Problem(Position("restores/x.yaml", 5), "there is no Backup default/befor", "name one", None)
    text = as_markdown(
        plan(
            steps(changed, step("m1", Verb.SKIP), why="nothing of that runs"),
            problems=(problem,),
            base="origin/some_branch",
            paused=True,
            put_back=("status/backups/default/x.yaml",),
        ),
        NOW,
    )
    assert "1 problem in files, 1 edit without effect, 1 record to put back" in text
    assert "what is new since origin/some\\_branch." in text
    assert "paused" in text
    assert "- restores/x.yaml:5: there is no Backup default/befor" in text
    assert "- status/backups/default/x.yaml" in text
    assert "nothing of that runs" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_stays_text(hostile: str) -> None:
    """In a message, a problem, and a base; and no forge finds a mention, a reference or an address in what is shown."""
    problem = Problem(Position("restores/x.yaml", 5), hostile, hostile, None)
    each = [step("m1", Verb.WAIT, "Rejected", hostile), step("m2", Verb.REFUSE, "BackupFailed", hostile)]
    text = as_markdown(plan(steps(restore(), *each, why=hostile), problems=(problem,), base=hostile), NOW)
    (summary, details) = tables(text)
    assert [len(row) for row in summary] == [5, 5, 5]
    assert [len(row) for row in details] == [3, 3, 3]
    told = " ".join(hostile.split())
    assert shown(summary[1][4]).replace("\u200b", "") == f"BackupFailed: {told}"
    read = [child for token in tokens(text) for child in token.children or ()]
    assert not {child.type for child in read} & {"link_open", "image", "html_inline", "em_open", "s_open"}
    assert [token.type for token in tokens(text)].count("html_block") == 3, "our own comment and details"
    rendered = "".join(child.content for child in read)
    for found in ("@team", "@ada", "#1", "repo#2", "://", "www.e"):
        assert found not in rendered


def fleet_of(clusters: int, names: int, **taken: Any) -> list[Steps]:
    """Restores of so many clusters each; every tenth waits for a reason of its own."""
    found = []
    for number in range(names):
        record = replace(restore(), identity=Identity("Restore", "default", f"{'n' * 50}-{number}"))
        each = [
            step(f"cluster-{c:04}", Verb.WAIT, "Unreachable", f"cluster {c} can't be reached: {'x' * 300}")
            if c % 10 == 0
            else starts(f"cluster-{c:04}", hours=c + 1)
            for c in range(clusters)
        ]
        found.append(steps(record, *each, **taken))
    return found


@pytest.mark.parametrize(("clusters", "names"), [(1000, 1), (1000, 2), (1000, 4), (1000, 20), (20, 300)])
def test_a_fleet_of_a_thousand_fits_into_a_comment_and_no_table_is_cut(clusters: int, names: int) -> None:
    text = as_markdown(plan(*fleet_of(clusters, names)), NOW)
    assert len(text) < LIMIT == 60_000
    assert text.count("<details>") == text.count("</details>")
    widths = {tuple(len(row) for row in table) for table in tables(text)}
    assert all(set(rows) in ({5}, {6}, {7}) for rows in widths)
    assert "more; `reconciler plan` shows all" in text
    assert "waiting" in text.splitlines()[1], "all is counted, whatever is left out"


def test_details_go_before_a_table_of_any_object_does() -> None:
    text = as_markdown(plan(*fleet_of(1000, 20)), NOW)
    assert all(f"### Restore default/{'n' * 50}-{number}\n" in text for number in range(20))


def test_a_thousand_objects_with_nothing_to_do_are_counted() -> None:
    idle = [
        steps(replace(restore(), identity=Identity("Restore", "default", f"r-{n}")), step("m1", Verb.SKIP), moved=False)
        for n in range(1000)
    ]
    text = as_markdown(plan(*idle), NOW)
    assert "<summary>1000 with nothing to do</summary>" in text
    assert "- and 950 more" in text
    assert len(text) < LIMIT


def test_hundreds_of_problems_are_counted() -> None:
    problems = tuple(Problem(Position("a.yaml", n), "wrong " * 100, "mend it", None) for n in range(300))
    text = as_markdown(plan(problems=problems), NOW)
    assert "300 problems in files" in text
    assert "- and 250 more" in text
    assert len(text) < LIMIT


def test_a_backup_of_unknown_age_or_size_leaves_its_cells_empty() -> None:
    bare = starts("m1", startTimestamp="", completionTimestamp="", progress={}, expiration="")
    row = tables(as_markdown(plan(steps(restore(), bare)), NOW + timedelta(days=1)))[1][1]
    assert [shown(cell) for cell in row] == ["m1", "start", "m1-backup-default-before", "", "", "never"]


def test_the_plan_of_nothing_at_all() -> None:
    empty: Plan = plan()
    assert as_markdown(empty, NOW) == "<!-- reconciler plan -->\n**Plan: nothing to do.** Revision `6f1c6f1c6f`.\n"
