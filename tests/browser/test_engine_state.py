"""What the page says of the model: loading, and why it could not be loaded."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from engine.errors import CheckpointError
from tests.browser.studio import NumberedEngine, Studio, running, window


class BrokenEngine(NumberedEngine):
    def start(self) -> None:
        raise CheckpointError("The folder has 0 files. Expected a checkpoint. Choose another.")


def test_a_model_that_cannot_be_loaded_is_said_with_the_reason(
    browser: Browser, studio: Studio, tmp_path: Path
) -> None:
    del studio  # its fixture imports gradio with its warnings silenced
    with running(tmp_path, BrokenEngine) as broken, window(browser, broken) as opened:
        page = opened.open()
        banner = page.get_by_role("alert")
        expect(banner).to_contain_text("The model could not be loaded.")
        expect(banner).to_contain_text("Choose another.")
