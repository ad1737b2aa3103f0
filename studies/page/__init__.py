"""The voting page: HTML, CSS and JavaScript of our own, served by ``studies.serving`` or written as one file.

Nothing is loaded from elsewhere, and the same view leads both: it asks a session, which a server keeps (``served.js``)
or the browser (``offline.js``).
"""
