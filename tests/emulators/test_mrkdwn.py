"""Slack's markup becomes HTML, and nothing else does."""

import pytest

from emulators.mrkdwn import plain, render

NAMES = {"U1": "Marta <3", "C1": "approvals"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _it_ ~no~ `a*b*`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>a*b*</code>"),
        ("snake_case_word 2*3*4", "snake_case_word 2*3*4"),
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('<https://x.example/?a=1&amp;b="|see>', None),
        ("<javascript:alert(1)|click>", "&lt;javascript:alert(1)|click&gt;"),
        ("<@U1> in <#C1>", None),
        ("&gt; one\n> two\nthree", "<blockquote>one<br>two</blockquote>three"),
        ("*<https://x.example|bold link>*", None),
        ("until <!date^1795190000^{time}|16:00>", "until 16:00"),
        ("<!channel>", '<span class="mention">@channel</span>'),
        ("```a\n*b* <x>```", "<pre>a\n*b* &lt;x&gt;</pre>"),
        ("\ue0000\ue001", "0"),  # our own marks cannot be smuggled in
    ],
)
def test_markup_is_rendered_and_the_rest_escaped(text: str, html: str | None) -> None:
    rendered = render(text, NAMES)

    if html is not None:
        assert rendered == html
    assert "<script" not in rendered
    assert 'href="javascript' not in rendered


def test_mentions_show_escaped_names() -> None:
    rendered = render("<@U1> in <#C1>", NAMES)

    assert rendered == (
        '<span class="mention">@Marta &lt;3</span> in <span class="mention">#approvals</span>'
    )


def test_link_cannot_break_out_of_its_attribute() -> None:
    rendered = render('<https://x.example/?a=1&amp;b="|see "it">', NAMES)

    assert rendered == (
        '<a href="https://x.example/?a=1&amp;b=&quot;" rel="noreferrer noopener">see &quot;it&quot;</a>'
    )


def test_plain_text_is_only_escaped() -> None:
    assert plain("*a* <b>\nc") == "*a* &lt;b&gt;<br>c"
