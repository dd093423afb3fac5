"""The search box: HTML for the browser, made on the server, whole without JavaScript and quicker with it.

`pages` holds the routes; `asked` what a URL asks for, and the URL of everything that is asked; `views` the plain values
that templates read, made of the engine's by `showing`; `words` every word of the page, in English and Chinese;
`rendering` puts them together. Templates escape everything, always: what a document says is text, whatever it says.
"""
