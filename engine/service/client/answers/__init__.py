"""What the service answers, as frozen values: the members of its JSON, under the same names, and nothing else.

Times and dates are strings as JSON has them, ISO 8601. Offsets count characters (code points) of a document's text.
What each member means is said in the service's OpenAPI, at /v1/openapi.json; a test holds that the two agree.
"""
