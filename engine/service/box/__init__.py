"""The search box: HTML for the browser, made on the server, whole without JavaScript and quicker with it.

`pages` holds all routes together. `urls` says what a URL asks for, and has the URL of everything that is asked.
`search`, `document`, `why` and `reader` hold the pages of that kind, and the plain values that these show; `page` is
what they share; `words` every word of them, in English and Chinese; `templates` and `static` are what is sent.
Templates escape everything, always: what a document says is text, whatever it says.
"""
