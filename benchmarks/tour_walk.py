"""The stops of the tour: a new user's way from the first start to an exported film.

Each stop is a function of a `Walk` that begins wherever the stops before it have led to.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import FilePayload

from benchmarks.walk import Walk

FIRST_SEED = 20
STEPS_OF_A_LONG_TAKE = 100
"""So many that a shot is still being made while its four pictures are taken."""
ATTEMPTS = 3
"""Crashes after which a job counts as failed."""
DIFFERENCE = "Difference \N{MULTIPLICATION SIGN}3"
RUNNING = "job.state === 'running'"
STORYBOARD = """\
00:00:00:00 Mia waves in the park, wide shot. Mia wears a red striped shirt and a blue hat.
00:00:02:00 Mia walks right on the street, medium shot.
00:00:04:00 Mia jumps on the beach beside a dragon, wide shot.
"""
NEW_PROMPT = "Mia walks left in the snow, medium shot."


def first_steps(walk: Walk) -> None:
    """The first start: the steps that open by themselves, then an empty library."""
    page = walk.page
    page.route("**/api/machine", walk.name_the_usual_folder)
    page.goto(walk.url)
    dialog = page.get_by_role("dialog", name="First steps")
    dialog.wait_for()
    walk.ask_until("fetch('/api/engine').then(r => r.json()).then(e => e.state === 'ready')")
    dialog.get_by_text("measured here").wait_for()
    for name in ("01-first-machine", "02-first-model", "03-first-film"):
        walk.camera.look(name)
        dialog.get_by_role("button", name=re.compile("^(Next|Close)$")).click()
    walk.camera.look("04-home-empty")


def storyboard(walk: Walk) -> None:
    """A new film: how to begin, words of the model as one types, the plan of a storyboard."""
    page = walk.page
    walk.press("New film")
    walk.wait("window.mnemoreel?.document && mnemoreel.online")
    walk.camera.look("05-new-film")
    page.evaluate("document.querySelector('mnemo-storyboard').open()")
    dialog = page.get_by_role("dialog", name="Import a storyboard")
    field = dialog.locator("textarea")
    field.fill(STORYBOARD)
    dialog.locator("tbody tr").nth(2).wait_for()

    def type_a_word() -> None:
        field.fill(STORYBOARD)
        field.press("Control+End")
        field.press_sequentially("0:06 Mia waves in the s")

    # The suggestions stand over the plan: that is what they are for.
    walk.camera.look("06-words", arrange=type_a_word, is_checked=False)
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Use the sample storyboard").click()
    dialog.get_by_role("button", name="Apply 5 shots").wait_for()
    walk.camera.look("07-plan")
    dialog.get_by_role("button", name="Apply 5 shots").click()
    walk.wait("mnemoreel.shots.length === 5")


def making(walk: Walk) -> None:
    """Five shots are generated; the first one is what memory will be asked for."""
    for index in range(5):
        seed = {"seed": FIRST_SEED + index}
        walk.edit(kind="set", shot_id=walk.shot_id(index), fields=seed)
    walk.choose(2)
    walk.edit(kind="set", shot_id=walk.shot_id(2), fields={"num_steps": STEPS_OF_A_LONG_TAKE})
    walk.press("Generate all (5)")
    walk.wait("mnemoreel.previews.has(mnemoreel.shots[2].shot_id)")
    walk.camera.look("08-generating")
    cancel = "job.shot_id === mnemoreel.shots[2].shot_id && job.state === 'running'"
    walk.page.evaluate(
        f"async () => {{ for (const job of mnemoreel.jobs.values()) if ({cancel})"
        "await fetch(`/api/jobs/${job.id}/cancel`, { method: 'POST',"
        "headers: { 'content-type': 'application/json' }, body: '{}' }); }"
    )
    walk.edit(kind="set", shot_id=walk.shot_id(2), fields={"num_steps": 0})
    walk.rest()
    walk.generate(2)
    walk.rest()


def film(walk: Walk) -> None:
    """The finished film: what memory holds of it, zoomed in and out, as a list."""
    page = walk.page
    walk.measured()
    walk.choose(4)
    walk.camera.look("09-film", arrange=lambda: page.keyboard.press("Shift+Z"))
    page.keyboard.press("Escape")

    def zoom(key: str, times: int) -> Callable[[], object]:
        def press() -> None:
            page.keyboard.press("Shift+Z")
            for _ in range(times):
                page.keyboard.press(key)

        return press

    walk.camera.look("10-zoomed-in", is_minor=True, arrange=zoom("=", 5))
    walk.camera.look("11-zoomed-out", is_minor=True, arrange=zoom("-", 7))
    page.keyboard.press("Shift+Z")
    page.keyboard.press("Alt+l")
    walk.camera.look("12-list", is_minor=True)
    page.keyboard.press("Alt+l")


def states(walk: Walk) -> None:
    """An early shot changes: what is stale by how much, beside a locked and a muted shot."""
    page = walk.page
    walk.edit(kind="set", shot_id=walk.shot_id(1), fields={"prompt": NEW_PROMPT})
    walk.generate(1)
    walk.rest()
    walk.edit(kind="set", shot_id=walk.shot_id(3), fields={"locked": True})
    walk.edit(kind="insert", before=None, prompt="Mia sits in the park, wide shot.", fields={})
    walk.edit(kind="duplicate", shot_ids=[walk.shot_id(2)])
    walk.edit(kind="set", shot_id=walk.shot_id(3), fields={"muted": True})
    walk.edit(kind="add_marker", frame=22, label="look here")
    walk.choose(2)
    page.evaluate("mnemoreel.seek(20)")
    page.keyboard.press("i")
    page.evaluate("mnemoreel.seek(45)")
    page.keyboard.press("o")
    walk.tab("Shot")
    walk.camera.look("13-stale", arrange=lambda: page.keyboard.press("Shift+Z"))

    def trim() -> None:
        page.keyboard.press("Escape")
        page.mouse.up()
        page.keyboard.press("Shift+Z")
        shot = page.locator(f'mnemo-timeline [data-id="{walk.shot_id(1)}"]')
        edge = shot.locator('.handle[data-edge="out"]').bounding_box()
        assert edge is not None
        x, y = edge["x"] + 4, edge["y"] + 20
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 20, y)
        page.mouse.move(x - 40, y)
        page.locator('mnemo-twoup figure[data-frame="0"]').wait_for()

    # The two pictures cover the player: that is what they are for.
    walk.camera.look("14-trim", arrange=trim, is_checked=False)
    page.keyboard.press("Escape")
    page.mouse.up()
    page.keyboard.press("Alt+x")


def shot_panel(walk: Walk) -> None:
    """What a shot reads; what a comparison with the shots before noted; pins and presets."""
    walk.choose(5)
    walk.tab("Shot")
    walk.camera.look("15-memory-of-a-shot", arrange=walk.scroll("mnemo-shot", ".memory"))
    walk.press("Save as…", "mnemo-presets")
    walk.page.locator("mnemo-presets input").fill("Calm")
    walk.press("Save", "mnemo-presets")
    walk.wait("!mnemoreel.busy")
    project = "`/api/projects/${mnemoreel.projectId}/notes"
    headers = "headers: { 'content-type': 'application/json' }"
    walk.page.evaluate(f"fetch({project}/check`, {{ method: 'POST', body: '{{}}', {headers} }})")
    walk.ask_until(f"fetch({project}`).then(r => r.json()).then(r => r.unchecked === 0)")
    walk.rest()
    noted = walk.page.evaluate(
        f"fetch({project}`).then(r => r.json()).then(r => r.notes.map(note =>"
        " mnemoreel.indexOf(note.shot_id)).find(at => !mnemoreel.shots[at].locked) ?? 5)"
    )
    walk.choose(noted)
    walk.camera.look(
        "16-notes-and-pins", is_minor=True, arrange=walk.scroll("mnemo-shot", "mnemo-reads")
    )


def takes(walk: Walk) -> None:
    """Two takes of a shot: compared, and the way to another one."""
    page = walk.page
    walk.choose(1)
    walk.tab("Takes")
    rows = page.locator("mnemo-takes li[data-take]")
    rows.nth(1).wait_for()
    walk.camera.look("17-takes")
    rows.nth(1).get_by_role("button", name="Compare as A").click()
    page.locator("mnemo-ab").wait_for()
    walk.press("Wipe", "mnemo-ab")
    walk.camera.look("18-compare-wipe")
    walk.press(DIFFERENCE, "mnemo-ab")
    walk.camera.look("19-compare-difference", is_minor=True)
    rows.nth(1).get_by_role("button", name="Compare as A").click()
    rows.nth(0).get_by_role("button", name="Vary…").click()
    walk.press("Variation", "mnemo-again")
    walk.camera.look("20-variation", is_minor=True)
    walk.press("Make another…", "mnemo-takes")


def memory(walk: Walk) -> None:
    """A frame of the first shot decoded out of memory; two memory systems; the budget."""
    page = walk.page
    walk.choose(2)
    page.evaluate("mnemoreel.seek(8)")
    walk.tab("Memory")
    page.locator("mnemo-memory [data-source=memory]").wait_for()
    walk.camera.look("21-recall")
    walk.press("Wipe", "mnemo-memory")
    walk.press("In the player", "mnemo-memory")
    walk.camera.look("22-recall-wipe")
    walk.press(DIFFERENCE, "mnemo-memory")
    walk.camera.look("23-recall-difference", is_minor=True)
    walk.press("Side by side", "mnemo-memory")
    walk.press("In the player", "mnemo-memory")
    walk.press("Compare", "mnemo-systems")
    page.locator("mnemo-systems table td").first.wait_for()
    walk.camera.look("24-two-systems", arrange=walk.scroll("mnemo-memory", "mnemo-systems"))
    page.keyboard.press("Escape")

    def budget() -> None:
        if not page.locator("mnemo-budget [popover]:popover-open").count():
            page.evaluate("document.querySelector('mnemo-timeline').budget.open()")

    def reopened() -> None:
        page.keyboard.press("Escape")
        budget()

    walk.camera.look("25-budget", arrange=reopened, is_checked=False)
    page.keyboard.press("Escape")


def queue(walk: Walk) -> None:
    """The queue: what runs, waits, failed, and is held back."""
    page = walk.page
    walk.tab("Queue")
    walk.camera.look("26-queue-empty", is_minor=True)
    walk.generate(2, new_seed=True)
    for attempt in range(ATTEMPTS):
        walk.wait(f"[...mnemoreel.jobs.values()].some(job => {RUNNING} && job.step > 0)")
        walk.kill_engine()
        if attempt + 1 < ATTEMPTS:
            walk.wait(f"![...mnemoreel.jobs.values()].some(job => {RUNNING})")
    walk.wait("[...mnemoreel.jobs.values()].some(job => job.state === 'failed')")
    walk.edit(kind="set", shot_id=walk.shot_id(6), fields={"num_steps": STEPS_OF_A_LONG_TAKE})
    walk.generate(6)
    walk.wait("mnemoreel.previews.has(mnemoreel.shots[6].shot_id)")
    walk.press("Pause", "mnemo-queue")
    walk.generate(1, new_seed=True)
    walk.generate(5)
    walk.wait("[...mnemoreel.jobs.values()].length >= 4")
    walk.choose(6)
    walk.camera.look("27-queue")
    walk.press("Cancel all", "mnemo-queue")
    walk.press("Resume", "mnemo-queue")
    walk.rest()
    for failed in page.locator("mnemo-queue").get_by_role("button", name="Dismiss").all():
        failed.click()


def history(walk: Walk) -> None:
    """A step back, a branch, a deleted shot; two points beside each other."""
    page = walk.page
    walk.edit(kind="delete", shot_ids=[walk.shot_id(5)])
    nodes = page.evaluate(
        "fetch(`/api/projects/${mnemoreel.projectId}/history`).then(r => r.json())"
    )["nodes"]
    early = next(node for node in nodes if node["label"] == "Generate Shot 5")
    page.evaluate(
        "id => mnemoreel.step('branches', { name: 'Rain instead', node_id: id })", early["id"]
    )
    walk.edit(
        kind="set", shot_id=walk.shot_id(4), fields={"prompt": "Mia sits in the park, close shot."}
    )
    walk.page.evaluate("mnemoreel.step('branches/switch', { name: 'Main' })")
    walk.wait("mnemoreel.shots.length === 6 && !mnemoreel.busy")
    walk.tab("History")
    for summary in page.locator("mnemo-history summary").all():
        summary.click()
    walk.wait("!mnemoreel.busy")
    walk.camera.look("28-history")
    page.locator("mnemo-history ol .more").nth(-2).focus()
    page.evaluate(
        """async id => {
          const { openVersus } = await import("/studio-static/versus.js");
          openVersus(mnemoreel.document.node_id, id);
        }""",
        early["id"],
    )
    page.locator("mnemo-versus dialog[open] li").first.wait_for()
    walk.camera.look("29-compare-history", is_minor=True)
    page.keyboard.press("Escape")


def export(walk: Walk) -> None:
    """The film as a file: first what it lacks, then without that."""
    walk.tab("Export")
    walk.page.locator("mnemo-export .note").get_by_text("has no take yet").wait_for()
    walk.mute_drafts()
    walk.press("Export video", "mnemo-export")
    ended = walk.page.locator("mnemo-export").locator("a.button, p.bad:not([hidden])").first
    ended.wait_for()
    if ended.inner_text() != "Download":
        raise RuntimeError(f"The film was not exported: {ended.inner_text()}")
    walk.camera.look("30-export")


def keys(walk: Walk) -> None:
    """The keys in three presets, the menu, and a message of what was refused."""
    page = walk.page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    for preset in ("premiere", "resolve", "mnemoreel"):
        dialog.locator("select").select_option(preset)
        walk.wait("!mnemoreel.busy")
        # The presets differ in their words alone.
        walk.camera.look(f"31-keys-{preset}", is_minor=preset != "mnemoreel")
    page.keyboard.press("Escape")

    def menu() -> None:
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Menu", exact=True).click()

    walk.camera.look("32-menu", is_minor=True, arrange=menu, is_checked=False)
    page.keyboard.press("Escape")

    def refused() -> None:
        page.evaluate("document.querySelector('mnemo-bar').toasts.replaceChildren()")
        page.evaluate("mnemoreel.select([])")
        page.evaluate("mnemoreel.seek(0)")
        page.keyboard.press("b")

    walk.camera.look(
        "33-refused", is_minor=True, arrange=refused, has_toasts=True, is_checked=False
    )


def home(walk: Walk) -> None:
    """The list of films: what is there, what was deleted, what is no film."""
    page = walk.page
    page.get_by_role("button", name="Mnemoreel: all films").click()
    home_page = page.locator("mnemo-home")
    home_page.locator("li.card").first.wait_for()
    for name in ("Notes for a second film", "A film to forget"):
        page.evaluate(
            """name => fetch("/api/projects", { method: "POST",
              headers: { "content-type": "application/json" }, body: JSON.stringify({ name }) })""",
            name,
        )
    page.reload()
    home_page.get_by_role("button", name="Delete A film to forget").click()
    walk.camera.look("34-home")
    with page.expect_download() as download:
        home_page.get_by_role("link", name=re.compile("^Save .* as a file$")).first.click()
    with page.expect_file_chooser() as chosen:
        home_page.get_by_role("button", name="Open a film file…").click()
    copy = download.value.path()
    chosen.value.set_files(
        FilePayload(name="saved.mnemoreel", mimeType="application/zip", buffer=copy.read_bytes())
    )
    home_page.locator("li.card").nth(2).wait_for()
    walk.camera.look("35-film-file", is_minor=True, has_toasts=True, is_checked=False)
    broken = FilePayload(name="holiday.mnemoreel", mimeType="application/zip", buffer=b"no film")

    def refuse() -> None:
        page.evaluate("document.querySelector('mnemo-bar').toasts.replaceChildren()")
        with page.expect_file_chooser() as chooser:
            home_page.get_by_role("button", name="Open a film file…").click()
        chooser.value.set_files(broken)
        page.locator("mnemo-bar .toast.bad").wait_for()

    walk.camera.look("36-no-film", is_minor=True, arrange=refuse, has_toasts=True, is_checked=False)


STOPS: tuple[tuple[str, Callable[[Walk], None]], ...] = (
    ("first", first_steps),
    ("storyboard", storyboard),
    ("making", making),
    ("film", film),
    ("states", states),
    ("shot", shot_panel),
    ("takes", takes),
    ("memory", memory),
    ("queue", queue),
    ("history", history),
    ("export", export),
    ("keys", keys),
    ("home", home),
)


def take(walk: Walk, *, until: str | None = None) -> None:
    """Go from stop to stop; with `until` no further than that one."""
    for name, stop in STOPS:
        stop(walk)
        if name == until:
            return
