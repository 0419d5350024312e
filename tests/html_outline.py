"""What a browser would build of a page, and a name that tries to break it."""

from html.parser import HTMLParser

EVIL = "<script>alert(\"x\")</script> & 'q' $\\frac{a}{b}$ </style></svg> \x07\ud800 温度"
VOID = {"meta", "link", "br", "hr", "img"}


class Outline(HTMLParser):
    """What a browser would build: elements, attributes and text; an unbalanced tag is an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.said, self.problems = [], [], [], [], []
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.said.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.said).split())
