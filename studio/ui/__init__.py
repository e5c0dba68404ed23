"""The Gradio shell of the page: the only package that imports gradio."""
