"""Every word of the pages, in English and Chinese, and what the engine says, in the language of the page."""
